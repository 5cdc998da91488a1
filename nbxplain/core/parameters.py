"""The shape that methods, baselines and regions share: frozen fields that can be written down."""

from __future__ import annotations

import base64
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from nbxplain.core.errors import ExplanationError, InputError

Dtype = Literal["float32", "float64"]


class Parameters(BaseModel):
    """Frozen, closed to unknown names, with a repr that is the code of an equal object."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __repr_args__(self) -> Any:
        """Only what differs from the defaults."""
        fields = type(self).model_fields
        return [(k, v) for k, v in super().__repr_args__() if v != fields[str(k)].default]

    @classmethod
    def _checked(cls, **values: Any) -> Self:
        """An object with these fields. Raises InputError for one that is out of range."""
        try:
            return cls(**values)
        except ValidationError as error:
            raise refused(error, cls.__name__, InputError) from error


def refused(error: ValidationError, name: str, kind: type[ExplanationError]) -> ExplanationError:
    """What a validator raised in plain words, or else the first fault that pydantic found."""
    first = error.errors()[0]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, ExplanationError):
        return cause
    where = ".".join(str(part) for part in first["loc"] if "[" not in str(part))
    value = repr(first["input"])
    shown = value if len(value) < 80 else type(first["input"]).__name__
    reason = f"{first['msg'].removeprefix('Value error, ')}."
    return kind(f"{name}: {where} = {shown} is not allowed." if where else f"{name}:", reason)


def packed(values: NDArray[Any]) -> dict[str, Any]:
    """Numbers as the fields `data` (base64), `shape` and `dtype`, float64 if not float32."""
    dtype: Dtype = "float32" if values.dtype == np.float32 else "float64"
    data = base64.b64encode(values.astype(_STORED[dtype]).tobytes()).decode()
    return {"data": data, "shape": tuple(values.shape), "dtype": dtype}


def unpacked(data: str, shape: tuple[int, ...], dtype: Dtype) -> NDArray[Any]:
    """The numbers of such fields. Raises ValueError where they do not fit each other."""
    values = np.frombuffer(base64.b64decode(data, validate=True), _STORED[dtype])
    return values.astype(dtype).reshape(shape)


_STORED = {"float32": "<f4", "float64": "<f8"}
"""How bytes are ordered, whatever the machine."""
