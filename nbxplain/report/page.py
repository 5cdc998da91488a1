"""A report as a page: one file, no scripts, readable on a screen and on paper."""

from __future__ import annotations

import base64
import io
from functools import singledispatch
from html import escape

from nbxplain.report.blocks import Code, Facts, Plate, Points, Section, Table, Text

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title} · nbxplain</title>
<style>{style}</style>
</head>
<body>
<main>
<header><p class="kind">Report of an explanation</p><h1>{title}</h1></header>
{body}
</main>
</body>
</html>
"""

STYLE = """
:root { color-scheme: light; --ink: #1f2328; --grey: #59636e; --line: #d5d9df; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 780px; margin: 0 auto; padding: 48px 24px 72px; }
.kind, h2 { color: var(--grey); font-size: 12px; font-weight: 600; letter-spacing: .08em;
  text-transform: uppercase; }
.kind { margin: 0; }
h1 { margin: 4px 0 8px; font-size: 28px; line-height: 1.2; font-weight: 650; }
section { margin-top: 32px; padding-top: 4px; border-top: 1px solid var(--line); }
h2 { margin: 12px 0; }
p { margin: 8px 0; }
dl { display: grid; grid-template-columns: minmax(110px, max-content) 1fr; gap: 4px 20px;
  margin: 8px 0; }
dt { color: var(--grey); }
dd { margin: 0; overflow-wrap: anywhere; }
table { width: 100%; margin: 12px 0; border-collapse: collapse; font-size: 14px;
  font-variant-numeric: tabular-nums; }
th { color: var(--grey); font-weight: 500; text-align: left; }
th, td { padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.good { color: #1a7f37; } .weak { color: #8a5a00; } .poor { color: #b3261e; }
.verdict { white-space: nowrap; }
figure { display: inline-block; max-width: 100%; margin: 16px 0; vertical-align: top; }
img { display: block; width: 100%; height: auto; }
figcaption { margin-top: 4px; color: var(--grey); font-size: 13px; }
li { margin: 6px 0; }
ul { padding-left: 20px; }
pre { padding: 12px 16px; overflow-x: auto; border: 1px solid var(--line); border-radius: 6px;
  font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
  white-space: pre-wrap; }
@page { size: A4; margin: 18mm; }
@media print {
  main { max-width: none; padding: 0; }
  body { font-size: 10.5pt; }
  figure, tr, pre, li { break-inside: avoid; }
  h2 { break-after: avoid; }
}
"""


FULL = 175.0
"""Millimetres of a figure that takes the whole width."""


def page(title: str, sections: list[Section]) -> str:
    """The page; every text is escaped."""
    body = "\n".join(
        f"<section><h2>{escape(section.title)}</h2>{''.join(map(_html, section.blocks))}</section>"
        for section in sections
    )
    return PAGE.format(title=escape(title), style=STYLE, body=body)


@singledispatch
def _html(block: object) -> str:
    raise TypeError(f"{type(block).__name__} is no block of a report")


@_html.register
def _(block: Text) -> str:
    return f"<p>{escape(block.text)}</p>"


@_html.register
def _(block: Points) -> str:
    return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in block.items)}</ul>"


@_html.register
def _(block: Facts) -> str:
    rows = (f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in block.rows)
    return f"<dl>{''.join(rows)}</dl>"


@_html.register
def _(block: Table) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in block.head)
    lines = []
    for row in block.rows:
        place = block.head.index("verdict") if "verdict" in block.head else -1
        cells = (
            f'<td class="verdict {row.verdict}">{escape(cell)}</td>'
            if column == place
            else f"<td>{escape(cell)}</td>"
            for column, cell in enumerate(row.cells)
        )
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


@_html.register
def _(block: Plate) -> str:
    buffer = io.BytesIO()
    # Letters become outlines, so that the figure is the same with any fonts.
    block.figure.savefig(buffer, format="svg", dpi=block.figure.dpi)
    data = base64.b64encode(buffer.getvalue()).decode()
    says = escape(block.says)
    wide = 100 * min(1, float(block.figure.get_size_inches()[0]) * 25.4 / FULL)
    image = f'<img alt="{says}" src="data:image/svg+xml;base64,{data}">'
    return f'<figure style="width: {wide:.0f}%">{image}<figcaption>{says}</figcaption></figure>'


@_html.register
def _(block: Code) -> str:
    return f"<pre><code>{escape(block.text)}</code></pre>"
