"""Edits of a picture by hand: what stands where, and what the model then says."""

from nbxplain.counterfactuals.editing.adjustments import Adjustments
from nbxplain.counterfactuals.editing.edit import Edit, Layer
from nbxplain.counterfactuals.editing.edited import Edited, edited
from nbxplain.counterfactuals.editing.fills import Clone, Colour, Fill, Inpaint
from nbxplain.counterfactuals.editing.mask import Mask

__all__ = [
    "Adjustments",
    "Clone",
    "Colour",
    "Edit",
    "Edited",
    "Fill",
    "Inpaint",
    "Layer",
    "Mask",
    "edited",
]
