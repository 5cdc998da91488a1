"""How long the Explorer lets one wait, in a real JupyterLab in a real browser.

    python -m tests.benchmarks.latency

Times are from the action to what is on the screen, on one machine that runs the kernel, the server
and the browser. Nothing is asserted.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright

from tests import chromium
from tests.benchmarks.timing import machine
from tests.browser.conftest import ARGUMENTS
from tests.browser.lab import Lab, Notebook, until
from tests.browser.widget import Widget

SETUP = """
import time, torch
from IPython.display import display
from nbxplain import Explorer, demo
model, image, labels = demo.network().eval(), demo.pictures()["cat"], demo.labels()
with torch.no_grad():
    model(torch.zeros(1, 3, 224, 224))
"""
SHOW = "started = time.time(); explorer = Explorer(model, image, labels=labels); display(explorer)"

ROOT = """const host = [...document.querySelectorAll("*")].find(
  (element) => element.shadowRoot?.querySelector(".nbxplain"));
const root = host?.shadowRoot;"""

WATCH = f"""() => {{ {ROOT}
  const canvas = root?.querySelector("canvas.nbx-map");
  if (!canvas?.width) return null;
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let sum = 0;
  for (let i = 0; i < pixels.length; i += 4)
    sum = (sum * 31 + pixels[i] + 7 * pixels[i + 2] + pixels[i + 3]) | 0;
  return sum;
}}"""

SEEN = f"""() => {{ {ROOT}
  const shown = root?.querySelector("canvas") && root.querySelector(".nbx-predictions");
  return shown ? Date.now() / 1000 : null;
}}"""


def first_picture(notebook: Notebook) -> float:
    """Seconds from the start of Explorer(...) until picture and predictions are on the page."""
    notebook.page.evaluate(
        f"window.nbxSeen = null; window.nbxTimer = setInterval(() => {{"
        f"const seen = ({SEEN})(); if (seen) {{ window.nbxSeen = seen;"
        f"clearInterval(window.nbxTimer); }} }}, 5)"
    )
    notebook.run_all()
    seen = until(lambda: notebook.page.evaluate("window.nbxSeen"), "no picture appears")
    return float(seen) - float(notebook.python("print(started)"))


def until_changed(notebook: Notebook, action: Callable[[], None]) -> float:
    """Seconds from an action until the map on the stage is another one."""
    before = notebook.page.evaluate(WATCH)
    start = time.perf_counter()
    action()
    while notebook.page.evaluate(WATCH) == before:
        if time.perf_counter() - start > 30:
            return float("nan")
    return time.perf_counter() - start


def first_draft(notebook: Notebook, widget: Widget) -> float:
    """Seconds from the first move of the sigma slider to the first draft, the middle of five."""
    notebook.python("explorer.method = 'integrated_gradients'; explorer.baseline = 'blur'")
    notebook.python("_ = explorer.wait()")
    times = []
    for share in (0.2, 0.4, 0.6, 0.3, 0.7):
        with widget.held(widget.slider("sigma")) as (left, right, y):
            place = left + share * (right - left)
            times.append(until_changed(notebook, lambda p=place, y=y: widget.page.mouse.move(p, y)))  # type: ignore[misc]
        notebook.python("_ = explorer.wait()")
    return median(times)


def updates(notebook: Notebook) -> float:
    """Partial frames a second while a long run refines."""
    notebook.python("explorer.params = {'steps': 512}")
    until(lambda: notebook.value("explorer._job['done']") > 8, "the run does not start")
    before, start = notebook.value("explorer._frames._sent"), time.perf_counter()
    time.sleep(3)
    count = notebook.value("explorer._frames._sent") - before
    return count / (time.perf_counter() - start)


MARKS = f"""() => {{ {ROOT}
  const marks = (window.nbxMarks = {{}});
  const at = (time) => (performance.timeOrigin + time) / 1000;
  window.addEventListener("pointerdown", (event) => {{
    for (const name in marks) delete marks[name];
    marks.pressed = at(event.timeStamp);
  }}, true);
  const sockets = new WeakSet(), send = WebSocket.prototype.send;
  const heard = ({{ timeStamp }}) => {{
    if (!marks.moved || at(timeStamp) < marks.moved) marks.heard = at(timeStamp);
  }};
  WebSocket.prototype.send = function (data) {{
    if (!sockets.has(this)) this.addEventListener("message", heard);
    sockets.add(this);
    if (new TextDecoder().decode(data).includes('"paint"')) marks.sent ??= at(performance.now());
    send.call(this, data);
  }};
  const painted = () => {{ marks.seen ??= at(performance.now()); }};
  new MutationObserver(() => {{
    if (marks.moved || !marks.sent) return;
    marks.moved = at(performance.now());
    requestAnimationFrame(() => setTimeout(painted));
  }}).observe(root.querySelector(".nbx-predictions"),
    {{ subtree: true, childList: true, attributes: true, characterData: true }});
}}"""

STAMPS = """
stamps = {}
def stamped(function, before, after):
    def call(*given):
        stamps.setdefault(before, time.time())
        result = function(*given)
        stamps.setdefault(after, time.time())
        return result
    return call
