"""Concepts built in JupyterLab: by files, paste, drop and crops; tested, shown, steered."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Open
from tests.browser.lab import Notebook, until
from tests.browser.test_accessible import HOST, violations
from tests.browser.widget import MS, Widget

pytestmark = pytest.mark.browser

SIDE = 64

MODEL = """
import numpy as np
from PIL import Image
from torch import nn

class Stripes(nn.Module):
    '''Class 0 sees vertical stripes, class 1 horizontal ones, class 2 is bright.'''
    def __init__(self):
        super().__init__()
        self.edges = nn.Conv2d(3, 6, 5, padding=2, bias=False)
        self.relu, self.head = nn.ReLU(), nn.Linear(6, 3)
        wave = torch.tensor([1.0, -1, -1, 1, 1]) - 0.2
        with torch.no_grad():
            self.edges.weight.normal_(0, 0.05, generator=torch.Generator().manual_seed(0))
            self.edges.weight[0] = wave.view(1, 1, 5) / 15
            self.edges.weight[1] = wave.view(1, 5, 1) / 15
            self.head.weight.zero_()
            self.head.bias.zero_()
            for row in range(2):
                self.head.weight[row, row] = 20
            self.head.weight[2, 2:] = 0.5
    def forward(self, x):
        return self.head(self.relu(self.edges(x)).mean((2, 3)))

def prepare(picture):
    pixels = np.asarray(picture.convert('RGB').resize((64, 64)), dtype='float32') / 255
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()
"""


def texture(kind: str, seed: int) -> Image.Image:
    """Vertical or horizontal stripes, or blotches, in noise."""
    generator = np.random.default_rng(seed)
    noise = generator.uniform(60, 130, (SIDE, SIDE, 3))
    y, x = np.mgrid[:SIDE, :SIDE] + generator.integers(0, 4)
    wave = {"vertical": x % 4 < 2, "horizontal": y % 4 < 2, "blotches": (x // 9 + y // 7) % 2 == 0}
    return Image.fromarray((noise + 100 * wave[kind][..., None]).clip(0, 255).astype(np.uint8))


def files(folder: Path, kind: str, count: int, seed: int) -> list[Path]:
    """Picture files of a texture."""
    paths = [folder / f"{kind}-{number}.png" for number in range(count)]
    for number, path in enumerate(paths):
        texture(kind, seed + number).save(path)
    return paths


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures of the class, for the notebook to start with."""
    folder = tmp_path_factory.mktemp("pictures")
    files(folder, "vertical", 13, 500)
    return folder


@pytest.fixture(scope="module")
def notebook(opened: Open, pictures: Path) -> Notebook:
    notebook = opened(
        MODEL,
        f"folder = {str(pictures)!r}\n"
        "explorer = Explorer(Stripes(), Image.open(folder + '/vertical-12.png'),\n"
        "    preprocess=prepare, labels=['upright', 'lying', 'bright'])\n"
        "explorer",
    )
    notebook.run_all()
    widget = Widget(notebook.page)
    widget.expect_map()
    widget.root.get_by_role("tab", name="Concepts").click()
    return notebook


@pytest.fixture
def panel(widget: Widget) -> Locator:
    return widget.root.get_by_role("tabpanel")


def counted(notebook: Notebook) -> dict[str, int]:
    """How many pictures each pile has."""
    told = notebook.value(
        "{p['name']: p['count'] for p in explorer._concepts['concepts']}"
        " | {k: explorer._concepts[k]['count'] for k in ('random', 'pictures')}"
    )
    return dict(told)


def choose(panel: Locator, pile: str, paths: list[Path]) -> None:
    """Through the file button of a pile."""
    panel.get_by_label(f"add pictures to {pile}: files").set_input_files(paths)


def test_files_make_a_concept_and_a_bad_one_is_named(
    panel: Locator, notebook: Notebook, tmp_path: Path
) -> None:
    expect(panel.get_by_text("No concept has the 4 examples")).to_be_visible()
    panel.get_by_role("button", name="New concept").click()
    name = panel.get_by_label("name of concept concept 1")
    name.fill("stripes")
    name.press("Enter")
    expect(panel.get_by_label("name of concept stripes")).to_be_visible()
    text = tmp_path / "notes.png"
    text.write_text("no picture")
    choose(panel, "stripes", [*files(tmp_path, "vertical", 8, 0), text])
    until(lambda: counted(notebook).get("stripes") == 8, "the files did not arrive")
    expect(panel.get_by_role("alert").filter(has_text="notes.png")).to_be_visible()
    expect(panel.get_by_text("10 recommended")).to_be_visible()
    choose(panel, "stripes", files(tmp_path, "vertical", 2, 0))
    expect(panel.get_by_role("alert").filter(has_text="already")).to_be_visible()
    assert counted(notebook)["stripes"] == 8


