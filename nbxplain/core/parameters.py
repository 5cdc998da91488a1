"""The shape that methods, baselines and regions share: frozen fields that can be written down."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Parameters(BaseModel):
    """Frozen, closed to unknown names, with a repr that is the code of an equal object."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __repr_args__(self) -> Any:
        """Only what differs from the defaults."""
        fields = type(self).model_fields
        return [(k, v) for k, v in super().__repr_args__() if v != fields[str(k)].default]
