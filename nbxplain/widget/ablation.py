"""What f(x) does when players are taken away, or when the features of a row are edited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import torch
from torch import Tensor

from nbxplain.contributions import parts
from nbxplain.core.baseline import Baseline
from nbxplain.core.errors import InputError
from nbxplain.core.target import Probability, Target
from nbxplain.evaluation.removal import Removal, absence, remove
from nbxplain.explain import Setting
from nbxplain.results import Attribution, Prediction
from nbxplain.widget import protocol, rows, wire


def ablated(
    setting: Setting, attribution: Attribution, players: Sequence[int], fill: str
) -> tuple[protocol.Ablation, list[bytes]]:
    """The input of a result without some of its players, and the bytes of its picture.

    Raises InputError for a result without players, and for players or fills that do not exist.
    """
    inputs, device = attribution.inputs, setting.adapter.device
    if fill not in get_args(protocol.Fill):
        known = ", ".join(get_args(protocol.Fill))
        raise InputError(f"Nothing can be filled with {fill!r}.", f"Choose one of {known}.")
    if fill == "baseline":
        absent = absence(attribution.method, inputs, device)
    else:
        absent = Baseline.model_validate(fill).tensor_for(inputs, device)
    labels = torch.from_numpy(parts(attribution).labels)
    unit = getattr(attribution.method, "unit", "score")
    target = _target(setting, unit)
    removal = remove(setting.adapter, inputs.tensor, target, labels, players, absent)
    if inputs.view is None:
        return _ablation(setting, removal), []
    picture = wire.picture(inputs.view.picture(removal.input[0]), quality=92)
    ablation = _ablation(setting, removal)
    return {**ablation, "picture": {**picture, "data": b""}}, [picture["data"]]


def edited(
    setting: Setting, values: Mapping[str, Any], unit: str
) -> tuple[protocol.Ablation, dict[str, Any]]:
    """A row of a table with some features changed, and the edited row as raw values.

    Raises InputError where there is no table, and for values that do not fit.
    """
    inputs = setting.inputs
    if inputs.table is None:
        raise InputError("There is no table row to edit.", "Edit works on rows of tables.")
    row = rows.edited(inputs, values)
    x, changed = inputs.tensor.cpu(), inputs.table.encode(row).to(inputs.tensor).cpu()
    same = (x == changed) | (x.isnan() & changed.isnan())
    features = torch.arange(x.shape[1])
    players = features[~same[0]].tolist()
    removal = remove(setting.adapter, x, _target(setting, unit), features, players, changed)
    return _ablation(setting, removal), row


def _target(setting: Setting, unit: str) -> Target:
    if unit == "probability":
        return Probability.of(setting.target, setting.adapter.probabilities)
    return setting.target


def _ablation(setting: Setting, removal: Removal) -> protocol.Ablation:
    before, after = (_shares(setting, output) for output in (removal.intact, removal.removed))
    best = setting.prediction.top(also=setting.target.classes)
    return {
        "players": removal.players,
        "before": removal.before,
        "after": removal.after,
        "choices": [
            {
                "index": choice.index,
                "label": choice.label,
                "before": before[choice.index],
                "after": after[choice.index],
            }
            for choice in best
        ],
        "singles": removal.singles,
        "interaction": removal.interaction,
        "picture": None,
    }


def _shares(setting: Setting, output: Tensor) -> list[float]:
    """The probabilities (scores where there are none) of each class, averaged over samples."""
    said = Prediction(output, setting.prediction.labels, setting.prediction.meaning)
    shares = said.probabilities
    found: list[float] = (output if shares is None else shares).double().mean(0).tolist()
    return found


__all__ = ["ablated", "edited"]