def test_pictures_are_pasted_and_dropped(panel: Locator, notebook: Notebook) -> None:
    def data(seed: int) -> str:
        buffer = io.BytesIO()
        texture("vertical", seed).save(buffer, "PNG")
        return base64.b64encode(buffer.getvalue()).decode()

    page = notebook.page
    notebook.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(
        "async (data) => navigator.clipboard.write([new ClipboardItem({'image/png':"
        "await (await fetch('data:image/png;base64,' + data)).blob()})])",
        data(50),
    )
    panel.get_by_role("button", name="take picture 1 out of stripes").focus()
    page.keyboard.press("Control+V")
    until(lambda: counted(notebook)["stripes"] == 9, "the pasted picture did not arrive")
    dropped = page.evaluate_handle(
        "async (data) => { const transfer = new DataTransfer();"
        "const blob = await (await fetch('data:image/png;base64,' + data)).blob();"
        "transfer.items.add(new File([blob], 'dropped.png', {type: 'image/png'}));"
        "return transfer; }",
        data(51),
    )
    pile = panel.get_by_role("group", name="stripes")
    pile.dispatch_event("drop", {"dataTransfer": dropped})
    until(lambda: counted(notebook)["stripes"] == 10, "the dropped picture did not arrive")
    expect(panel.get_by_text("enough").first).to_be_visible()


def test_a_part_of_the_picture_is_cut_out(
    widget: Widget, panel: Locator, notebook: Notebook
) -> None:
    panel.get_by_role("radio", name="lasso").check(force=True)
    box = widget.picture.bounding_box()
    assert box is not None, "the picture is not on the page"
    widget.picture.scroll_into_view_if_needed()
    points = [(0.25, 0.5), (0.5, 0.25), (0.75, 0.5), (0.5, 0.75)]
    for number, (x, y) in enumerate(points):
        widget.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        if number == 0:
            widget.page.mouse.down()
    widget.page.mouse.up()
    until(lambda: counted(notebook)["stripes"] == 11, "the crop did not arrive")
    name = notebook.value("explorer.concepts._tray.concepts['stripes'][-1].name")
    assert [int(part.strip(",")) for part in name.split() if part.strip(",").isdigit()] == (
        pytest.approx([16, 16, 48, 48], abs=1)
    ), "another part was cut out"
    widget.press("Escape")
    expect(widget.stage.locator(".nbx-painter")).to_have_count(0)
    widget.stage.get_by_role("group", name="stage").focus()
    widget.page.mouse.move(0, 0)
    widget.page.keyboard.press("Shift+ArrowDown")
    around = panel.get_by_role("button", name="cut out around the crosshair")
    expect(around).to_be_enabled()
    around.focus()
    widget.page.keyboard.press("Enter")
    until(lambda: counted(notebook)["stripes"] == 12, "nothing was cut out by the keyboard")


def test_concepts_are_tested_and_looked_at(
    widget: Widget, panel: Locator, notebook: Notebook, pictures: Path, tmp_path: Path,
    artefacts: Path,
) -> None:  # fmt: skip
    test = panel.get_by_role("button", name="Test", exact=True)
    expect(test).to_be_disabled()
    choose(panel, "pictures of the class", sorted(pictures.glob("*.png"))[:12])
    for kind, seed in (("horizontal", 100), ("blotches", 200), ("vertical", 300)):
        choose(panel, "random pictures", files(tmp_path, kind, 16, seed))
    until(lambda: counted(notebook)["random"] == 48, "the random pictures did not arrive")
    panel.get_by_role("checkbox", name="pattern").check()
    expect(test).to_be_enabled(timeout=MS)
    test.click()
    row = panel.get_by_role("button", name="stripes: held out")
    expect(row).to_be_visible(timeout=MS)
    until(lambda: notebook.value("explorer._concepts['job']['state']") == "done", "it never ends")
    expect(panel.locator(".nbx-verdict-words")).to_contain_text("towards the class")
    row.click()
    table = panel.get_by_role("table", name="estimators side by side")
    expect(table.get_by_role("row")).to_have_count(3)
    expect(panel.get_by_text("most aligned", exact=True)).to_be_visible()
    panel.get_by_role("button", name="Show its effect").click()
    until(lambda: notebook.value("explorer.method") == "concept_map", "no map was asked for")
    widget.expect_state("done")
    widget.expect_map()
    panel.get_by_role("button", name="More or less of it").click()
    dose = panel.get_by_role("slider", name="dose")
    expect(dose).to_be_visible(timeout=MS)
    dose.fill("2")
    shown = panel.locator(".nbx-steering .nbx-note").first
    most, none = notebook.value("[explorer._concepts['steered'][0]['scores'][i] for i in (-1, 8)]")
    assert most > none
    expect(shown).to_contain_text(f"upright {most:.3g}")
    widget.root.screenshot(path=artefacts / "concepts.png")


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_axe_finds_nothing_serious(
    notebook: Notebook, widget: Widget, panel: Locator, artefacts: Path, theme: str
) -> None:
    notebook.theme(f"JupyterLab {theme}")
    expect(panel.get_by_role("table", name="estimators side by side")).to_be_visible()
    assert violations(notebook.page, HOST) == []
    widget.root.screenshot(path=artefacts / f"concepts-{theme}.png")
    notebook.theme("JupyterLab Light")


def test_what_was_tested_outlasts_a_reload(
    notebook: Notebook, widget: Widget, panel: Locator
) -> None:
    notebook.save()
    notebook.load()
    widget.root.get_by_role("tab", name="Concepts").click()
    expect(panel.get_by_role("button", name="stripes: held out")).to_be_visible(timeout=MS)
    panel.get_by_role("button", name="remove stripes").click()
    until(lambda: "stripes" not in counted(notebook), "the concept stayed")
    expect(panel.get_by_text("The pictures have changed since")).to_be_visible()
