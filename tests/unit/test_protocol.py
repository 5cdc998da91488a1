"""Both halves speak the same protocol: the types, the traits and the messages."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from types import UnionType
from typing import (
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import pytest
import torch
from torch import Tensor

from nbxplain import Baseline, Contrast, Explorer
from nbxplain.widget import protocol
from tests import typescript
from tests.models import cnn, picture
from tests.unit.page import FakePage, until

pytest_plugins = ["tests.unit.page"]

OF_THE_HOST = {"_esm", "_css", "_anywidget_id", "layout", "tabbable", "tooltip"}
"""Synced traits that ipywidgets and anywidget bring along, beside those named after them."""


def conforms(kind: Any, value: Any, where: str = "") -> None:
    """Raises unless the value has exactly the fields and types that the annotation names."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is NotRequired:
        conforms(arguments[0], value, where)
    elif is_typeddict(kind):
        hints = get_type_hints(kind, include_extras=True)
        assert isinstance(value, dict), f"{where} is {value!r}, not a {kind.__name__}"
        assert set(value) <= set(hints), f"{where} has also {set(value) - set(hints)}"
        needed = {name for name, hint in hints.items() if get_origin(hint) is not NotRequired}
        missing = needed - set(value)
        assert not missing, f"{where} lacks {missing}"
        for name, inner in value.items():
            conforms(hints[name], inner, f"{where}.{name}")
    elif origin in (Union, UnionType):
        assert any(_fits(option, value) for option in arguments), f"{where} is {value!r}"
    elif origin is Literal:
        assert value in arguments, f"{where} is {value!r}, not one of {arguments}"
    elif origin is list:
        assert isinstance(value, list), f"{where} is {value!r}"
        for number, inner in enumerate(value):
            conforms(arguments[0], inner, f"{where}[{number}]")
    elif origin is dict:
        assert isinstance(value, dict), f"{where} is {value!r}"
        json.dumps(value)
    elif kind is float:
        assert isinstance(value, float | int), f"{where} is {value!r}, not a number"
        assert math.isfinite(value), f"{where} is {value!r}, which JSON cannot say"
    elif kind is not Any:
        assert type(value) is (kind or type(None)), f"{where} is {value!r}, not {kind}"


def _fits(kind: Any, value: Any) -> bool:
    try:
        conforms(kind, value)
    except AssertionError:
        return False
    return True


@pytest.fixture
def explorer(wire: None) -> Iterator[Explorer]:
    explorer = Explorer(cnn(), picture(), labels=list("abcde"), method="integrated_gradients")
    explorer.wait()
    yield explorer
    explorer.close()


def test_the_typescript_is_up_to_date() -> None:
    assert typescript.TARGET.read_text() == typescript.source(), "run `python -m tests.typescript`"


def test_the_synced_traits_are_those_of_the_protocol(explorer: Explorer) -> None:
    ours = {
        name
        for name in explorer.keys
        if name not in OF_THE_HOST and not name.startswith(("_model_", "_view_", "_dom_"))
    }
    assert ours == set(protocol.Traits.__annotations__)


def state(explorer: Explorer) -> dict[str, Any]:
    """What a page that opens now is told."""
    told = explorer.get_state()
    return {name: told[name] for name in protocol.Traits.__annotations__}


def score(output: Tensor) -> Tensor:
    return output[:, 0]


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"method": "grad_cam"},
        {"method": "gradient"},
        {"method": "smoothgrad"},
        {"target": Contrast("a", "b")},
        {"target": score},
        {"baseline": Baseline.blur(4)},
        {"baseline": Baseline.image(torch.rand(3, 16, 16))},
        {"opacity": 0, "view": "side"},
    ],
    ids=lambda change: " ".join(change),
)
def test_the_traits_conform(explorer: Explorer, change: dict[str, Any]) -> None:
    for name, value in change.items():
        setattr(explorer, name, value)
    explorer.wait()
    conforms(protocol.Traits, state(explorer))


def test_the_traits_conform_when_something_failed(explorer: Explorer) -> None:
    explorer.method, explorer.layer = "grad_cam", "no.such.layer"
    until(lambda: explorer._error, "nothing failed")
    conforms(protocol.Traits, state(explorer))


def test_the_traits_conform_without_a_picture(wire: None) -> None:
    explorer = Explorer(cnn(), "no-such-picture.png")
    told = state(explorer)
    # The page has stand-ins for these.
    stand_ins = {name: told.pop(name) for name in ("_image", "_catalog", "target")}
    assert not any(stand_ins.values())
    for name, value in told.items():
        conforms(get_type_hints(protocol.Traits)[name], value, name)
    explorer.close()


def test_frames_and_answers_conform(explorer: Explorer, page: FakePage) -> None:
    page.ask("hello")
    spec = explorer._result["spec"]
    page.ask("draft", spec=spec)
    page.ask("path", result=explorer._result["id"])
    page.ask("code")
    page.ask("export", format="png", width="single", dpi=72, caption=True, transparent=False)
    page.ask("history", action="pin", item=explorer._history[0]["id"])
    page.ask("nonsense")
    for kind, form in {"frame": protocol.Frame, "answer": protocol.Answer}.items():
        said = page.messages(kind)
        assert said, f"no {kind} was sent"
        for message in said:
            message.pop("buffers")
            conforms(form, message)


def test_what_is_wrong_here_would_be_found(explorer: Explorer) -> None:
    told = state(explorer)
    job = told["_job"]
    for wrong in (
        {**told, "extra": 1},
        {**told, "opacity": "half"},
        {**told, "_job": {**job, "state": "asleep"}},
        {**told, "_job": {name: job[name] for name in job if name != "eta"}},
    ):
        with pytest.raises(AssertionError):
            conforms(protocol.Traits, wrong)
