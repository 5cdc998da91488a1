"""Models small enough to check by hand, and models that misbehave in one way each."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CLASSES = 5
SIDE = 16


def picture(rows: int = 1, side: int = SIDE, seed: int = 0) -> Tensor:
    """A batch of pictures in [0, 1] with all values different."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(rows, 3, side, side, generator=generator)


def seeded(build: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    """The module that `build` makes, the same at every call, in evaluation mode."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build().eval()


class FunctionRelu(nn.Module):
    """Two convolutions, mean, linear; the nonlinearity is a function."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.second = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.head = nn.Linear(6, CLASSES)

    def activate(self, x: Tensor, place: int) -> Tensor:
        return F.relu(x)

    def features(self, x: Tensor) -> Tensor:
        x = self.activate(self.first(x), 0)
        return self.activate(self.second(x), 1)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(self.features(x).mean((2, 3)))
        return scores


class ModuleRelu(FunctionRelu):
    """The same with one module for each nonlinearity."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.relus = nn.ModuleList([nn.ReLU(inplace), nn.ReLU(inplace)])

    def activate(self, x: Tensor, place: int) -> Tensor:
        result: Tensor = self.relus[place](x)
        return result


class InplaceRelu(ModuleRelu):
    """The same with modules that overwrite their input."""

    def __init__(self) -> None:
        super().__init__(inplace=True)


class ReusedRelu(FunctionRelu):
    """The same with one module that is called twice and overwrites its input."""

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU(inplace=True)

    def activate(self, x: Tensor, place: int) -> Tensor:
        result: Tensor = self.relu(x)
        return result


def cnn() -> nn.Module:
    """A CNN with random weights whose methods take milliseconds."""
    return seeded(ModuleRelu)


def many() -> nn.Module:
    """A linear model of pictures with more classes than a list of the best shows."""
    return seeded(lambda: nn.Sequential(nn.Flatten(), nn.Linear(3 * SIDE * SIDE, 4 * CLASSES)))


class Trained(nn.Module):
    """Convolution, batch norm, ReLU, dropout, linear: everything that training mode changes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(4, CLASSES)

    def features(self, x: Tensor) -> Tensor:
        result: Tensor = self.drop(self.relu(self.norm(self.conv(x))))
        return result

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(self.features(x).mean((2, 3)))
        return scores


class Attends(nn.Module):
    """The features of one of the networks above as 16 tokens and a class token that attend."""

    def __init__(self, trunk: nn.Module) -> None:
        super().__init__()
        self.trunk = trunk
        width = trunk.head.in_features  # type: ignore[union-attr]
        self.token = nn.Parameter(torch.randn(1, 1, width))
        self.blocks = nn.ModuleList(nn.Linear(width, 3 * width) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        grid = F.adaptive_avg_pool2d(self.trunk.features(x), 4)  # type: ignore[operator]
        tokens = torch.cat([self.token.expand(len(x), -1, -1), grid.flatten(2).mT], 1)
        for block in self.blocks:
            heads = block(tokens).unflatten(-1, (3, 2, -1)).permute(2, 0, 3, 1, 4)
            mixed = F.scaled_dot_product_attention(4 * heads[0], heads[1], heads[2])
            tokens = tokens + mixed.transpose(1, 2).flatten(2)
        scores: Tensor = self.trunk.head(tokens[:, 0])  # type: ignore[operator]
        return scores


def linear(bias: bool = True, side: int = SIDE) -> nn.Module:
    """Scores that are linear in the pixels."""
    return seeded(
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(3 * side * side, CLASSES, bias=bias))
    )


class Quadratic(nn.Module):
    """Score k is weight_k / 2 * sum of squares: the gradient is weight_k * x."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.arange(1.0, CLASSES + 1))

    def forward(self, x: Tensor) -> Tensor:
        return 0.5 * x.flatten(1).square().sum(1, keepdim=True) * self.weight


class Function(nn.Module):
    """A function of the input as a module without weights."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def three_layers() -> nn.Module:
    """The model CN of the literature: convolution, ReLU, linear, without the last ReLU."""
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 4, bias=False))
    rows = torch.tensor([1.0, 1, 1, 1, 1, -1, -1, -1])
    with torch.no_grad():
        model[0].weight.fill_(1.0)
        model[0].bias.copy_(torch.tensor([-50.0, -75.0]))
        model[3].weight.copy_(rows.expand(4, 8))
    return model.eval()


class Raises(nn.Module):
    """Works for `calls` calls and raises at the next."""

    def __init__(self, inner: nn.Module, calls: int) -> None:
        super().__init__()
        self.inner, self.left = inner, calls

    def forward(self, x: Tensor) -> Tensor:
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("the disk is on fire")
        scores: Tensor = self.inner(x)
        return scores


class OutOfMemory(nn.Module):
    """Has memory for `most` inputs at a time."""

    def __init__(self, inner: nn.Module, most: int) -> None:
        super().__init__()
        self.inner, self.most = inner, most

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        scores: Tensor = self.inner(x)
        return scores
