"""Writes matplotlib's colour maps for the browser, which then colours as the exported figure does.

tables.ts holds a few anchors of each map: between them the straight line misses no channel of the
256 entries by more than 1 of 255, and the bundle is 9 kB smaller. test/tables.json holds all
entries (RGB, in base64), for the tests. Run it again to add a map: `python js/src/color/tables.py`.
"""

import base64
import json
from pathlib import Path

import matplotlib as mpl
import numpy as np

DIVERGING = ["RdBu_r", "PiYG", "PuOr_r", "coolwarm", "seismic"]
SEQUENTIAL = ["inferno", "viridis", "magma", "cividis", "Greys"]
HERE = Path(__file__).parent


def entries(name: str) -> np.ndarray:
    return mpl.colormaps[name](np.arange(256), bytes=True)[:, :3]


def line(table: np.ndarray, first: int, last: int) -> np.ndarray:
    share = (np.arange(first, last + 1)[:, None] - first) / (last - first)
    start, end = table[first].astype(float), table[last].astype(float)
    return np.floor(start + (end - start) * share + 0.5)


def anchors(table: np.ndarray) -> np.ndarray:
    """(n, 4) bytes: index, red, green, blue. The next is as far as the line holds."""
    at = [0]
    while at[-1] < 255:
        first = at[-1]
        at.append(
            next(
                last
                for last in range(255, first, -1)
                if abs(line(table, first, last) - table[first : last + 1]).max() <= 1
            )
        )
    return np.column_stack([np.array(at, np.uint8), table[at]])


def encode(table: np.ndarray) -> str:
    return base64.b64encode(table.tobytes()).decode()


def literal(names: list[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


if __name__ == "__main__":
    whole = {name: entries(name) for name in DIVERGING + SEQUENTIAL}
    lines = [
        "// Generated from matplotlib by color/tables.py. Do not edit.",
        "",
        "/** Anchors as base64, four bytes each: index, red, green, blue. */",
        "export const TABLES: Record<string, string> = {",
        *(f'\t{name}: "{encode(anchors(table))}",' for name, table in whole.items()),
        "};",
        "",
        f"export const DIVERGING = {literal(DIVERGING)};",
        "",
        f"export const SEQUENTIAL = {literal(SEQUENTIAL)};",
        "",
    ]
    (HERE / "tables.ts").write_text("\n".join(lines))
    full = {name: encode(table) for name, table in whole.items()}
    (HERE.parents[1] / "test" / "tables.json").write_text(json.dumps(full, indent="\t") + "\n")
