"""Is an explanation any good, and do explanations agree?

Every check is a function of (model, inputs, attribution or method, ...) that returns a frozen
Check: `.score`, `.reading` (one line in words, with the threshold), `.verdict`, `.figure(row)`, and
what the figure is drawn of. A metric that is degenerate (constant map, equal scores) has the score
nan and says "cannot tell".

Every check `x` is also a generator `x_steps(case, ...)`, which yields the same Check ever more
complete, with `done` of `total`; a `Case` holds the map, the setting it was computed in, and where
the passes come from. The function is the last of its steps. Whoever shows checks while they run
(or wants to stop them) makes a Case with `Case.of(attribution, setting, passes)` and iterates.
`battery` makes the usual ones of a map, one after the other.

The functions are imported on first use. Their files have names of their own, so that no function
hides a module.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from nbxplain.evaluation.similarity import rank_correlation, ssim, top_overlap

_CHECKS = {
    "auditing": ("audit",),
    "checkup": ("battery",),
    "concord": ("agreement",),
    "curves": ("deletion", "insertion"),
    "drop": ("average_drop",),
    "faithfulness": ("infidelity", "sensitivity_n"),
    "localisation": ("pointing_game",),
    "ranking": ("benchmark",),
    "retraining": ("roar",),
    "robustness": ("max_sensitivity",),
    "sanity": ("sanity_check", "random_label_check"),
    "sparsity": ("sparseness",),
    "steadiness": ("stability",),
    "uncertainty": ("augmentation", "ensemble", "mc_dropout"),
}
_WHERE = {"Case": "case", "Check": "check"}
_WHERE |= {name: module for module, names in _CHECKS.items() for name in names}
_WHERE |= {f"{name}_steps": module for module, names in _CHECKS.items() for name in names}

__all__ = ["rank_correlation", "ssim", "top_overlap", *_WHERE]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
