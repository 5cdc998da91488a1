"""Pictures that the model decides otherwise: a change of pixels, and how honest it is.

`picture_counterfactuals` is the call, `hunt` the same step by step. Pictures and rows share what a
result can do (counterfactuals/base.py), but no search: a row has a few features with names, a
picture a hundred thousand values without, of which most changes are noise.
"""

from nbxplain.counterfactuals.pictures.find import picture_counterfactuals
from nbxplain.counterfactuals.pictures.honesty import Honesty, examined
from nbxplain.counterfactuals.pictures.hunt import hunt
from nbxplain.counterfactuals.pictures.parameters import PictureSearch
from nbxplain.counterfactuals.pictures.result import PictureCounterfactuals

__all__ = [
    "Honesty",
    "PictureCounterfactuals",
    "PictureSearch",
    "examined",
    "hunt",
    "picture_counterfactuals",
]
