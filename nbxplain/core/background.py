"""What absence looks like on average: several inputs instead of one."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor

from nbxplain.core.baseline import Baseline
from nbxplain.core.errors import InputError
from nbxplain.core.inputs import Inputs
from nbxplain.core.parameters import Dtype, Parameters, packed, unpacked


class Background(Parameters):
    """Inputs that stand for nothing there and are averaged over: a batch, or several baselines.

    A batch is a tensor or array (K, C, H, W) of pictures in the model's units, or (K, F) of table
    rows; see `Background.batch`. Baselines are made for each input: `Background.of("black",
    "blur")`. Where a background is wanted, the batch or a list of baselines does as well.
    """

    baselines: tuple[Baseline, ...] = Field((), description="Baselines, one a sample.")
    data: str = Field("", description="The values of the batch in base64.")
    shape: tuple[int, ...] = Field((), description="Shape of the batch.")
    dtype: Dtype = Field("float32", description="What its values are.")

    @model_validator(mode="before")
    @classmethod
    def _from_anything(cls, value: Any) -> Any:
        if isinstance(value, Tensor | np.ndarray):
            return _encoded(value)
        if isinstance(value, list | tuple):
            return {"baselines": tuple(value)}
        return value

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.data) == bool(self.baselines):
            raise ValueError("a background is a batch with at least one row, or some baselines")
        if self.data:
            unpacked(self.data, self.shape, self.dtype)
        return self

    @classmethod
    def of(cls, *baselines: Any) -> Self:
        """Baselines, or whatever makes one: a kind, a picture, a tensor."""
        return cls.model_validate(baselines)

    @classmethod
    def batch(cls, rows: Any) -> Self:
        """Rows (K, ...) in the model's units, a tensor or an array. Raises InputError."""
        return cls.model_validate(_encoded(rows))

    def __len__(self) -> int:
        return self.shape[0] if self.data else len(self.baselines)

    def tensors_for(self, inputs: Inputs, device: torch.device) -> Tensor:
        """The samples as model input: (K, *inputs.tensor.shape). Raises InputError."""
        x = inputs.tensor
        if self.baselines:
            return torch.stack([b.tensor_for(inputs, device) for b in self.baselines])
        rows = torch.from_numpy(unpacked(self.data, self.shape, self.dtype)).to(device, x.dtype)
        if rows.shape[1:] != x.shape[1:]:
            raise InputError(
                f"The background has rows of shape {tuple(rows.shape[1:])}, the input "
                f"{tuple(x.shape[1:])}.",
                "Give a batch (K, ...) of inputs as they are fed to the model.",
            )
        return rows.unsqueeze(1).expand(len(rows), *x.shape)


def _encoded(rows: Any) -> dict[str, Any]:
    array = rows.detach().cpu().numpy() if isinstance(rows, Tensor) else np.asarray(rows)
    if array.ndim not in (2, 4) or array.size == 0 or array.dtype.kind not in "iuf":
        raise InputError(
            f"A background cannot be of shape {array.shape} and type {array.dtype}.",
            "Give numbers (K, C, H, W) for pictures, (K, F) for table rows.",
        )
    missing = np.isnan(array).any() and array.ndim == 4
    # What is missing in a row is for the model to judge.
    if missing or np.isinf(array).any():
        raise InputError(
            "The background has values that are NaN or infinite.", "Replace them first."
        )
    return packed(array)


__all__ = ["Background"]
