"""The Edit panel: what would change the model's mind, sought beside the explanation."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from inspect import signature
from typing import TYPE_CHECKING, Any, cast

from nbxplain.adversarial.ball import Norm
from nbxplain.core.errors import InputError
from nbxplain.core.inputs import Inputs
from nbxplain.core.jobs import Job
from nbxplain.counterfactuals.pictures import PictureCounterfactuals
from nbxplain.counterfactuals.wish import Desired
from nbxplain.methods.base import INSIDE, Method, make
from nbxplain.widget import protocol, wire
from nbxplain.widget.desk import Handler, Reply, failure
from nbxplain.widget.panels import found, sketches
from nbxplain.widget.panels.alternatives import Alternatives
from nbxplain.widget.panels.painting import Painting, size_of
from nbxplain.widget.panels.seeking import Attack, Hunted, Probed, Seeks, Seen, hunted, probed
from nbxplain.widget.panels.taken import taken
from nbxplain.widget.study import method_of
from nbxplain.widget.traits import IDLE

if TYPE_CHECKING:
    from nbxplain.explorer import Explorer

EVERY = 0.2
"""Seconds between two looks at a search."""
CHANGED = "This picture was changed by a search."
PLAIN = "gradient"
"""The method whose map is compared before and after a probe where the present one takes long."""


class Edits(Painting):
    """The panel's Python side: `find` a counterfactual or `probe` the prediction, `wait`, and look
    at the `result`; what was painted is in Painting."""

    def __init__(self, explorer: Explorer) -> None:
        self.result: PictureCounterfactuals | Probed | None = None
        self._enough = False
        self._looked = 0.0
        self._strip: found.Strip = {}
        self._like: Inputs | None = None
        super().__init__(explorer)

    # What a user calls

    def find(
        self,
        desired: Desired,
        *,
        mask: Any = None,
        examples: Any = None,
        **parameters: Any,
    ) -> None:
        """Searches pictures that the model decides as `desired`: see picture_counterfactuals.

        Stopped, the best so far is kept. examples, once given, are kept for the page, which then
        has a weight for likeness. What cannot be found, `wait` raises and the page shows. Raises
        InputError for a row of a table, with the call of `explorer.alternatives` that finds it.
        """
        setting = self._setting(_alike(desired, parameters))
        if examples is not None:
            self._like = self._explorer._adapter.read(examples)
        if parameters.get("likeness"):
            parameters["examples"] = self._like

        def steps(cancelled: Callable[[], bool]) -> Iterator[Seen]:
            passes = self._explorer._passes(cancelled)
            yield from hunted(
                setting, desired, passes, lambda: self._enough, mask=mask, **parameters
            )

        self._begin("find", steps)

    def probe(
        self,
        attack: Attack = "pgd",
        epsilon: float = 8 / 255,
        *,
        norm: Norm = "linf",
        toward: int | str | None = None,
        seeks: Seeks = "change",
    ) -> None:
        """Attacks the prediction, within `epsilon` in pixels from 0 to 1: see nbxplain.adversarial.

        seeks: "change" of the class, the "smallest" epsilon that changes it, or the robustness
        "curve". A probe of fragility, not an explanation.
        """
        self._setting()
        explorer, study = self._explorer, self._explorer._study
        assert study is not None
        goal = None if toward is None else explorer._index(toward)
        told = self._told_passes

        def steps(cancelled: Callable[[], bool]) -> Iterator[Seen]:
            passes = explorer._passes(lambda: told(passes.evaluations) or cancelled())
            yield from probed(
                study.setting, passes, attack, norm, epsilon, goal, seeks, self._explaining()
            )

        self._begin("probe", steps)

    def stop(self) -> None:
        """Ends a search at its next step, with the best so far; ends a probe without one."""
        if self._told_of["task"] != "find":
            super().stop()
        elif not self._enough:
            self._enough = True
            self._write(job={**self._told_of["job"], "state": "cancelling"})

    # Requests

    def handlers(self) -> dict[str, Handler]:
        mine: dict[str, Handler] = {"find": self._find, "probe": self._probe, "found": self._act}
        return super().handlers() | mine

    def _find(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        mask = None
        if content["inside"]:
            size = size_of(self._setting().inputs)
            mask = sketches.labels_of(content, buffers[0], size) > 0
        weights = {str(name): float(value) for name, value in content["weights"].items()}
        self.find(
            int(content["desired"]),
            mask=mask,
            k=int(content["count"]),
            probability=content["probability"],
            **weights,
        )
        return {}, []

    def _probe(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        request = cast(protocol.ProbeRequest, content)
        self.probe(
            request["attack"],
            float(request["epsilon"]),
            norm=request["norm"],
            toward=request["toward"],
            seeks=request["seeks"],
        )
        return {}, []

    def _act(self, content: dict[str, Any], buffers: list[bytes]) -> Reply:
        item, action = str(content["item"]), content["action"]
        if not item and action == "code":
            return {"code": self.code()}, []
        if item not in self._explorer._past.found:
            raise InputError("This picture is no longer kept.", "Search it again.")
        result, number = self._explorer._past.found[item]
        if action == "explain":
            self._explain_found(result, number)
            return {}, []
        if action == "code":
            return {"code": result.code if isinstance(result, Probed) else result.code()}, []
        drawn = result.robustness or result.changed if isinstance(result, Probed) else result
        return taken(
            drawn, str(action), "probe" if isinstance(result, Probed) else "counterfactual"
        )

    # Telling

    def tell(self, job: Job[Seen]) -> None:
        if job.id != self._jobs:
            return
        changes: dict[str, Any] = {"job": wire.job(job)}
        if self._enough and job.state == "running":
            changes["job"]["state"] = "cancelling"
        ended = job.state in ("done", "cancelled", "error")
        now = time.monotonic()
        if isinstance(job.latest, Hunted) and not ended and now - self._looked > EVERY:
            self._looked = now
            changes["walk"] = found.walk(job.latest, self._setting(), self._strip)
        if ended:
            changes |= {"walk": None, "error": None if job.error is None else failure(job.error)}
            if job.state == "done" and job.latest is not None:
                self._keep(job.latest)
        self._write(**changes)

    def renew(self) -> None:
        self._jobs += 1
        super().stop()
        self.result = None
        self._forget()
        self._explorer._edits = None

    # Within

    def _begin(self, task: str, steps: Callable[[Callable[[], bool]], Iterator[Seen]]) -> None:
        with self._explorer._lock:
            self._enough, self._looked, self._strip = False, 0.0, {}
            count = 0 if self._like is None else len(self._like.tensor)
            job = {**IDLE, "state": "queued"}
            self._write(job=job, task=task, error=None, walk=None, examples=count)
        self.start(steps)

    def _told_passes(self, count: int) -> bool:
        """Tells how many passes a probe has made; called before each, and never stops it."""
        now = time.monotonic()
        if now - self._looked > EVERY:
            self._looked = now
            note = f"{count} passes"
            self._write(job={**self._told_of["job"], "note": note})
        return False

    def _keep(self, seen: Seen) -> None:
        """What was found stands in the history."""
        explorer, setting = self._explorer, self._setting()
        if isinstance(seen, Probed):
            self.result = seen
            told = [found.probe(seen, setting.target.classes, explorer.clip, explorer.colormap)]
        else:
            self.result = seen.result
            told = found.counterfactuals(seen, setting, self._strip)
        for number, one in enumerate(told):
            explorer._past.keep(found.kept(one), (self.result, number))
        explorer._publish_history()

    def _explaining(self) -> tuple[Method, str | None]:
        """The method whose maps are compared: the present one where it is quick."""
        spec = self._explorer._spec()
        method = method_of(spec, self._explorer._held())
        if method.group in INSIDE and method.group != "path":
            return method, spec["layer"]
        return make(PLAIN), None

    def _explain_found(self, result: PictureCounterfactuals | Probed, number: int) -> None:
        """A found picture becomes the explained one."""
        inputs = self._setting().inputs
        if isinstance(result, Probed):
            tensor, source = result.changed.tensor[0, -1:], result.source
        else:
            tensor, source = result.tensor[number : number + 1], _source(result, number)
        changed = replace(inputs, tensor=tensor.to(inputs.tensor))
        self._become(changed, CHANGED, source)


def _alike(desired: Desired, parameters: dict[str, Any]) -> str:
    """As code, those arguments of `find` that a search for another row takes too."""
    taken_too = signature(Alternatives.find).parameters
    named = [f"{name}={value!r}" for name, value in parameters.items() if name in taken_too]
    return ", ".join([repr(desired), *named])


def _source(result: PictureCounterfactuals, number: int) -> str:
    """Code that makes a found picture the explained one."""
    imports, call = result.code().rsplit("\n\n", 1)
    return (
        f"from dataclasses import replace\n{imports}\n\nfound = {call.strip()}\n"
        f"image = replace(found.inputs, tensor=found.tensor[{number} : {number + 1}])\n\n"
    )


__all__ = ["Edits"]
