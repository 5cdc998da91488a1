"""The command line: what it prints, what it writes, how it fails."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib import metadata
from pathlib import Path

import pytest

from nbxplain import Contrast, cli, demo


@pytest.fixture(scope="module")
def cat(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("pictures") / "cat.png"
    demo.pictures()["cat"].save(path)
    return str(path)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"nbxplain {metadata.version('nbxplain')}\n"


def test_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert "nbxplain --help" in capsys.readouterr().err


def test_module_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nbxplain", "--help"], capture_output=True, text=True, check=True
    )
    assert "explain one picture without a notebook" in done.stdout


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("steps=50", ("steps", 50)),
        ("noise=0.15", ("noise", 0.15)),
        ("baseline=blur", ("baseline", "blur")),
        (
            'baseline={"kind": "blur", "sigma": 20}',
            ("baseline", {"kind": "blur", "sigma": 20}),
        ),
        ("relu=false", ("relu", False)),
    ],
)
def test_parameters(text: str, pair: tuple[str, object]) -> None:
    assert cli._parameter(text) == pair


def test_parameter_without_value(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["explain", "x.png", "-p", "steps"])
    assert "'steps' is not of the form key=value" in capsys.readouterr().err


def test_targets() -> None:
    assert cli._target(None, None) is None
    assert cli._target("285", None) == 285
    assert cli._target("Egyptian Mau", None) == "Egyptian Mau"
    assert cli._target("285", "tabby cat") == Contrast(285, "tabby cat")


def test_methods(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["methods"]) == 0
    printed = capsys.readouterr().out
    assert "integrated_gradients" in printed
    assert "grad_cam" in printed


def test_explain(cat: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "map.png"
    code = cli.main(["explain", cat, "-p", "steps=8", "-o", str(output)])
    assert code == 0
    assert output.read_bytes().startswith(b"\x89PNG")
    assert "Egyptian Mau" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such-picture.png"], "no-such-picture.png"),
        (["CAT", "--target", "Egyptian Maus"], "Did you mean 'Egyptian Mau'"),
        (["CAT", "--method", "grad_cams"], "grad_cam"),
        (["CAT", "-p", "steps=-1"], "steps"),
        (["CAT", "--against", "tabby cat"], "--target"),
    ],
    ids=["picture", "target", "method", "parameter", "against"],
)
def test_errors_are_sentences(
    cat: str, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = cli.main(["explain", *(cat if word == "CAT" else word for word in arguments)])
    printed = capsys.readouterr().err
    assert code == 2
    assert said in printed
    assert "Traceback" not in printed


def test_page(tmp_path: Path) -> None:
    path = tmp_path / "cat.html"
    assert cli.main(["demo", "--html", str(path)]) == 0
    page = path.read_text(encoding="utf-8")
    assert "Egyptian Mau" in page
    assert not re.search(r"""(?:src|href)=["']?https?://""", page)


def test_page_needs_its_suffix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["demo", "--html", str(tmp_path / "cat.txt")]) == 2
    assert "does not end in .html" in capsys.readouterr().err


def test_tour_opens_in_jupyterlab() -> None:
    command = [sys.executable, "-m", "nbxplain", "demo", "--no-browser", "--port", "8917"]
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=_no_browser()
    )
    try:
        address = _address(server)
        base, _, token = address.partition("?token=")
        assert base.endswith("/lab/tree/tour.ipynb")
        contents = base.replace("/lab/tree/", "/api/contents/")
        assert _status(f"{contents}?content=0&token={token}") == 200
    finally:
        # Not SIGINT, which processes in the background of a shell ignore.
        server.terminate()
        server.communicate(timeout=30)


def _status(address: str) -> int:
    """What the server answers. It prints its address a moment before it listens."""
    for patience in range(20, -1, -1):
        try:
            with urllib.request.urlopen(address, timeout=20) as answer:
                return int(answer.status)
        except urllib.error.URLError:
            if not patience:
                raise
            time.sleep(0.5)
    raise AssertionError


def _no_browser() -> dict[str, str]:
    """An environment in which opening a browser would fail loudly and proxies are not asked."""
    return {**os.environ, "BROWSER": "false", "no_proxy": "127.0.0.1"}


def _address(server: subprocess.Popen[str]) -> str:
    """The address the server prints when it is ready."""
    assert server.stdout is not None
    for line in server.stdout:
        if found := re.search(r"http://127\.0\.0\.1:\d+/\S+", line):
            return found.group()
    pytest.fail("the server ended without printing its address")
