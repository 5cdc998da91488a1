"""What the unit tests share: the pretrained network and the picture of the cat, loaded once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from nbxplain import demo
from nbxplain.core.adapter import ModelAdapter


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Small models gain nothing from threads, and wait for each other where cores are busy."""
    torch.set_num_threads(1)


@pytest.fixture
def two_threads() -> Iterator[None]:
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def network() -> nn.Module:
    """EfficientNet-Lite0, pretrained."""
    return demo.network()


@pytest.fixture(scope="session")
def cat() -> Image.Image:
    return demo.pictures()["cat"]


@pytest.fixture(scope="session")
def fed_cat(network: nn.Module, cat: Image.Image) -> Tensor:
    """The cat as the network is fed it, (1, 3, 224, 224)."""
    return ModelAdapter(network).read(cat).tensor
