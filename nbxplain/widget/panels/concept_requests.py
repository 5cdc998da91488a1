"""What the page may ask of the Concepts panel. Runs at the desk, never on the comm's thread."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from nbxplain.core.errors import ExplanationError, InputError
from nbxplain.widget.desk import Handler, Reply
from nbxplain.widget.panels.tray import FEWEST
from nbxplain.widget.protocol import Gathered

if TYPE_CHECKING:
    from nbxplain.widget.panels.concepts import Concepts

LARGEST_FILE = 10_000_000
MOST_FILES = 200
"""Bytes of one file, and files in one message."""
MOST_DISCOVERED = 12


class ConceptRequests:
    """One handler per kind of request."""

    def __init__(self, concepts: Concepts) -> None:
        self._concepts = concepts

    def handlers(self) -> dict[str, Handler]:
        """The handlers by kind."""
        return {
            "concept_pictures": self._pictures,
            "concept_crop": self._crop,
            "concept_card": self._card,
            "concept_controls": self._controls,
            "concept_test": self._test,
            "concept_map": self._map,
            "concept_steer": self._steer,
            "concept_discover": self._discover,
            "concept_keep": self._keep,
        }

    def _pictures(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        """One file after the other: those that are no pictures are named, the others taken."""
        into, concept = _pile(content["into"]), str(content["concept"])
        names = [str(name) for name in content["names"]][:MOST_FILES]
        tray = self._concepts._gathered()
        refused: list[ExplanationError] = []
        for name, data in zip(names, buffers, strict=False):
            try:
                if not 0 < len(data) <= LARGEST_FILE:
                    raise InputError(f"{name!r} is larger than 10 MB or empty.")
                tray.put(into, concept, tray.read(name, data))
            except ExplanationError as error:
                refused.append(error)
        self._concepts._changed()
        if refused:
            raise _together(refused, len(names))
        return {}, []

    def _crop(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        self._concepts.crop(str(content["concept"]), content["box"])
        return {}, []

    def _card(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        action, concept = content["action"], str(content["concept"])
        if action == "add":
            self._concepts.add(concept)
        elif action == "rename":
            self._concepts.rename(concept, str(content.get("name", "")))
        elif action == "remove":
            self._concepts.remove(concept)
        elif action == "take_out":
            into = _pile(content["into"])
            self._concepts._gathered().take_out(into, concept, int(content.get("index", -1)))
            self._concepts._changed()
        else:
            raise InputError(f"A concept cannot {action!r}.", "Reload the page.")
        return {}, []

    def _controls(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        self._concepts.generate_controls(int(content["count"]), content["controls"])
        return {}, []

    def _test(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        relative = [(str(one), str(other)) for one, other in content["relative"]]
        layers = [str(layer) for layer in content["layers"]]
        self._concepts.run(
            layers, list(content["estimators"]), int(content["permutations"]), relative
        )
        return {}, []

    def _map(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        name, layer = str(content["concept"]), str(content["layer"])
        self._concepts.heatmap(name, layer, content["show"], bool(content["discovered"]))
        return {}, []

    def _steer(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        self._concepts.steer(str(content["concept"]), str(content["layer"]))
        return {}, []

    def _discover(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        count = min(max(int(content["count"]), 2), MOST_DISCOVERED)
        self._concepts.discover(str(content["layer"]), count, content["way"])
        return {}, []

    def _keep(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        self._concepts.keep(str(content["discovered"]), str(content["name"]))
        return {}, []


def _pile(into: Any) -> Gathered:
    if into not in FEWEST:
        raise InputError(f"There is no pile {into!r}.", "Reload the page.")
    known: Gathered = into
    return known


def _together(refused: Iterable[ExplanationError], count: int) -> InputError:
    """One error for all files that were refused."""
    errors = list(refused)
    taken = count - len(errors)
    rest = f" The other {taken} were taken." if taken > 1 else " The other was taken." * taken
    hints = dict.fromkeys(error.hint for error in errors if error.hint)
    return InputError(" ".join(error.title for error in errors[:5]), " ".join([*hints]) + rest)
