"""Testing with concepts against captum.concept, on EfficientNet-Lite0.

    python -m tests.benchmarks.concepts

3 concepts, 10 random sets, 2 layers, 50 pictures each, read from JPEG files. Each case runs in a
process of its own, which has loaded the network and run one pass; peaks are above such a process
that does no more. captum.concept runs with its own defaults: 60 classifiers, each against one
random set, and no test of significance. Ours is 10 runs a concept and 199 sets of chance with 10
runs each: 12,000 directions.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import captum.concept as peer
import torch
from PIL import Image, ImageDraw
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from nbxplain import Preprocessing, demo
from nbxplain.concepts import FeatureCache, tcav
from nbxplain.concepts.directions import Estimator, in_blocks
from nbxplain.concepts.sets import draw
from nbxplain.concepts.tcav import Test, given
from nbxplain.core.adapter import ModelAdapter
from nbxplain.core.passes import Passes
from tests.benchmarks.networks import efficientnet, picture
from tests.benchmarks.timing import machine, seconds

LAYERS = ["_blocks.10", "_blocks.15"]
TARGET = 285
CONCEPTS = ("striped", "dotted", "ruled")
SETS, SIZE = 10, 50
SIDE = 256


def draw_pictures(folder: Path, size: int) -> None:
    """`size` pictures of the class, of each concept and in each random set."""
    chance = random.Random(0)
    seen = list(demo.pictures().values())
    kinds = [*CONCEPTS, *(f"random {number}" for number in range(SETS))]
    for kind in kinds:
        for number in range(size):
            drawn = crop(chance.choice(seen), 0.3, chance)
            mark(drawn, kind, chance)
            store(drawn, folder / kind / f"{number:04d}.jpg")
    for number in range(size):
        store(crop(seen[0], 0.85, chance), folder / "class" / f"{number:04d}.jpg")


def crop(whole: Image.Image, least: float, chance: random.Random) -> Image.Image:
    """A square crop, at least that share of the shorter side."""
    side = int(min(whole.size) * chance.uniform(least, 1))
    left, top = (chance.randint(0, length - side) for length in whole.size)
    return whole.convert("RGB").crop((left, top, left + side, top + side)).resize((SIDE, SIDE))


def mark(drawn: Image.Image, kind: str, chance: random.Random) -> None:
    """Makes a picture striped, dotted or ruled; others stay as they are."""
    pen, step = ImageDraw.Draw(drawn), chance.randint(12, 24)
    for place in range(chance.randint(0, step), SIDE, step):
        if kind == "striped":
            pen.line([(place, 0), (place, SIDE)], "white", step // 3)
        elif kind == "ruled":
            pen.line([(0, place), (SIDE, place)], "black", 1)
        elif kind == "dotted":
            for other in range(0, SIDE, step):
                pen.circle((place, other), step / 4, "black")


def store(drawn: Image.Image, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    drawn.save(path, quality=90)


def files(folder: Path) -> list[str]:
    return sorted(map(str, folder.iterdir()))


def ours(model: nn.Module, folder: Path, **options: Any) -> None:
    tcav(
        model, {name: files(folder / name) for name in CONCEPTS}, files(folder / "class"), TARGET,
        LAYERS, random_sets=[files(folder / f"random {n}") for n in range(SETS)], **options,
    )  # fmt: skip


class Opened(Dataset[Tensor]):
    """Files as model input, opened when asked for."""

    def __init__(self, folder: Path) -> None:
        self.files = files(folder)
        self.preprocess = Preprocessing()

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, number: int) -> Tensor:
        return self.preprocess(Image.open(self.files[number]))


def theirs(model: nn.Module, folder: Path) -> None:
    names = [*CONCEPTS, *(f"random {n}" for n in range(SETS))]
    concepts = {
        name: peer.Concept(n, name, DataLoader(Opened(folder / name), batch_size=64))
        for n, name in enumerate(names)
    }
    against = [[concepts[c], concepts[f"random {n}"]] for c in CONCEPTS for n in range(SETS)]
    shown = torch.cat(list(DataLoader(Opened(folder / "class"), batch_size=64)))
    with tempfile.TemporaryDirectory() as kept:
        test = peer.TCAV(model, LAYERS, save_path=kept)
        test.interpret(shown, against, target=TARGET)


CASES: dict[str, tuple[int, Callable[[nn.Module, Path], None]]] = {
    "idle": (SIZE, lambda model, folder: None),
    "ours": (SIZE, ours),
    "ours, 4 times the pictures": (4 * SIZE, ours),
    "ours, whole activations as captum": (SIZE, lambda m, f: ours(m, f, space="cells")),
    "captum.concept": (SIZE, theirs),
}


def measure(case: str, folder: Path) -> None:
    """Prints the seconds, those of the processor, and the peak resident memory in MB."""
    warnings.simplefilter("ignore")
    model = efficientnet()
    with torch.no_grad():
        model(picture())
    start = time.perf_counter(), time.process_time()
    CASES[case][1](model, folder)
    took = time.perf_counter() - start[0], time.process_time() - start[1]
    print(*took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def against_captum(folders: dict[int, Path]) -> Iterator[str]:
    """Each case in a process of its own."""
    idle = 0
    for case, (size, _) in CASES.items():
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.concepts", case, str(folders[size])],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        took, busy, peak = map(float, done.stdout.split()[-3:])
        idle = idle or int(peak)
        yield f"{case:36} {took:7.1f} s {busy:7.1f} s of processor   +{int(peak) - idle} MB"


def directions() -> Iterator[str]:
    """2,000 directions of 100 examples with 512 features from one pool, by each estimator."""
    features = torch.randn(600, 512, generator=torch.Generator().manual_seed(0)).double()
    rows = torch.arange(600)
    sets = draw(rows[:50], rows[50:], permutations=199, runs=10, seed=0)
    everyone = torch.ones_like(sets.sides, dtype=torch.bool)
    for estimator in get_args(Estimator):

        def find(estimator: Estimator = estimator) -> Tensor:
            gram = features @ features.T
            found = in_blocks(gram, sets.rows, sets.sides, everyone, estimator)
            spread = features.new_zeros(len(sets.rows), len(features))
            return spread.scatter_add_(1, sets.rows, found.weights) @ features

        yield f"{len(sets.rows)} directions, {estimator:28} {seconds(find):7.2f} s"


def first_score(folder: Path, random: int) -> str:
    """What passes from ten examples to the first score, against so many random pictures, on a model
    that was not tested before."""
    concept = {"striped": files(folder / "striped")[:10]}
    pool = [file for n in range(SETS) for file in files(folder / f"random {n}")][:random]
    model = efficientnet()
    start = time.perf_counter(), time.process_time()
    adapter = ModelAdapter(model)
    test = Test(
        adapter, given(concept), files(folder / "class"), TARGET, LAYERS, pool, "mean",
        permutations=199, runs=10, alpha=0.05, space="channels", relative=(),
        cache=FeatureCache(), seed=0,
    )  # fmt: skip
    next(state for state in test.steps(Passes(adapter)) if state.scores)
    took = time.perf_counter() - start[0], time.process_time() - start[1]
    case = f"first score, {random} random pictures"
    return f"{case:36} {took[0]:7.1f} s {took[1]:7.1f} s of processor"


def main() -> None:
    """Draws the pictures, runs every case and prints what it took."""
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        folders = {size: Path(folder) / str(size) for size in (SIZE, 4 * SIZE)}
        for size, place in folders.items():
            place.mkdir()
            draw_pictures(place, size)
        for line in against_captum(folders):
            print(line, flush=True)
        for line in directions():
            print(line, flush=True)
        for random_pictures in (SIZE, SETS * SIZE):
            print(first_score(folders[SIZE], random_pictures), flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
