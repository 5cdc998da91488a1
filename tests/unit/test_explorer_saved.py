"""What is kept beyond the kernel, and what no longer holds: heads, comparisons, another picture."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from traitlets import TraitError

from nbxplain import Baseline, Explorer
from nbxplain.methods.base import Attention
from nbxplain.widget import wire
from tests.architectures import architecture, pictures
from tests.models import cnn, picture
from tests.unit.page import FakePage

pytest_plugins = ["tests.unit.page"]


def saved(explorer: Explorer) -> dict[str, Any]:
    """The state in a saved page."""
    page = explorer._encode("html").decode()
    found = re.search(r'<script type="application/json" id="state">(.*?)</script>', page, re.S)
    assert found is not None
    state: dict[str, Any] = json.loads(found[1])
    return state


def values(packed: dict[str, Any]) -> np.ndarray:
    return wire.decode({**packed, "data": base64.b64decode(packed["data"])})  # type: ignore[typeddict-item]


@pytest.fixture
def attentive() -> Iterator[Explorer]:
    explorer = Explorer(architecture("vit"), pictures(1), method="attention_raw")
    explorer.wait()
    yield explorer
    explorer.close()


def test_a_saved_page_has_the_maps_of_all_heads(attentive: Explorer) -> None:
    attention = attentive.result.attention
    kept = saved(attentive)["_result"]["heads"]
    weights = attention.weights.flatten(0, 1)[:, 0, attention.prefix :]
    expected = weights.reshape(-1, *attention.grid).numpy()
    assert kept["maps"]["shape"] == list(expected.shape)
    np.testing.assert_allclose(values(kept["maps"]), expected, atol=expected.max() / 32767)
    assert "maps" not in attentive._result["heads"], "every notebook would carry them"


@pytest.mark.parametrize(("layers", "heads", "side"), [(12, 12, 14), (32, 16, 37), (48, 25, 40)])
def test_the_heads_of_a_large_model_are_kept_coarser(layers: int, heads: int, side: int) -> None:
    tokens = side * side
    weights = torch.zeros(1, 1, tokens, tokens).expand(layers, heads, -1, -1)
    attention = Attention(weights, 0, (side, side))
    result: Any = {"heads": {"layers": layers, "heads": heads, "grid": [side, side]}}
    maps = wire.with_heads(result, attention)["heads"]["maps"]  # type: ignore[index,typeddict-item]
    assert maps["shape"][0] == layers * heads
    assert len(maps["data"]) <= wire.LARGEST_HEADS


@pytest.fixture
def explorer(wire: None) -> Iterator[Explorer]:
    explorer = Explorer(cnn(), picture(), method="gradient")
    explorer.wait()
    explorer.compare(["gradient", "grad_cam"])
    explorer.wait()
    yield explorer
    explorer.close()


def test_changed_weights_make_the_comparison_stale(explorer: Explorer) -> None:
    explorer._check_weights()
    assert explorer._comparison_stale is False
    with torch.no_grad():
        explorer._adapter.model.head.weight.mul_(2)  # type: ignore[union-attr,operator]
    explorer._check_weights()
    assert explorer._comparison_stale is True
    explorer.run()
    explorer.wait()
    explorer._check_weights()
    assert explorer._stale is False
    assert explorer._comparison_stale is True, "a new result does not renew the comparison"
    explorer.compare(["gradient", "grad_cam"])
    explorer.wait()
    assert explorer._comparison_stale is False


def test_another_picture_takes_the_results_of_the_last_one_away(explorer: Explorer) -> None:
    item = explorer._history[0]["id"]
    explorer.image = picture().flip(-1)
    explorer.wait()
    assert explorer._comparison is None
    assert explorer.comparison is None
    assert [entry["id"] for entry in explorer._history] == [explorer._result["id"]]
    answer = FakePage(explorer).ask("history", action="restore", item=item)
    assert "no longer kept" in answer["error"]["title"]


def plain(grey: int, explorer: Explorer) -> Image.Image:
    return Image.new("RGB", explorer.image.size, (grey,) * 3)


def test_another_picture_as_the_baseline_is_computed(explorer: Explorer) -> None:
    explorer.method, explorer.params = "integrated_gradients", {"steps": 4}
    maps = []
    for grey in (40, 220):
        explorer.baseline = Baseline.image(plain(grey, explorer))
        result = explorer.wait()
        assert result.method.baseline == Baseline.image(plain(grey, explorer))
        maps.append(result.values)
    assert not torch.equal(*maps), "the second picture was taken for the first"


def test_a_baseline_that_is_gone_is_not_taken_for_another(explorer: Explorer) -> None:
    explorer.method = "integrated_gradients"
    explorer.baseline = Baseline.image(plain(40, explorer))
    gone = dict(explorer.baseline)
    explorer.baseline = Baseline.image(plain(220, explorer))
    with pytest.raises(TraitError, match="not kept here"):
        explorer.baseline = gone
    explorer.baseline = {"kind": "image"}
    assert explorer.wait().method.baseline == Baseline.image(plain(220, explorer))
