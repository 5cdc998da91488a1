"""The browser of the browser tests: Debian's chromium, installed on demand."""

from __future__ import annotations

import os
import shutil
import subprocess

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
COMMANDS = (
    ("apt-get", "update"),
    ("apt-get", "install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"),
)


def executable() -> str:
    """The path of a Chromium; on a Debian machine where we are root, installs a missing one."""
    return _found() or _installed()


def _found() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def _installed() -> str:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise RuntimeError(
            "The browser tests need Chromium and found none of: "
            + ", ".join(NAMES)
            + ". Install one (on Debian: `apt-get install chromium`) and run the tests again."
        )
    for command in COMMANDS:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"`{' '.join(command)}` failed:\n{done.stdout}{done.stderr}")
    path = _found()
    if path is None:
        raise RuntimeError("apt-get installed chromium, but no executable of it is on the PATH.")
    return path
