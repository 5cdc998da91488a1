"""What would have to be different for the model to decide otherwise: for rows of tables, pictures.

`counterfactuals` gives k different rows near the one asked about, `picture_counterfactuals` k
pictures. What is allowed is stated, and holds for everything they return. `edited` says what the
model makes of a picture that was edited by hand.
"""

from nbxplain.counterfactuals.base import Counterfactual
from nbxplain.counterfactuals.causal import CausalGraph
from nbxplain.counterfactuals.editing import Edit, Edited, edited
from nbxplain.counterfactuals.find import counterfactuals
from nbxplain.counterfactuals.pictures import PictureCounterfactuals, picture_counterfactuals
from nbxplain.counterfactuals.result import Counterfactuals

__all__ = [
    "CausalGraph",
    "Counterfactual",
    "Counterfactuals",
    "Edit",
    "Edited",
    "PictureCounterfactuals",
    "counterfactuals",
    "edited",
    "picture_counterfactuals",
]
