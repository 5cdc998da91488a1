"""JupyterLab as its users have it: a server in a folder of its own, notebooks in a real browser."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_client.blocking import BlockingKernelClient
from playwright.sync_api import Browser, Error, Page

import nbxplain

PATIENCE = 60.0
SETTINGS = {
    "notification": {"fetchNews": "false", "checkForUpdates": False, "doNotDisturbMode": True},
}


def until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """The first true value of the condition; fails naming what did not happen."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"After {seconds:.0f} s: {what}")
        time.sleep(0.05)
    return value


class Lab:
    """A server without a token on a free port of this machine; `close` ends it and its kernels."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runtime = folder / "runtime"
        work = folder / "work"
        work.mkdir(parents=True)
        for name, values in SETTINGS.items():
            self.set(name, values)
        environment = {
            **os.environ,
            "PYTHONPATH": str(Path(nbxplain.__file__).parents[1]),
            "IPYTHONDIR": str(folder / "ipython"),
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_RUNTIME_DIR": str(self.runtime),
            "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        }
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        options = [
            "--no-browser",
            "--allow-root",
            "--expose-app-in-browser",
            "--ip=127.0.0.1",
            f"--port={port}",
            f"--ServerApp.root_dir={work}",
            "--IdentityProvider.token=",
        ]
        self._log = (folder / "lab.log").open("w")
        self._server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            env=environment,
            cwd=work,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        until(self._answers, f"JupyterLab does not answer; see {folder / 'lab.log'}")

    def _answers(self) -> bool:
        try:
            self.get("api/status")
        except OSError:
            return False
        return True

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/{path}", timeout=10) as answer:
            return json.load(answer)

    def set(self, name: str, values: dict[str, Any]) -> None:
        """Settings of JupyterLab's own, for the pages that are opened from now on."""
        folder = self.folder / "settings/@jupyterlab/apputils-extension"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.jupyterlab-settings").write_text(json.dumps(values))

    def open(self, browser: Browser, name: str, cells: list[str]) -> Notebook:
        """A notebook with these code cells, open in a page of its own, none run yet."""
        document = {
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"cell-{number}",
                    "metadata": {},
                    "execution_count": None,
                    "outputs": [],
                    "source": source,
                }
                for number, source in enumerate(cells)
            ],
            "metadata": {
                "kernelspec": {
                    "name": "python3",
                    "display_name": "Python 3",
                    "language": "python",
                }
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        path = self.folder / "work" / f"{name}.ipynb"
        path.write_text(json.dumps(document))
        return Notebook(self, browser, path)

    def close(self) -> None:
        self._server.terminate()
        try:
            self._server.wait(20)
        except subprocess.TimeoutExpired:
            self._server.kill()
        self._log.close()


class Notebook:
    """One open notebook: its page, and its kernel for a second look from Python."""

    def __init__(self, lab: Lab, browser: Browser, path: Path) -> None:
        self.lab, self.path = lab, path
        self.context = browser.new_context(
            viewport={"width": 1400, "height": 1000}, accept_downloads=True
        )
        self.context.set_default_timeout(20_000)
        self.page: Page = self.context.new_page()
        self.errors: list[str] = []
        self.sent: list[str] = []
        self.page.on("pageerror", self._raised)
        self.page.on("websocket", lambda ws: ws.on("framesent", self._sent))
        # JupyterLab says so when one of its own requests failed, goes on by itself, and would let
        # nothing be clicked meanwhile.
        lost = self.page.locator(".jp-Dialog", has_text="Server Connection Error")
        self.page.add_locator_handler(lost, lambda: lost.get_by_role("button").first.click())
        self._client: BlockingKernelClient | None = None
        self.load()

    def _raised(self, error: Error) -> None:
        # JupyterLab's own, for what was under way when its kernel was restarted.
        if "Canceled future" not in str(error):
            self.errors.append(str(error))

    def _sent(self, payload: str | bytes) -> None:
        text = payload if isinstance(payload, str) else payload.decode("utf-8", "replace")
        if '"comm_msg"' in text:
            self.sent.append(text)

    def load(self) -> None:
        """Opens the page, or loads it again, and waits for its kernel."""
        self.page.goto(f"{self.lab.url}/doc/tree/{self.path.name}")
        self.page.wait_for_function("window.jupyterapp?.shell?.currentWidget?.sessionContext")
        self._app("await widget.context.ready; await widget.sessionContext.ready;")
        until(self._connection, "the notebook has no kernel")

    def _app(self, body: str) -> Any:
        return self.page.evaluate(
            "async () => { const app = window.jupyterapp, widget = app.shell.currentWidget;"
            f"const kernel = widget.sessionContext?.session?.kernel; {body} }}"
        )

    def run_all(self) -> None:
        """Runs every cell and waits for the last to end."""
        self._app("await app.commands.execute('notebook:run-all-cells');")

    def start_all(self) -> None:
        """Runs every cell without waiting."""
        self._app("void app.commands.execute('notebook:run-all-cells');")

    def running(self) -> list[int]:
        """Which cells run or wait for it."""
        states = self._app(
            "return widget.content.widgets.map((cell) => cell.model.executionState);"
        )
        return [number for number, state in enumerate(states) if state == "running"]

    def cells(self) -> int:
        return int(self._app("return widget.content.widgets.length;"))

    def save(self) -> None:
        self._app("await widget.context.save();")

    def theme(self, name: str) -> None:
        """Light or Dark."""
        self._app(f"await app.commands.execute('apputils:change-theme', {{theme: '{name}'}});")

    def restart_kernel(self) -> None:
        self._disconnect()
        self._app("await kernel.restart();")

    def shut_down(self) -> None:
        self._app("await widget.sessionContext.shutdown();")

    # A second cell, run from outside

    def _connection(self) -> Path | None:
        sessions = self.lab.get("api/sessions")
        for session in sessions:
            if session["path"] == self.path.name and session["kernel"]:
                file = self.lab.runtime / f"kernel-{session['kernel']['id']}.json"
                return file if file.is_file() else None
        return None

    def python(self, code: str, timeout: float = PATIENCE) -> str:
        """Runs code in the notebook's kernel as another cell would; returns what it prints."""
        if self._client is None:
            self._client = BlockingKernelClient(connection_file=str(self._connection()))
            self._client.load_connection_file()
            self._client.start_channels()
            self._client.wait_for_ready(timeout=PATIENCE)
        printed: list[str] = []

        def hear(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
                printed.append(message["content"]["text"])

        reply = self._client.execute_interactive(
            code, store_history=False, timeout=timeout, output_hook=hear
        )
        content = reply["content"]
        if content["status"] != "ok":
            raise AssertionError("\n".join(content.get("traceback", [str(content)])))
        return "".join(printed).strip()

    def value(self, expression: str) -> Any:
        """A JSON value from the kernel."""
        return json.loads(self.python(f"import json; print(json.dumps({expression}))"))

    def _disconnect(self) -> None:
        if self._client is not None:
            self._client.stop_channels()
            self._client = None

    def close(self) -> None:
        self._disconnect()
        try:
            self.shut_down()
        finally:
            self.context.close()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
