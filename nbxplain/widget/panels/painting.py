"""The picture is edited by hand: painted on the page or from Python, undone, and explained."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from PIL import Image

from nbxplain.core.baseline import Baseline
from nbxplain.core.errors import ExplanationError, InputError
from nbxplain.core.inputs import Inputs
from nbxplain.counterfactuals.editing import Edit, Edited
from nbxplain.counterfactuals.editing.edited import after
from nbxplain.explain import Setting
from nbxplain.results import Prediction
from nbxplain.widget import protocol
from nbxplain.widget.answers import sent_picture
from nbxplain.widget.desk import Handler, Reply
from nbxplain.widget.held import plain_baseline
from nbxplain.widget.panels import sketches
from nbxplain.widget.panels.panel import Panel
from nbxplain.widget.panels.seeking import Seen
from nbxplain.widget.traits import IDLE

if TYPE_CHECKING:
    from nbxplain.explorer import Explorer

LONGEST = 100
"""Edits that can be undone."""
EDITED = "This picture was edited."


class Painting(Panel[Seen]):
    """Edits are applied, undone and done again, from here or the page.

    `edit` is the present one, `picture` and `prediction` are what came of it.
    """

    def __init__(self, explorer: Explorer) -> None:
        super().__init__(explorer)
        self._kept: sketches.Kept = {}
        self._forget()

    def _forget(self) -> None:
        self._past, self._at, self._serial = [Edit()], 0, 0
        self._edited: Edited | None = None
        self._origin: list[str] = []
        self._told_of: protocol.Edits = {
            "job": IDLE,
            "task": "",
            "error": None,
            "sketch": None,
            "walk": None,
            "examples": 0,
        }

    # What a user calls

    @property
    def edit(self) -> Edit:
        """The present edit."""
        return self._past[self._at]

    @property
    def picture(self) -> Image.Image | None:
        """The edited picture."""
        return self._now().picture

    @property
    def prediction(self) -> Prediction:
        """What the model says of the edited picture."""
        return self._now().after

    def apply(self, edit: Edit) -> Edited:
        """Edits the picture; takes the place of the edit before. Raises InputError."""
        setting = self._setting()
        # As the page will send it back: no pixel in two masks.
        labels = edit.labels(*size_of(setting.inputs))
        fills = [layer.fill for layer in edit.layers]
        edit = Edit.painted(labels, fills, **edit.adjustments.model_dump())
        edited = after(setting, edit)
        self._push(edit, edited, "python")
        return edited

    def undo(self) -> bool:
        """Back to the edit before; False where there is none."""
        return self._go(self._at - 1)

    def redo(self) -> bool:
        """What was undone is done again; False where there is nothing."""
        return self._go(self._at + 1)

    def explain(self) -> None:
        """The edited picture becomes the explained one."""
        self._explain(self._now())

    def code(self) -> str:
        """Code that makes the edited picture without the widget."""
        return self.origin + ("" if self.edit.empty else self._source(self.edit))

    @property
    def origin(self) -> str:
        """Code that makes the explained picture of the one that was given; empty if it is that."""
        return "".join(self._origin)

    # Requests

    def handlers(self) -> dict[str, Handler]:
        return {"paint": self._paint, "clone_picture": self._clone_picture}

    def _paint(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        setting = self._setting()
        if not buffers:
            raise InputError("No mask came.", "Reload the page.")
        size = size_of(setting.inputs)
        edit = sketches.edit_of(content, buffers[0], size, self._kept)
        edited = after(setting, edit)
        if content["settled"]:
            self._push(edit, edited, "page")
        if content.get("explain"):
            self._explain(edited)
        told, data = sketches.painted(edited, bool(content["settled"]))
        return {"painted": told}, data

    def _clone_picture(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        fill = Baseline.image(sent_picture(content, buffers))
        named = plain_baseline(fill)
        self._kept[named["digest"]] = fill
        return {"fill": named}, []

    # Within

    def _options(self) -> str:
        """Arguments that only the user can write down, named as in the code of explain."""
        given = self._explorer._given
        return "".join(f", {n}={n}" for n in ("preprocess", "labels", "output") if given[n])

    def _source(self, edit: Edit) -> str:
        return f"{IMPORTS}image = edited(model, image, {edit!r}{self._options()}).inputs\n\n"

    def _become(self, inputs: Inputs, notice: str, source: str) -> None:
        """Other inputs are explained from now on; `source` is the code that makes them."""
        origin = [*self._origin, source]
        notices = [*(known for known in inputs.notices if known != notice), notice]
        self._explorer.image = replace(inputs, notices=notices)
        self._origin = origin

    def _setting(self, arguments: str = "") -> Setting:
        """The explained picture with the target that is asked about.

        arguments: what is sought, as code. Raises InputError, for a row with the call that seeks
        the same there.
        """
        explorer = self._explorer
        if explorer._study is None:
            raise InputError("There is no picture.", "Set explorer.image.")
        if explorer.image is None:
            raise InputError(
                "A row of a table is no picture.",
                f"Call explorer.alternatives.find({arguments}): it finds what would change a row.",
            )
        return explorer._study.targeted(explorer._spec(), explorer._function)

    def _now(self) -> Edited:
        if self._edited is None or self._edited.edit is not self.edit:
            self._edited = after(self._setting(), self.edit)
        return self._edited

    def _push(self, edit: Edit, edited: Edited, made: Literal["page", "python"]) -> None:
        with self._explorer._lock:
            self._edited = edited
            if edit == self.edit:
                return
            self._past = [*self._past[: self._at + 1], edit][-LONGEST - 1 :]
            self._at = len(self._past) - 1
            self._show(made)

    def _go(self, to: int) -> bool:
        if not 0 <= to < len(self._past):
            return False
        with self._explorer._lock:
            self._at = to
            self._show("python")
        return True

    def _show(self, made: Literal["page", "python"]) -> None:
        self._serial += 1
        size = size_of(self._setting().inputs)
        self._write(sketch=sketches.sketch(self.edit, size, made, self._serial, self._kept))

    def _write(self, **changes: Any) -> None:
        with self._explorer._lock:
            self._told_of = {**self._told_of, **changes}  # type: ignore[typeddict-item]
            self._explorer._edits = dict(self._told_of)

    def _explain(self, edited: Edited) -> None:
        if edited.edit.empty:
            raise ExplanationError("Nothing was edited.", "Paint or adjust something first.")
        self._become(edited.inputs, EDITED, self._source(edited.edit))


IMPORTS = (
    "from nbxplain import Baseline\n"
    "from nbxplain.counterfactuals.editing import (\n"
    "    Adjustments, Clone, Colour, Edit, Inpaint, Layer, Mask, edited,\n"
    ")\n\n"
)


def size_of(inputs: Inputs) -> tuple[int, int]:
    """Rows and columns of a picture as it is fed."""
    return int(inputs.tensor.shape[2]), int(inputs.tensor.shape[3])
