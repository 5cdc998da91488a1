"""What is computing: it says what it does, can be stopped, gets better while one watches."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect

from tests.browser.lab import Notebook, until
from tests.browser.widget import MS, Widget

pytestmark = pytest.mark.browser

SETTLED = "explorer.status in ('done', 'cancelled')"


def calm(notebook: Notebook, **traits: object) -> None:
    """Sets traits from Python and waits for the result."""
    for name, value in traits.items():
        notebook.python(f"explorer.{name} = {value!r}")
    notebook.python("explorer.run(); _ = explorer.wait()")


def test_a_method_is_picked_and_runs_with_progress(widget: Widget, notebook: Notebook) -> None:
    before = widget.map()
    widget.choose("method", "Integrated Gradients")
    expect(widget.root.get_by_role("progressbar")).to_be_visible(timeout=MS)
    assert notebook.value("explorer.method") == "integrated_gradients"
    widget.expect_state("done in")
    until(lambda: widget.map() != before, "the map is still that of Grad-CAM")
    expect(widget.root.get_by_role("region", name="path")).to_be_visible()
    gap = widget.root.get_by_role("region", name="evidence")
    expect(gap).to_contain_text("completeness gap")


def test_a_drag_drafts_and_its_release_is_final(widget: Widget, notebook: Notebook) -> None:
    calm(notebook, method="integrated_gradients", params={"steps": 16})
    widget.root.get_by_role("radio", name="blur").check()
    until(lambda: notebook.value("explorer.baseline")["kind"] == "blur", "the baseline stayed")
    notebook.python("_ = explorer.wait()")
    badge = widget.stage.get_by_text(re.compile(r"draft \d+/\d+"))
    drawn: set[str] = set()
    with widget.held(widget.slider("sigma")) as (left, right, y):

        def drafts() -> bool:
            drawn.add(widget.map())
            place = left + (right - left) * (0.3 + 0.4 * (len(drawn) % 2))
            widget.page.mouse.move(place, y)
            return len(drawn) >= 3

        until(drafts, "dragging draws no drafts")
        expect(badge).to_be_visible()
        assert notebook.value("explorer.result.complete") is True, "a draft became the result"
        widget.page.mouse.move(left + 0.5 * (right - left), y)
    expect(badge).to_have_count(0, timeout=MS)
    widget.expect_state("done in")
    sigma = float(widget.number("sigma").input_value())
    assert notebook.value("explorer.baseline") == {"kind": "blur", "sigma": pytest.approx(sigma)}
    used = notebook.value("explorer.result.method.baseline.sigma")
    assert used == pytest.approx(sigma), "the final result is not that of the last value"


def test_what_python_sets_moves_the_controls(widget: Widget, notebook: Notebook) -> None:
    notebook.python("explorer.method = 'integrated_gradients'")
    notebook.python("explorer.params = {'steps': 24}; explorer.baseline = Baseline.blur(7)")
    expect(widget.number("sigma")).to_have_value("7")
    expect(widget.number("steps")).to_have_value("24")
    expect(widget.root.get_by_role("radio", name="blur")).to_be_checked()
    notebook.python("explorer.target = 'tabby cat'; explorer.clip = 90; explorer.view = 'side'")
    expect(widget.picker("for")).to_contain_text("tabby cat")
    expect(widget.number("clip")).to_have_value("90")
    expect(widget.root.get_by_role("radio", name="Side by side")).to_be_checked()
    notebook.python("explorer.target = None or 285; explorer.clip = 99.5")
    notebook.python("explorer.view = 'overlay'; _ = explorer.wait()")


def test_scrubbing_shows_the_map_so_far(widget: Widget, notebook: Notebook) -> None:
    calm(notebook, method="integrated_gradients", params={"steps": 16})
    widget.expect_state("done in")
    whole = widget.map()
    plot = widget.slider("place on the path from the baseline to the picture")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    widget.page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 20)
    expect(plot).to_contain_text(re.compile(r"α 0?\.3\d?\s+f [+−-]?\d*\.?\d"))
    until(lambda: widget.map() != whole, "the stage does not follow α")
    widget.page.mouse.move(0, 0)
    until(lambda: widget.map() == whole, "leaving the curve does not bring the whole map back")


def test_stop_keeps_the_partial_result_and_resume_goes_on(
    widget: Widget, notebook: Notebook
) -> None:
    calm(notebook, method="integrated_gradients", params={"steps": 16})
    notebook.python("explorer.params = {'steps': 1024}")
    stop = widget.button("Stop")
    progress = widget.root.get_by_role("progressbar")
    until(lambda: int(progress.get_attribute("aria-valuenow") or 0) > 8, "no progress")
    stop.click()
    clicked = time.monotonic()
    widget.expect_state("stopped at")
    assert time.monotonic() - clicked < 2, "stopping took longer than two seconds"
    partial = widget.stage.get_by_text(re.compile(r"partial \d+/10\d\d"))
    expect(partial).to_be_visible()
    assert notebook.value("explorer.status") == "cancelled"
    done = notebook.value("explorer._job['done']")
    assert 8 < done < 1024
    widget.root.locator(".nbx-job").get_by_role("button", name="Resume").click()
    until(lambda: notebook.value("explorer._job['done']") > done, "resuming does not go on")
    widget.press("Escape")
    widget.expect_state("stopped at")
    assert notebook.value("explorer._job['done']") > done, "resuming began again"
    expect(partial).to_be_visible()


def test_a_flood_of_moves_is_a_few_computations(widget: Widget, notebook: Notebook) -> None:
    calm(notebook, method="integrated_gradients", params={"steps": 8})
    notebook.python("explorer.baseline = Baseline.blur(4); _ = explorer.wait()")
    notebook.python(
        """
