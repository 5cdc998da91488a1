"""From the tenth picture of a concept to its first score in the Explorer.

    python -m tests.benchmarks.builder

EfficientNet-Lite0, 40 random pictures, 21 pictures of the class, one layer, 199 permutations.
Nothing is asserted.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from PIL import Image

from nbxplain import Explorer, demo
from nbxplain.concepts.directions import Estimator
from tests.benchmarks.timing import machine


def parts(picture: Image.Image, count: int, share: float, seed: int) -> list[Image.Image]:
    """Squares cut out of a picture at random places, with sides of about `share` of its own."""
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        side = int(min(picture.size) * share * generator.uniform(0.8, 1.1))
        left = int(generator.integers(0, picture.width - side))
        top = int(generator.integers(0, picture.height - side))
        found.append(picture.crop((left, top, left + side, top + side)))
    return found


def waited(
    explorer: Explorer, picture: Image.Image, estimators: Sequence[Estimator]
) -> tuple[float, float]:
    """Seconds from one more example to the first score on the page, and to the last."""
    started = time.perf_counter()
    explorer.concepts.add_examples("fur", picture)
    explorer.concepts.run(estimator=estimators)
    while not explorer._concepts["tested"]:  # type: ignore[index]
        time.sleep(0.005)
    first = time.perf_counter() - started
    explorer.concepts.wait()
    return first, time.perf_counter() - started


def main() -> None:
    """Prints seconds, one line a situation."""
    pictures = demo.pictures()
    explorer = Explorer(demo.network(), pictures["cat"], labels=demo.labels())
    explorer.wait()
    concepts = explorer.concepts
    concepts.random_set(
        [p for name in ("espresso", "palace") for p in parts(pictures[name], 20, 0.5, 1)]
    )
    concepts.class_pictures(parts(pictures["cat"], 20, 0.85, 2))
    *first, tenth, another, last = parts(pictures["cat"], 12, 0.25, 3)
    concepts.add("fur", first)
    print(machine())
    print("| | first score, s | all, s |\n|---|---|---|")
    everyone: list[Estimator] = ["mean", "ridge", "logistic", "pattern"]
    for name, picture, estimators in (
        ("tenth picture, nothing known yet", tenth, everyone[:1]),
        ("one more picture", another, everyone[:1]),
        ("one more, four estimators", last, everyone),
    ):
        seconds = waited(explorer, picture, estimators)
        print(f"| {name} | {seconds[0]:.1f} | {seconds[1]:.1f} |")
    explorer.close()


if __name__ == "__main__":
    main()
