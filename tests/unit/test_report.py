"""A report says what was asked, what was found and what is not known, and nothing is cut."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import get_args

import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg

from nbxplain import Attribution, ExplanationError, Explorer, Report, explain
from nbxplain.evaluation import deletion, insertion
from nbxplain.methods.base import Group
from nbxplain.report.limits import OF_GROUP
from nbxplain.report.paper import EDGE, WIDTH, Sheets
from tests.models import cnn, picture

pytest_plugins = ["tests.unit.page"]

LABELS = ["cat", "dog", "<b>fish</b>", "bird", "ant"]


@pytest.fixture(scope="module")
def explained() -> Attribution:
    return explain(cnn(), picture(), "integrated_gradients", steps=8, target=2, labels=LABELS)


@pytest.fixture(scope="module")
def report(explained: Attribution) -> Report:
    model = cnn()
    checks = [f(model, picture(), explained, labels=LABELS) for f in (deletion, insertion)]
    other = explain(model, picture(), "gradient", target=2, labels=LABELS)
    context = {"Requested by": "A. Reader & co", "Intended use": "word " * 60}
    return Report(explained, checks, [other], context, "explain(model, x)\n" + "long_" * 80)


def words(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", " ", html))


def test_the_page_says_what_was_asked_and_by_what(report: Report) -> None:
    text = words(report.html())
    provenance = report.attribution.provenance
    for wanted in (
        "ModuleRelu",
        provenance["weights"],
        "Integrated Gradients",
        "<b>fish</b>",
        "Requested by",
        "A. Reader & co",
        "Deletion",
        "Insertion",
        "completeness gap",
        "Gradient",
        provenance["date"],
    ):
        assert wanted in text, f"{wanted!r} is not in the report"


def test_nothing_in_the_page_runs_or_comes_from_elsewhere(report: Report) -> None:
    html = report.html()
    assert "<b>fish</b>" not in html, "text of a user became an element"
    assert not re.search(r"<script|javascript:|\son\w+=", html)
    assert "default-src 'none'" in html
    assert {source[:5] for source in re.findall(r'(?:src|href)="([^"]+)"', html)} == {"data:"}


def test_the_input_is_named_by_its_digest(explained: Attribution) -> None:
    digests = [
        re.findall(r"SHA-256 ([0-9a-f]{64})", Report(a).html())
        for a in (explained, explain(cnn(), picture(seed=1), "gradient", labels=LABELS))
    ]
    assert digests[0] != digests[1]
    assert all(len(found) == 1 for found in digests)


def test_checks_that_were_not_run_are_named(report: Report, explained: Attribution) -> None:
    assert "Not checked: sanity check by randomised weights, stability." in words(report.html())
    assert "deletion, insertion, sanity" in words(Report(explained).html())


def test_poor_evidence_comes_first_among_the_limits(explained: Attribution) -> None:
    poor = replace(explained, evidence={"completeness_gap": [0.5], "score_change": [1.0]})
    limits = words(Report(poor).html()).split("Limits")[1]
    assert limits.index("Poor by its own evidence: completeness gap") < limits.index("Not checked")
    assert "Poor" not in words(Report(explained).html())


def test_a_partial_result_says_so(explained: Attribution) -> None:
    partial = replace(explained, done=3, total=8)
    assert "stopped at 3 of 8" in words(Report(partial).html())


def test_every_group_of_methods_has_its_limits() -> None:
    assert set(OF_GROUP) == set(get_args(Group))


def test_a_table_row_has_a_report() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 2))
    names = ["age", "income", "balance"]
    background = torch.randn(20, 3)
    found = explain(model, torch.ones(3), "shapley", background=background, feature_names=names)
    text = words(Report(found).html())
    assert all(name in text for name in names)
    assert Report(found).pdf().startswith(b"%PDF")


def test_the_pages_carry_text_and_provenance(report: Report, tmp_path: Path) -> None:
    data = report.save(tmp_path / "why.pdf").read_bytes()
    assert data.startswith(b"%PDF")
    streams = re.findall(rb"stream\r?\n(.*?)endstream", data, re.DOTALL)
    drawn = b""
    for stream in streams:
        try:
            drawn += zlib.decompress(stream.strip(b"\r\n"))
        except zlib.error:
            continue
    assert b"BT" in drawn, "the text was drawn, not written"
    assert b"/FontName" in data, "the fonts are not in the file"
    assert str(report.attribution.provenance["weights"]).encode() in data


def test_nothing_is_cut_from_a_page(report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = []
    bound = Sheets.bound

    def kept(self: Sheets, *arguments: object) -> bytes:
        pages.extend(self.pages)
        return bound(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Sheets, "bound", kept)
    report.pdf()
    assert len(pages) > 1
    for page in pages:
        renderer = FigureCanvasAgg(page).get_renderer()  # type: ignore[no-untyped-call]
        for text in page.texts:
            box = text.get_window_extent(renderer)
            right = box.x1 / page.bbox.width * WIDTH
            assert right <= WIDTH - EDGE + 1, f"{text.get_text()!r} leaves the page"
            assert box.y0 > 0, f"{text.get_text()!r} falls off the page"


def test_what_cannot_be_reported(explained: Attribution, tmp_path: Path) -> None:
    several = explain(cnn(), picture(2), "gradient", labels=LABELS)
    with pytest.raises(ExplanationError, match="holds 2"):
        Report(several)
    assert Report(several.row(1)).html()
    elsewhere = explain(cnn(), picture(seed=1), "gradient", labels=LABELS)
    with pytest.raises(ExplanationError, match="another input"):
        Report(explained, alternatives=[elsewhere])
    with pytest.raises(ExplanationError, match="docx"):
        Report(explained).save(tmp_path / "why.docx")
    assert not list(tmp_path.iterdir())


def test_the_explorer_reports_what_it_shows(wire: None, tmp_path: Path) -> None:
    explorer = Explorer(cnn(), picture(), labels=LABELS, method="gradient")
    explorer.wait()
    explorer.method = "occlusion"
    explorer.wait()
    explorer.checks.run(["deletion"])
    explorer.checks.wait()
    text = words(explorer.report(tmp_path / "why.html", context={"File": "7-A"}).read_text())
    for wanted in ("Occlusion", "Gradient", "Deletion", "File", "7-A", "attribution = explain("):
        assert wanted in text, f"{wanted!r} is not in the report"
    assert explorer.report(tmp_path / "why.pdf").read_bytes().startswith(b"%PDF")
    explorer.close()
