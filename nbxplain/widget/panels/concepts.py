"""The Concepts panel: the concepts that were built, and what they were found to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import torch

from nbxplain.concepts import TCAV, Concept, ConceptScore, FeatureCache
from nbxplain.concepts.directions import Estimator
from nbxplain.concepts.discovery import search
from nbxplain.concepts.discovery import steps as looking
from nbxplain.concepts.found import Discovered, Discovery, Way
from nbxplain.concepts.steering import DOSES, RANDOM, Steering
from nbxplain.concepts.steering import steps as steering
from nbxplain.concepts.tcav import Test
from nbxplain.core.errors import InputError, MethodError
from nbxplain.core.jobs import Job, Progress
from nbxplain.core.passes import Passes
from nbxplain.methods.base import make
from nbxplain.widget import protocol, wire
from nbxplain.widget.cells import weakly
from nbxplain.widget.desk import Handler, failure
from nbxplain.widget.panels.concept_requests import ConceptRequests
from nbxplain.widget.panels.gathering import Gathering
from nbxplain.widget.panels.scores import Round, asking, discovered, steered
from nbxplain.widget.panels.tray import FEWEST, Tray
from nbxplain.widget.traits import IDLE, params_of

if TYPE_CHECKING:
    from nbxplain.explorer import Explorer

PERMUTATIONS, RUNS, ALPHA = 199, 10, 0.05
INTERVAL = 0.25
"""Seconds between two accounts of a running test."""


@dataclass
class _Account:
    """What the tests were asked, as far as the page must know to read them."""

    target: str = ""
    layers: Sequence[str] = ()
    left_out: Sequence[str] = ()
    stale: str = ""


class Concepts(Gathering):
    """The concepts of an Explorer: gathered, tested, shown on the picture.

    Every method that takes pictures takes a folder, a list of PIL pictures, paths or arrays, a
    Concept, or a tensor (N, C, H, W), which is fed as it is; it raises InputError for what is no
    picture, and then nothing of it is taken. The page does the same by messages.
    """

    def __init__(self, explorer: Explorer) -> None:
        super().__init__(explorer)
        self._cache = FeatureCache()
        self._round: Round | None = None
        self._account = _Account()
        self._steered: dict[tuple[str, str], Steering] = {}
        self.discovery: Discovery | None = None
        self._kept: dict[str, str] = {}
        self._job: protocol.Job = IDLE
        self._last = 0.0
        explorer.observe(weakly(self._retargeted), "target")

    @property
    def result(self) -> TCAV | None:
        """The tests by the first of the estimators; None before the first, partial after Stop."""
        return next(iter(self.results.values()), None)

    @property
    def results(self) -> dict[Estimator, TCAV]:
        """The tests by estimator."""
        found = [] if self._round is None else self._round.results
        return {result.scores[0].estimator: result for result in found if result.scores}

    @property
    def steered(self) -> dict[tuple[str, str], Steering]:
        """What `steer` found, by concept and layer."""
        return dict(self._steered)

    def concept(self, name: str) -> Concept:
        """A concept as an object that can be tested elsewhere, saved and loaded, with the
        directions that were found."""
        concept = self._gathered().concept(name)
        scores = [] if self.result is None else self.result.scores
        return concept.knowing(s.cav for s in scores if s.concept == name and s.distance > 0)

    def run(
        self,
        layers: Sequence[str] | str = (),
        estimator: Estimator | Sequence[Estimator] = "mean",
        permutations: int = PERMUTATIONS,
        relative: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Tests the concepts for the present target; `wait` for the `result`.

        layers: by default the suggested one. estimator: one or several, to be seen side by side.
        relative: pairs of concepts, the first against the second. Concepts with too few examples
        are left out, which a notice says. Raises ExplanationError for what cannot be tested.
        """
        tray = self._gathered()
        wanting = self._wanting(tray)
        if wanting:
            raise InputError(wanting[0], " ".join(wanting[1:]))
        places = [layers] if isinstance(layers, str) else list(layers) or self._suggested()
        estimators = [estimator] if isinstance(estimator, str) else list(estimator)
        if not estimators:
            raise MethodError("There is no estimator.", "Choose at least one.")
        pictures = self._of_class(tray)
        explorer = self._explorer
        test = Test(
            adapter=explorer._adapter,
            concepts=[Concept(name, tray.fed(tray.concepts[name])) for name in tray.ready],
            class_images=torch.cat([fed for fed, _ in pictures]),
            target=self._study.wanted(explorer.target, explorer._function),  # type: ignore[arg-type]
            layers=places,
            random=tray.fed(tray.random),  # type: ignore[arg-type]
            estimator=estimators[0],
            permutations=permutations,
            runs=RUNS,
            alpha=ALPHA,
            space="channels",
            relative=tuple((one, other) for one, other in relative),
            cache=self._cache,
            seed=0,
        )
        tests = [replace(test, estimator=each) for each in estimators]
        squares = [square for _, square in pictures]
        self._round = None
        self._account = _Account(self._target_name(), places, _left_out(tray))
        self._steered = {}
        self._start(lambda cancelled: asking(tests, squares, partial(self._passes, cancelled)))

    def heatmap(
        self,
        name: str,
        layer: str | None = None,
        show: Literal["effect", "presence"] = "effect",
        discovered: bool = False,
    ) -> None:
        """Shows a tested concept, or a discovered one, on the picture: `wait` of the Explorer gives
        the Attribution.

        effect: where more of it would change the score. presence: where the layer sees it.
        """
        explorer = self._explorer
        cav = self._found(name).concept.at(layer) if discovered else self._score(name, layer).cav
        method = make("concept_map", concept=cav, show=show)
        with explorer._lock, explorer._mute(), explorer.hold_trait_notifications():
            explorer.method = method.name
            explorer.params = params_of(method)
            explorer.layer = cav.layer
        explorer._request("final")

    def steer(self, name: str, layer: str | None = None, doses: Sequence[float] = DOSES) -> None:
        """Moves the explained picture along a tested concept inside the network; `wait` for it to
        stand in `steered`. Doses are in distances between random pictures and the concept."""
        self._check_free()
        explorer, cav = self._explorer, self._score(name, layer).cav
        setting = self._study.targeted(explorer._spec(), explorer._function)
        self._start(
            lambda cancelled: steering(setting, cav, doses, self._passes(cancelled), RANDOM)
        )

    def discover(self, layer: str | None = None, count: int = 6, method: Way = "craft") -> None:
        """Looks for concepts in the pictures of the class; `wait` for them to stand in
        `discovery`. layer: by default the suggested one. method: "craft" or "ace"."""
        self._check_free()
        tray = self._gathered()
        pictures, explorer = self._of_class(tray), self._explorer
        if len(pictures) < FEWEST["class"]:
            raise InputError(
                f"There are {len(pictures)} pictures of {self._target_name()} to find concepts in.",
                f"Give at least {FEWEST['class']}, better 20 or more.",
            )
        images = torch.cat([fed for fed, _ in pictures])
        target: Any = self._study.wanted(explorer.target, explorer._function)
        pool = {"random_sets": tray.fed(tray.random)[:]} if method == "ace" else {}
        how = search(method, count=count, **pool)
        place = layer or self._suggested()[0]
        self._kept = {}
        self._start(
            lambda cancelled: looking(
                explorer._adapter, images, target, place, how, self._passes(cancelled)
            )
        )

    def keep(self, discovered: str, name: str) -> None:
        """Makes a discovered concept one of the concepts, under a name, to be tested like them."""
        concept = self._found(discovered).concept
        self.add(name, concept)
        self._kept[discovered] = name
        self._publish()

    def _found(self, name: str) -> Discovered:
        known = [] if self.discovery is None else self.discovery.concepts
        for one in known:
            if one.concept.name == name:
                return one
        raise InputError(
            f"No concept {name!r} was discovered.",
            f"There are: {', '.join(one.concept.name for one in known) or 'none'}.",
        )

    def _check_free(self) -> None:
        """A test is not lost to what was asked meanwhile."""
        if self._worker is not None and not self._worker.idle:
            raise MethodError("The concepts are being tested.", "Wait for the end, or stop it.")

    def _suggested(self) -> list[str]:
        study = self._study
        if study.layers is None:
            study.find_layers()
        if study.suggested is None:
            raise MethodError("No layer is suggested.", "Choose layers=.")
        return [study.suggested]

    def _score(self, name: str, layer: str | None) -> ConceptScore:
        if self.result is None:
            raise InputError("No concept was tested yet.", "Call run() first.")
        return self.result.of(name, layer)

    def _passes(self, cancelled: Callable[[], bool]) -> Passes:
        return self._explorer._passes(cancelled)

    # What the page knows

    def handlers(self) -> dict[str, Handler]:
        return ConceptRequests(self).handlers()

    def tell(self, job: Job[Progress]) -> None:
        if isinstance(job.latest, Round):
            self._round = job.latest
        elif isinstance(job.latest, Steering):
            cav = job.latest.cav
            self._steered[cav.name, cav.layer] = job.latest
        elif isinstance(job.latest, Discovery):
            self.discovery = job.latest
        self._job = wire.job(job)
        now, told = time.monotonic(), self._explorer._concepts
        # A new score is worth a message of its own: the next step may take long.
        more = self._round is not None and told and self._round.count != len(told["tested"])
        if job.state != "running" or more or now - self._last > INTERVAL:
            self._last = now
            self._publish()

    def renew(self) -> None:
        # The pictures were gathered for the model, not for the picture that is explained.
        self._steered = {}
        study = self._explorer._study
        if self._tray is not None and study is not None and study.row is None:
            self._tray.explain(study.setting.inputs)
        self._outdate("Another picture is explained now.")

    def _changed(self) -> None:
        self._outdate("The pictures have changed since this was tested.")

    def _retargeted(self, change: Any) -> None:
        """Which pictures are of the class has changed; the page sees itself what was tested."""
        self._publish()

    def _outdate(self, why: str) -> None:
        if self._round is not None:
            self._account.stale = why
        self._publish()

    def _start(self, work: Callable[[Callable[[], bool]], Iterator[Progress]]) -> None:
        with self._explorer._lock:
            self._failed, self._job = None, {**IDLE, "state": "queued"}
            self._publish()
        self.start(work)

    def _publish(self) -> None:
        found, account, discovery = self._round, self._account, self.discovery
        try:
            tray = self._gathered()
        except InputError:
            return  # a row of a table, or nothing at all
        results = [] if found is None else found.results
        tested, faces = ([], None) if found is None else found.told()
        notices = [*account.left_out, *(note for result in results for note in result.notices)]
        with self._explorer._lock:
            told: protocol.Concepts = {
                "job": self._job,
                "failure": None if self._failed is None else failure(self._failed),
                "concepts": [tray.shown("concept", name) for name in tray.concepts],
                "random": tray.shown("random"),
                "pictures": tray.shown("class"),
                "of_class": self._target_name(),
                "explained": self._counts(),
                "wanting": self._wanting(tray),
                "target": account.target,
                "layers": list(account.layers),
                "tested": tested,
                "faces": faces,
                "notices": list(dict.fromkeys(notices)),
                "stale": account.stale,
                "steered": [steered(each) for each in self._steered.values()],
                "discovery": None
                if discovery is None
                else discovered(discovery, tray.square, self._kept),
            }
            self._explorer._concepts = dict(told)


def _left_out(tray: Tray) -> list[str]:
    return [
        f"{name} is left out: it has {len(pile)} of at least {FEWEST['concept']} examples."
        for name, pile in tray.concepts.items()
        if name not in tray.ready
    ]


__all__ = ["Concepts"]
