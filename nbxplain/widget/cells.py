"""The notebook's cells, as far as the widget must know of them."""

from __future__ import annotations

import contextlib
import weakref
from collections.abc import Callable
from typing import Any


def weakly(method: Callable[..., Any]) -> Callable[..., None]:
    """The bound method without keeping its object alive; calls after its end do nothing."""
    reference = weakref.WeakMethod(method)

    def call(*arguments: Any) -> None:
        target = reference()
        if target is not None:
            target(*arguments)

    return call


def after_each_cell(action: Callable[[], None]) -> Callable[[], None]:
    """Calls `action` after each cell, where there are cells. Returns how to end that."""
    try:
        from IPython import get_ipython
    except ImportError:
        return lambda: None
    shell = get_ipython()
    if shell is None:
        return lambda: None

    def hook(result: Any = None) -> None:
        action()

    def unregister() -> None:
        with contextlib.suppress(ValueError):
            shell.events.unregister("post_run_cell", hook)

    shell.events.register("post_run_cell", hook)
    return unregister


def beside_cells(comm: Any) -> None:
    """Lets the page's messages be handled on the thread that the page asks for.

    ipykernel 7.4 hands them to the thread that last spoke on the comm instead. That is the main
    one, for our worker counts as part of the cell that made it, and there Stop would wait until
    the user's cell has ended.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda data, default: default
