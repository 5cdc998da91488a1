"""What would have to be different for the model to decide otherwise: for rows of tables.

`counterfactuals` gives k different rows near the one asked about. What is allowed is stated, and
holds for every row it returns.
"""

from nbxplain.counterfactuals.causal import CausalGraph
from nbxplain.counterfactuals.find import counterfactuals
from nbxplain.counterfactuals.result import Counterfactuals

__all__ = ["CausalGraph", "Counterfactuals", "counterfactuals"]
