"""The handwritten digits of scikit-learn, and networks trained on them in a second or two."""

from __future__ import annotations

from functools import cache

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor, nn


@cache
def data() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Pictures (N, 1, 8, 8) in [0, 1] and labels: 1400 to train on, 397 to test."""
    digits = load_digits()
    x = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
    y = torch.tensor(digits.target)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    x, y = x[order], y[order]
    return x[:1400], y[:1400], x[1400:], y[1400:]


def convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 16, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


def train(x: Tensor, y: Tensor, seed: int, epochs: int = 5) -> nn.Module:
    """A small convolutional network, the same for the same seed."""
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        model = convolutional()
        optimiser = torch.optim.Adam(model.parameters(), 2e-3)
        for _ in range(epochs):
            for batch in torch.randperm(len(x)).split(64):
                loss = F.cross_entropy(model(x[batch]), y[batch])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
    return model.eval()


@cache
def network() -> nn.Module:
    """The network trained on all of the training pictures, right for more than nine in ten."""
    x, y, *_ = data()
    return train(x, y, 0)


def rows() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The same pictures as table rows of 64 features."""
    x, y, x_test, y_test = data()
    return x.flatten(1), y, x_test.flatten(1), y_test


def train_rows(x: Tensor, y: Tensor, seed: int) -> nn.Module:
    """A perceptron for rows, trained in a fraction of a second to 95 % and more."""
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
        optimiser = torch.optim.Adam(model.parameters(), 5e-3, weight_decay=1e-4)
        for _ in range(15):
            for batch in torch.randperm(len(x)).split(100):
                loss = F.cross_entropy(model(x[batch]), y[batch])
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
    return model.eval()
