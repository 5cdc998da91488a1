"""Each method against its peers and against bare passes of the same count, in one run.

    python -m tests.benchmarks.peers [METHOD ...] [--network NAME] [--repeats N] [--agreement]

"bare" is the forward (and backward) passes that the definition needs with nothing around them, in
the faster of two memory layouts and two batch sizes; for DeepLIFT and LRP those of the doubled
batch. Peers are captum and shap, for LIME also the lime package, where they have the method, and
for what none of them has the plain loops of loops.py. A peer is called with its own defaults but
for what makes its answer another one: budget, regions, background, noise. Ours and the peers take
turns, and the shortest of the repeats counts for each. Where values have to sum to the change of
the score, a peer whose values do not is said to miss it.

--agreement adds the correlation of both maps. It is 1 where both compute the same, and less where
they draw at random, for regressions with other penalties, and for captum's guided backpropagation
and DeepLIFT on a network with ReLU6, which they take for linear.

`ELSEWHERE` names the methods that have a benchmark of their own.
"""

from tests.benchmarks.peers import attention, cams, gradients, perturbation, propagation, shapley

CASES = [
    *gradients.CASES,
    *cams.CASES,
    *propagation.CASES,
    *perturbation.CASES,
    *shapley.CASES,
    *attention.CASES,
]

ELSEWHERE = {"tree_shap": "tests.benchmarks.trees", "concept_map": "tests.benchmarks.concepts"}

__all__ = ["CASES", "ELSEWHERE"]
