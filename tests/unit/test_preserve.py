"""What a replica shares with the model, and what it does not."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from nbxplain.core.preserve import refresh, replica
from nbxplain.core.tree import Tree


class Settings:
    """A plain object that modules share, as configurations are."""

    def __init__(self) -> None:
        self.labels = {0: "cat", 1: "dog"}
        self.sizes = [1, [2, 3]]
        self.map = torch.ones(2)


class Frozen(nn.BatchNorm2d):
    """Has a train() of its own, which counts its calls."""

    calls = 0

    def train(self, mode: bool = True) -> Frozen:
        self.calls += 1
        return super().train(mode)


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.settings = Settings()
        self.part = nn.Linear(2, 2)
        self.again = self.part
        self.norm = Frozen(2)
        self.part.owner = [self.settings]  # type: ignore[assignment]
        self.kept: dict[str, Any] = {"features": [torch.zeros(2), (torch.ones(1),)]}
        self.part.kept = self.kept  # type: ignore[assignment]

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.part(x)
        return scores


def test_structure() -> None:
    """Aliases stay aliases, and nothing but weights is the model's own."""
    model = Model().train()
    copied: Any = replica(Tree(model)).root
    assert copied.part is copied.again
    assert copied.part.owner[0] is copied.settings is not model.settings
    assert copied.part.kept is copied.kept is not model.kept
    assert vars(copied).keys() == vars(model).keys()
    for name, theirs in vars(model.settings).items():
        ours = getattr(copied.settings, name)
        assert ours is not theirs
        assert type(ours) is type(theirs)
    assert copied.settings.sizes == [1, [2, 3]]
    assert copied.settings.sizes[1] is not model.settings.sizes[1]
    assert copied.settings.labels == {0: "cat", 1: "dog"}


@torch.jit.script
def doubled(x: Tensor) -> Tensor:
    return 2 * x


def test_a_compiled_function_is_shared_as_functions_are() -> None:
    model = Model()
    model.activation = doubled
    copied: Any = replica(Tree(model)).root
    assert copied.activation is doubled


def test_memory() -> None:
    model: Any = Model()
    copied: Any = replica(Tree(model)).root
    assert copied.part.weight.data_ptr() == model.part.weight.data_ptr()
    assert not copied.part.weight.requires_grad
    for ours, theirs in (
        (copied.norm.running_mean, model.norm.running_mean),
        (copied.kept["features"][0], model.kept["features"][0]),
        (copied.kept["features"][1][0], model.kept["features"][1][0]),
        (copied.settings.map, model.settings.map),
    ):
        assert ours.data_ptr() != theirs.data_ptr()
        torch.testing.assert_close(ours, theirs)


def test_hooks_of_the_copy_are_its_own() -> None:
    model = Model()
    copied = replica(Tree(model)).root
    copied.register_forward_hook(lambda *_: None)
    assert not model._forward_hooks
    assert not replica(Tree(model)).root._forward_hooks


def test_evaluation_mode() -> None:
    """By the way of the class that has one of its own."""
    model = Model().train()
    copied: Any = replica(Tree(model)).root
    assert not any(module.training for module in copied.modules())
    assert all(module.training for module in model.modules())
    assert copied.norm.calls == model.norm.calls + 1
    plain = replica(Tree(nn.Sequential(nn.Linear(2, 2), nn.Dropout()))).root
    assert not any(module.training for module in plain.modules())


def test_all_modules_and_weights_are_found() -> None:
    model = Model()
    tree = Tree(model)
    assert {id(module) for module in tree.modules} == {id(module) for module in model.modules()}
    assert len(tree.modules) == len(list(model.modules()))
    found = {id(weight) for weight in tree.weights()}
    assert found == {id(weight) for weight in (*model.parameters(), *model.buffers())}


def test_changes_are_seen() -> None:
    model = Model()
    before, version = Tree(model), Tree(model).version()
    with torch.no_grad():
        model.part.weight.mul_(2)
    assert Tree(model).signature == before.signature
    assert Tree(model).version() > version
    model.part.bias = None
    assert Tree(model).signature != before.signature


def test_buffers_that_are_the_same_are_left_alone() -> None:
    """What was made of them, a folded convolution for one, would have to be made again."""
    model = Tree(nn.BatchNorm2d(3))
    copied = replica(model)
    refresh(copied, model)
    assert [buffer._version for buffer in copied.buffers()] == [0, 0, 0]
    for buffer in model.buffers():
        buffer += 1
    refresh(copied, model)
    for ours, theirs in zip(copied.buffers(), model.buffers(), strict=True):
        torch.testing.assert_close(ours, theirs)
