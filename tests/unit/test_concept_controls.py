"""Generated random pictures: what they keep of the given ones, and what they lose."""

from __future__ import annotations

import pytest
import torch

from nbxplain.concepts.controls import controls
from nbxplain.core.errors import InputError


def faint(count: int, side: int = 32, seed: int = 0) -> torch.Tensor:
    """Smooth colour pictures of little contrast, with one bright and one dark corner."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, 4, 4, generator=generator)
    pictures = 0.5 + 0.02 * torch.nn.functional.interpolate(coarse, (side, side), mode="bicubic")
    pictures[..., 0, 0], pictures[..., -1, -1] = 1, 0
    return pictures


def test_noise_has_the_spectrum_of_its_picture() -> None:
    picture = faint(1)
    made = controls(picture, 6, "noise")
    assert made.shape == (6, 3, 32, 32)
    wanted = torch.fft.rfft2(picture.double()).abs()
    found = torch.fft.rfft2(made.double()).abs()
    assert torch.allclose(found, wanted.expand_as(found), rtol=1e-3, atol=1e-3)
    assert not torch.allclose(made[0], made[1], atol=1e-3)


def test_noise_keeps_the_colours_together() -> None:
    grey = faint(1)[:, :1].expand(1, 3, 32, 32)
    made = controls(grey, 4, "noise")
    assert torch.allclose(made[:, 0], made[:, 2], atol=1e-6)


def test_noise_stays_within_the_values_of_the_pictures() -> None:
    generator = torch.Generator().manual_seed(1)
    black_and_white = (torch.rand(3, 1, 16, 16, generator=generator) > 0.5).float()
    made = controls(black_and_white, 10, "noise")
    assert float(made.min()) >= 0
    assert float(made.max()) <= 1


def test_scrambling_one_picture_moves_its_patches() -> None:
    picture = torch.arange(16.0 * 16).view(1, 1, 16, 16)
    made = controls(picture, 5, "scrambled")
    for one in made:
        assert torch.equal(one.flatten().sort().values, picture.flatten())
        assert not torch.equal(one, picture[0])


def test_scrambling_mixes_the_pictures() -> None:
    pictures = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 1, 24, 24)
    made = controls(pictures, 3, "scrambled")
    assert all(set(one.flatten().tolist()) == {0.0, 1.0, 2.0, 3.0} for one in made)


@pytest.mark.parametrize("side", [5, 13, 30])
def test_scrambled_pictures_are_filled(side: int) -> None:
    """Sides that eight patches do not divide, and smaller ones, leave no pixel empty."""
    made = controls(torch.ones(2, 1, side, side), 2, "scrambled")
    assert torch.equal(made, torch.ones(2, 1, side, side))


@pytest.mark.parametrize("kind", ["scrambled", "noise"])
def test_a_seed_gives_the_same_again(kind: str) -> None:
    one, again, other = (controls(faint(2), 3, kind, seed) for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_what_cannot_be_made_is_refused() -> None:
    with pytest.raises(InputError, match="no controls 'white'"):
        controls(faint(1), 3, "white")
    with pytest.raises(InputError, match="cannot be made"):
        controls(faint(1)[0], 3, "noise")
    with pytest.raises(InputError, match="cannot be made"):
        controls(faint(1), 0, "noise")
