"""Pictures that tcav is given as folders are those in the folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from nbxplain.concepts import TCAV, Concept, tcav
from nbxplain.core.errors import InputError

CONCEPT, CLASS, ONE, OTHER = range(4)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four folders of noise: the concept and the class are brighter than what is random."""
    made, generator = [], np.random.default_rng(0)
    for number, (count, light) in enumerate(((12, 90), (12, 60), (24, 0), (24, 0))):
        folder = tmp_path_factory.mktemp(f"set{number}")
        for place in range(count):
            pixels = generator.integers(0, 120, (16, 16)) + light
            Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{place:02}.png")
        (folder / ".hidden").write_text("no picture")
        made.append(folder)
    return made


def grey(picture: Image.Image) -> Tensor:
    return torch.from_numpy(np.asarray(picture.convert("L"), np.float32) / 255)[None]


def asked(concept: Any, shown: Any, pool: Any) -> TCAV:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 1)
    )
    return tcav(
        model, concept, shown, 0, "1", random_sets=pool, permutations=19, runs=3, preprocess=grey
    )


def listed(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.png"))


@pytest.mark.parametrize("path", [str, Path])
def test_a_folder_is_the_pictures_in_it(folders: list[Path], path: Any) -> None:
    files = [listed(folder) for folder in folders]
    given = [path(folder) for folder in folders]
    expected = asked({"a": files[CONCEPT]}, files[CLASS], files[ONE]).of("a")
    for concept in ({"a": given[CONCEPT]}, [Concept("a", given[CONCEPT])]):
        found = asked(concept, given[CLASS], given[ONE]).of("a")
        assert torch.equal(found.direction, expected.direction)
        assert torch.equal(found.derivatives, expected.derivatives)
    both = asked({"a": given[CONCEPT]}, given[CLASS], [given[ONE], given[OTHER]]).of("a")
    pooled = asked({"a": files[CONCEPT]}, files[CLASS], [*files[ONE], *files[OTHER]]).of("a")
    assert torch.equal(both.null, pooled.null)


def test_a_saved_concept_is_its_examples(folders: list[Path], tmp_path: Path) -> None:
    saved = Concept("a", listed(folders[CONCEPT])).save(tmp_path / "saved")
    expected = asked({"a": folders[CONCEPT]}, folders[CLASS], folders[ONE]).of("a")
    found = asked({"a": saved}, folders[CLASS], folders[ONE]).of("a")
    assert torch.equal(found.direction, expected.direction)


def test_a_folder_without_files_is_named(folders: list[Path], tmp_path: Path) -> None:
    (tmp_path / "empty" / "below").mkdir(parents=True)
    with pytest.raises(InputError, match=r"no pictures in .*empty"):
        asked({"a": folders[CONCEPT]}, folders[CLASS], tmp_path / "empty")
