"""Counterfactual pictures: exact on linear models, within mask and box, and honest about noise."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from nbxplain import Regions
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.errors import InputError, LayerError, MethodError, TargetError
from nbxplain.core.passes import Passes
from nbxplain.counterfactuals import (
    Counterfactual,
    Counterfactuals,
    PictureCounterfactuals,
    picture_counterfactuals,
)
from nbxplain.counterfactuals.pictures import examined, hunt
from nbxplain.counterfactuals.pictures.change import total_variation
from nbxplain.counterfactuals.pictures.honesty import high_frequency_share
from nbxplain.explain import ask
from tests.models import cnn, picture, seeded
from tests.snapshot import snapshot

SIDE = 16
PLAIN: dict[str, Any] = {
    "probability": None, "smoothness": 0, "blur": 0, "jitter": 0, "noise": 0, "steps": 40,
}  # fmt: skip
"""The objective alone, without what makes changes visible."""


class Linear(nn.Module):
    """Two classes: the second's score is w.x + b, the first's 0."""

    def __init__(self, weights: Tensor, bias: float) -> None:
        super().__init__()
        self.w = nn.Parameter(weights.double())
        self.b = bias

    def forward(self, x: Tensor) -> Tensor:
        score = (x * self.w).flatten(1).sum(1) + self.b
        return torch.stack([torch.zeros_like(score), score], 1)


GREY = torch.full((1, 1, SIDE, SIDE), 0.5, dtype=torch.float64)


def weights() -> Tensor:
    generator = torch.Generator().manual_seed(3)
    drawn = torch.randn(1, SIDE, SIDE, generator=generator, dtype=torch.float64)
    drawn[0, 4, 7] = 5.0
    drawn[0, 9, 2] = -4.0
    return drawn


def linear(score: float) -> Linear:
    """The model that gives the grey picture this score."""
    return Linear(weights(), score - 0.5 * float(weights().sum()))


def found(
    model: nn.Module, image: Any = GREY, desired: Any = 1, **options: Any
) -> PictureCounterfactuals:
    return picture_counterfactuals(model, image, desired, **{**PLAIN, **options})


def test_smallest_change_of_a_linear_model() -> None:
    result = found(linear(-1.5))
    assert result.valid.tolist() == [True]
    assert float(result.distance[0]) == pytest.approx(1.5 / float(weights().norm()), rel=1e-3)


def test_smallest_change_within_a_mask() -> None:
    mask = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    mask[:8] = True
    result = found(linear(-1.5), mask=mask)
    assert float(result.distance[0]) == pytest.approx(
        1.5 / float(weights()[:, :8].norm()), rel=1e-3
    )


def test_the_cheapest_change_by_l1_touches_one_pixel() -> None:
    result = found(linear(-1.5), l1=0.05, l2=0)
    assert int((result.difference != 0).sum()) == 1
    assert float(result.difference[0, 0, 4, 7]) == pytest.approx(1.5 / 5, rel=1e-3)


def test_by_l1_the_box_fills_the_best_pixel_first() -> None:
    """A knapsack: half a unit of 5, then of the next best what is still needed."""
    result = found(linear(-3.5), l1=0.05, l2=0)
    assert int((result.difference != 0).sum()) == 2
    assert float(result.difference[0, 0, 4, 7]) == pytest.approx(0.5)
    assert float(result.difference[0, 0, 9, 2]) == pytest.approx(-(3.5 - 2.5) / 4, rel=1e-3)


def test_box_and_mask_hold_to_the_last_bit() -> None:
    model = seeded(cnn)
    x = picture(1)
    x = (x - x.min()) / (x.max() - x.min())
    mask = torch.rand(x.shape[2:], generator=torch.Generator().manual_seed(1)) < 0.3
    said = model.eval()(x)
    result = picture_counterfactuals(
        model, x, int(said.argsort(descending=True)[0, 1]), mask=mask, steps=15, k=2
    )
    assert float(result.pixels.min()) >= 0
    assert float(result.pixels.max()) <= 1
    outside = ~mask.expand_as(result.tensor)
    assert torch.equal(result.tensor[outside], x.expand_as(result.tensor)[outside])
    assert torch.equal(result.pixels[outside], x.expand_as(result.pixels)[outside])
    assert bool((result.tensor != x)[~outside].any())


def test_the_box_is_that_of_the_screen(network: nn.Module, cat: Image.Image) -> None:
    """Through the normalisation: what the model gets is the picture that is shown."""
    result = picture_counterfactuals(network, cat, 967, steps=2, noise=0, jitter=0)
    space = result.inputs.pixels
    assert space is not None
    again = space.to_model(result.pixels)
    assert torch.allclose(again, result.tensor, atol=1e-5)
    assert float(result.pixels.min()) >= -1e-6
    assert float(result.pixels.max()) <= 1 + 1e-6


def hunted(
    model: nn.Module, x: Tensor, desired: int, **options: Any
) -> Generator[PictureCounterfactuals]:
    adapter = ModelAdapter(model)
    setting = ask(adapter, adapter.read(x), None)
    return hunt(setting, desired, Passes(adapter), **options)


def test_closing_keeps_the_best_so_far() -> None:
    model = linear(-1.5)
    kept: PictureCounterfactuals | None = None
    objectives = []
    with closing(hunted(model, GREY, 1, **PLAIN)) as steps:
        for kept in steps:
            if bool(kept.valid[0]):
                objectives.append(float(kept.objective[0]))
            if kept.done == 30:
                break
    assert kept is not None
    assert not kept.complete
    assert (kept.done, kept.total) == (30, 40)
    assert objectives == sorted(objectives, reverse=True)
    assert len(set(objectives)) > 1
    assert int(model(kept.tensor).argmax()) == 1
    assert len(kept.curve["class"]) == 30
    assert 2 <= len(kept.iterates) <= 12
    adapter = ModelAdapter(model)
    setting = ask(adapter, adapter.read(GREY), None)
    assert examined(kept, setting, Passes(adapter)).honesty[0].plain


def test_what_is_reported_is_what_the_model_says() -> None:
    model = linear(-1.5)
    result = found(model, probability=0.7)
    share = model(result.tensor).detach().softmax(1)[0, 1]
    assert float(result.probability[0]) == pytest.approx(float(share))
    assert 0.7 <= float(share) < 0.701
    assert result.before == pytest.approx(1 / (1 + 2.718281828**1.5))
    assert float(result.terms["l2"][0]) == pytest.approx(float(result.distance[0]) ** 2 / 2)


def test_several_differ_and_leave_the_first_alone() -> None:
    alone, several = found(linear(-1.5)), found(linear(-1.5), k=3)
    assert several.valid.tolist() == [True] * 3
    assert torch.allclose(several.pixels[0], alone.pixels[0], atol=1e-9)
    apart = torch.pdist(several.pixels.flatten(1))
    assert float(apart.min()) > 0.3 * float(alone.distance[0])
    assert several.diversity == pytest.approx(float(apart.mean()))


def test_the_same_seed_gives_the_same_bytes_in_any_chunk() -> None:
    model, x = seeded(cnn).eval(), picture(1)
    desired = int(model(x).argmin())

    def once(seed: int, chunk: int | None = None) -> Tensor:
        adapter = ModelAdapter(model)
        setting = ask(adapter, adapter.read(x), None)
        passes = Passes(adapter, chunk=chunk, layout="contiguous")
        return list(hunt(setting, desired, passes, k=3, steps=5, seed=seed))[-1].pixels

    assert torch.equal(once(0), once(0))
    assert not torch.equal(once(0), once(1))
    assert torch.allclose(once(0), once(0, chunk=1), atol=1e-4)


def test_the_model_is_left_as_it_was() -> None:
    model, x = seeded(cnn).train(), picture(1)
    before = snapshot(model)
    picture_counterfactuals(
        model, x, int(model.eval()(x).argmin()), steps=2, likeness=1.0, examples=picture(3, seed=5)
    )
    model.train()
    assert snapshot(model) == before


def waves(period: float) -> Tensor:
    """A wave (1, 32, 32) across, of length one."""
    place = torch.arange(32, dtype=torch.float64)
    wave: Tensor = torch.cos(2 * torch.pi * (place + 0.25) / period).expand(1, 32, 32)
    return wave.div(wave.norm())


def test_high_frequencies_are_told_apart() -> None:
    assert high_frequency_share(waves(4)) == pytest.approx(1)
    assert high_frequency_share(waves(16)) == pytest.approx(0, abs=1e-9)
    both = 3 * waves(4) + 4 * waves(16)
    assert high_frequency_share(both) == pytest.approx(9 / 25)
    assert high_frequency_share(torch.zeros(1, 8, 8)) == 0


def test_a_change_of_noise_is_called_adversarial() -> None:
    model = Linear(waves(2.5) * 100, -20)
    image = torch.full((1, 1, 32, 32), 0.5, dtype=torch.float64)
    honest = found(model, image).honesty[0]
    assert honest.plain
    assert honest.adversarial
    assert honest.high_frequency > 0.9
    assert not honest.shifts["left"]
    assert not honest.shifts["right"]
    assert honest.shifts["up"]  # the wave runs across: moved down or up it is the same
    assert honest.verdict.startswith("Adversarial: does not survive")


def test_a_change_one_can_see_is_not() -> None:
    model = Linear(waves(32) * 100, -200)
    image = torch.full((1, 1, 32, 32), 0.5, dtype=torch.float64)
    honest = found(model, image, probability=0.9999).honesty[0]
    assert honest.high_frequency < 0.01
    assert honest.jpeg
    assert all(honest.shifts.values())
    assert not honest.adversarial
    assert honest.verdict.startswith("Survives")


def test_smoothness_makes_smooth() -> None:
    rough, smooth = found(linear(-1.5)), found(linear(-1.5), smoothness=0.05)
    assert bool(smooth.valid[0])
    relative = [
        float(total_variation(one.difference)[0] / one.distance[0]) for one in (rough, smooth)
    ]
    assert relative[1] < 0.9 * relative[0]


class Features(nn.Module):
    """Means of two channels, and the first one less a half as the score."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.Conv2d(2, 2, 1, bias=False)
        self.maps.weight.data = torch.eye(2).view(2, 2, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        mean = self.maps(x).mean((2, 3))
        return torch.stack([torch.zeros_like(mean[:, 0]), 20 * (mean[:, 0] - 0.5)], 1)


def test_likeness_draws_to_the_examples() -> None:
    """The second channel means nothing to the score: only the examples can move it."""
    image = torch.full((1, 2, 8, 8), 0.4)
    generator = torch.Generator().manual_seed(0)
    examples = torch.rand(6, 2, 1, 1, generator=generator).expand(6, 2, 8, 8) * 0.2 + 0.7
    options: dict[str, Any] = {"examples": examples, "layer": "maps", "l2": 0.1}
    without = found(Features(), image, **options)
    near = found(Features(), image, likeness=5.0, **options)
    assert bool(near.valid[0])
    assert float(without.difference[0, 1].abs().max()) < 1e-6
    assert float(near.difference[0, 1].mean()) > 0.05
    features, shown = examples.mean((2, 3)), near.pixels.mean((2, 3))
    deviation = features.std(0, correction=0)
    deviation = deviation.clamp(min=float(deviation.mean()))
    apart = ((shown - features.mean(0)) / deviation).square().mean()
    assert float(near.terms["likeness"][0]) == pytest.approx(5 * float(apart), rel=1e-4)


def test_shares_are_of_the_regions() -> None:
    labels = torch.zeros(SIDE, SIDE, dtype=torch.long)
    labels[:8] = 1
    regions = Regions.map(labels, ["below", "above"])
    result = found(linear(-1.5), regions=regions, mask=(regions, ["above"]))
    assert result.shares() == [("above", pytest.approx(1)), ("below", 0)]
    result = found(linear(-1.5), regions=regions)
    whole = weights().abs().sum()
    assert dict(result.shares())["above"] == pytest.approx(
        float(weights()[:, :8].abs().sum() / whole), rel=1e-6
    )


def test_what_cannot_be_reached_is_said() -> None:
    mask = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    mask[0, 0] = True
    result = found(linear(-20.0), mask=mask, steps=80)
    assert result.valid.tolist() == [False]
    assert any("was not made 1" in notice for notice in result.notices)
    best = -20 + 0.5 * float(weights()[0, 0, 0].abs())
    assert float(result.margin[0]) == pytest.approx(best, rel=1e-6)
    assert "Not reached" in result.honesty[0].verdict


def test_a_score_in_an_interval() -> None:
    class One(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.mean((1, 2, 3)).unsqueeze(1)

    result = found(One(), GREY.float(), (0.6, 0.8))
    assert bool(result.valid[0])
    assert float(result.pixels.mean()) == pytest.approx(0.6, abs=1e-3)


def test_results_are_counterfactuals(tmp_path: Path) -> None:
    result = found(linear(-1.5), k=2)
    assert issubclass(PictureCounterfactuals, Counterfactual)
    assert issubclass(Counterfactuals, Counterfactual)
    told = json.loads(json.dumps(result.describe()))
    assert told["provenance"]["parameters"]["k"] == 2
    assert told["provenance"]["weights"]
    for name in ("a.png", "a.svg", "a.pdf", "a.json", "a.npz"):
        assert result.save(tmp_path / name).stat().st_size > 100
    with pytest.raises(InputError, match="Cannot write gif"):
        result.save(tmp_path / "a.gif")
    compile(result.code(), "code", "exec")
    for word in ("k=2", "blur=0", "steps=40", "probability=None"):
        assert word in result.code()
    assert "2, 100% valid" in repr(result)
    titles = {axis.get_title(loc="left").strip() for axis in result.figure().axes}
    assert f"difference, {result.gain(0):.3g} x" in titles


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"desired": 0}, TargetError, "is 0 already"),
        ({"desired": "dog"}, TargetError, "no class"),
        ({"desired": 7}, TargetError, "no class 7"),
        ({"mask": torch.ones(3, 3, dtype=torch.bool)}, InputError, "mask has shape"),
        ({"mask": torch.zeros(SIDE, SIDE, dtype=torch.bool)}, InputError, "mask is empty"),
        ({"mask": torch.ones(SIDE, SIDE)}, InputError, "mask holds"),
        ({"mask": (Regions.grid(2, 2), [9])}, InputError, "no region 9"),
        ({"k": 0}, MethodError, "k = 0"),
        ({"l1": float("nan")}, MethodError, "l1 = nan"),
        ({"smothness": 1}, MethodError, "no parameter 'smothness'.*'smoothness'"),
        ({"likeness": 1}, InputError, "no examples"),
        ({"likeness": 1, "examples": GREY, "layer": "none"}, LayerError, "none"),
        ({"image": GREY * torch.nan}, InputError, "NaN"),
        ({"image": GREY.repeat(2, 1, 1, 1)}, InputError, "2 pictures"),
        ({"image": torch.zeros(1, 4)}, InputError, "no picture"),
    ],
)
def test_what_is_wrong_is_said_at_the_door(
    options: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        found(linear(-1.5), **options)


def test_the_nearest_boundary_is_named() -> None:
    with pytest.raises(TargetError, match=r"nearest boundary is that to 1, 1\.5 away"):
        found(linear(-1.5), desired=0)


def test_a_cat_becomes_an_espresso(network: nn.Module, cat: Image.Image) -> None:
    result = picture_counterfactuals(network, cat, 967, steps=32)
    assert result.valid.tolist() == [True]
    with torch.no_grad():
        assert int(network(result.tensor).argmax()) == 967
    assert result.honesty[0].high_frequency < 0.3
    assert result.before < 0.01