desk, adapter = explorer._desk, explorer._adapter
desk.take = stamped(desk.take, "taken", "queued")
adapter.outputs = stamped(adapter.outputs, "asked", "said")
desk._send = stamped(desk._send, "answered", "sent back")
"""

MOMENTS = {
    "pressed": "page",
    "sent": "way there",
    "taken": "Python",
    "asked": "the model's pass",
    "said": "Python again",
    "answered": "way back",
    "heard": "paint",
    "seen": "",
}
"""What happens in turn after a press of the brush, and what the time until the next is spent on."""


def painting(notebook: Notebook, widget: Widget) -> list[list[float]]:
    """The MOMENTS of presses of the brush, in seconds. Nobody asks the page meanwhile."""
    widget.root.get_by_role("tab", name="Edit").click()
    pane = widget.stage.locator(".nbx-painter")
    pane.scroll_into_view_if_needed()
    box = pane.bounding_box()
    assert box is not None
    # What the slider before asked for last would be computed meanwhile.
    notebook.python("_ = explorer.wait()")
    notebook.page.evaluate(MARKS)
    notebook.python(STAMPS)
    presses = []
    for number in range(24):
        across, down = 0.1 + 0.1 * (number % 8), 0.25 + 0.25 * (number // 8)
        notebook.page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
        notebook.python("stamps.clear()")
        time.sleep(0.3)
        notebook.page.mouse.down()
        time.sleep(0.4)
        until(lambda: notebook.page.evaluate("window.nbxMarks.seen"), "the bars do not move")
        moments = notebook.page.evaluate("window.nbxMarks") | notebook.value("stamps")
        notebook.page.mouse.up()
        presses.append([moments[name] for name in MOMENTS])
        time.sleep(0.5)
    return presses


def told(presses: list[list[float]]) -> str:
    """The lines of the table about painting: the press in the middle, and the quickest."""
    pass_ = list(MOMENTS).index("asked")
    times = [[after - before for before, after in pairwise(press)] for press in presses]
    times.sort(key=lambda parts: sum(parts) - parts[pass_])
    lines = []
    for which, parts in (("in the middle", times[len(times) // 2]), ("the quickest", times[0])):
        spent = ", ".join(
            f"{name} {1000 * seconds:.0f}"
            for name, seconds in zip(MOMENTS.values(), parts, strict=False)
        )
        wanted = f"{parts[pass_]:.2f} + 0.15 s"
        what = f"bars that move while one paints, {which} of {len(times)} ({spent} ms)"
        lines.append(f"| {what} | {sum(parts):.2f} s | {wanted} |")
    return "\n".join(lines)


def stop(notebook: Notebook, widget: Widget) -> float:
    """Seconds from the click on Stop until the header says that it is partial."""
    start = time.perf_counter()
    widget.button("Stop").click()
    until(lambda: notebook.value("explorer.status") == "cancelled", "it does not stop")
    return time.perf_counter() - start


def main() -> None:
    """Prints a table."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.executable(), args=ARGUMENTS)
        lab = Lab(Path(folder))
        try:
            notebook = lab.open(browser, "latency", [SETUP, SHOW])
            print(f"{machine()}\n\n| from action to screen | measured | wanted |\n|---|---|---|")
            print(f"| first picture with predictions | {first_picture(notebook):.2f} s | 0.5 s |")
            widget = Widget(notebook.page)
            notebook.python("_ = explorer.wait()")
            draft = first_draft(notebook, widget)
            print(told(painting(notebook, widget)))
            widget.root.get_by_role("tab", name="Explain").click()
            print(f"| first draft of a dragged slider | {draft:.2f} s | 0.4 s |")
            print(f"| partial maps a second | {updates(notebook):.1f} | 4 to 10 |")
            print(f"| stop | {stop(notebook, widget):.2f} s | one chunk |")
            notebook.close()
        finally:
            lab.close()
            browser.close()


if __name__ == "__main__":
    main()
