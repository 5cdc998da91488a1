"""Report: what was asked, by which model, with which data, and how the answer was checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nbxplain.core.errors import InputError
from nbxplain.evaluation.check import Check
from nbxplain.report.blocks import Section
from nbxplain.report.page import page
from nbxplain.report.paper import paper
from nbxplain.report.sections import sections
from nbxplain.results import Attribution


@dataclass(frozen=True)
class Report:
    """One explanation of one input, ready to be filed.

    checks: what nbxplain.evaluation found out about it, beside `attribution.checks`.
    alternatives: explanations of the same input by other methods or for other classes. context:
    what the reader should know besides, by name ("Requested by", "Intended use"). code: what
    reproduces the explanation. Raises InputError for a batch, and for alternatives of another
    input.
    """

    attribution: Attribution
    checks: Sequence[Check] = ()
    alternatives: Sequence[Attribution] = ()
    context: Mapping[str, str] = field(default_factory=dict)
    code: str = ""

    def __post_init__(self) -> None:
        if len(self.attribution.values) != 1:
            raise InputError(
                f"A report is of one explanation; this holds {len(self.attribution.values)}.",
                "Take one: Report(attribution.row(0)).",
            )
        for other in self.alternatives:
            same = other.inputs.tensor.shape == self.attribution.inputs.tensor.shape
            if not same or not bool((other.inputs.tensor == self.attribution.inputs.tensor).all()):
                raise InputError(
                    f"{other.method.label} explains another input.",
                    "Give alternatives for the input of the report.",
                )

    @property
    def title(self) -> str:
        """The question that is answered."""
        model = self.attribution.provenance.get("model", "the model")
        return f"Why did {model} say {self.attribution.target[0]}?"

    @property
    def sections(self) -> list[Section]:
        """The report as blocks, whatever it is written as."""
        checks = {**self.attribution.checks, **{check.name: check for check in self.checks}}
        made = [check for check in checks.values() if check.complete]
        return sections(self.attribution, made, self.alternatives, dict(self.context), self.code)

    def html(self) -> str:
        """A self-contained page: no scripts, nothing from a network, made to be printed too."""
        return page(self.title, self.sections)

    def pdf(self) -> bytes:
        """Pages of A4 with text that can be searched."""
        return paper(self.title, self.sections, self.attribution.provenance)

    def encode(self, format: str) -> bytes:
        """The bytes of an html or pdf file. Raises InputError for other formats."""
        if format == "html":
            return self.html().encode()
        if format == "pdf":
            return self.pdf()
        raise InputError(
            f"A report cannot be written as {format or 'a file without suffix'}.",
            "Choose .html or .pdf.",
        )

    def save(self, path: str | Path) -> Path:
        """Writes .html or .pdf; returns the path. Raises InputError for other suffixes."""
        path = Path(path)
        path.write_bytes(self.encode(path.suffix.lstrip(".").lower()))
        return path

    def __repr__(self) -> str:
        return f"<Report: {self.title}>"