computed, whole = [], explorer._attributions
def counting(spec, phase, cancelled):
    computed.append(phase)
    return whole(spec, phase, cancelled)
explorer._attributions = counting
"""
    )
    slider = widget.slider("sigma")
    slider.scroll_into_view_if_needed()
    last = slider.evaluate(
        """async (slider) => {
            const say = (type) => slider.dispatchEvent(new Event(type, { bubbles: true }));
            const press = (type) =>
                slider.dispatchEvent(new PointerEvent(type, { bubbles: true, pointerId: 1 }));
            press("pointerdown");
            for (let move = 0; move < 200; move++) {
                slider.valueAsNumber = Number(slider.min)
                    + (0.2 + 0.6 * move / 199) * (slider.max - slider.min);
                say("input");
                await new Promise((done) => setTimeout(done, 10));
            }
            press("pointerup");
            say("change");
            return slider.getAttribute("aria-valuetext");
        }"""
    )
    until(lambda: notebook.value("'final' in computed"), "the release computes nothing")
    notebook.python("_ = explorer.wait()")
    computed = notebook.value("computed")
    assert len(computed) <= 20, f"200 moves became {len(computed)} computations"
    assert computed.count("final") == 1
    assert computed.count("draft") >= 1, "a hand that keeps moving never sees a draft"
    sigma = notebook.value("explorer.result.method.baseline.sigma")
    assert sigma == pytest.approx(float(last.split()[0]), rel=0.05)
    assert notebook.value("explorer.baseline['sigma']") == sigma
    notebook.python("del explorer._attributions")


def test_the_model_is_the_users_meanwhile(widget: Widget, notebook: Notebook) -> None:
    calm(notebook, method="integrated_gradients", params={"steps": 16})
    notebook.python("x = torch.rand(2, 3, 224, 224); before = model(x).detach()")
    notebook.python("explorer.params = {'steps': 512}")
    expect(widget.button("Stop")).to_be_visible(timeout=MS)
    same = notebook.value("all(torch.equal(model(x), before) for _ in range(5))")
    running = notebook.value("explorer.status")
    notebook.python("explorer.stop(); _ = explorer.wait()")
    assert running == "running", "the computation was over before the model was called"
    assert same, "the user's own forward pass changed while the Explorer was computing"
    assert notebook.value("all(p.grad is None for p in model.parameters())")
    assert notebook.value("model.training") is False
