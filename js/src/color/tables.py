"""Writes tables.ts: matplotlib's colour maps as 256 RGB entries each, in base64.

The browser then colours exactly as the exported figure does. Run it again to add a map:
`python js/src/color/tables.py`.
"""

import base64
from pathlib import Path

import matplotlib as mpl
import numpy as np

DIVERGING = ["RdBu_r", "PiYG", "PuOr_r", "coolwarm", "seismic"]
SEQUENTIAL = ["inferno", "viridis", "magma", "cividis", "Greys"]


def encode(name: str) -> str:
    colours = mpl.colormaps[name](np.arange(256), bytes=True)[:, :3]
    return base64.b64encode(colours.tobytes()).decode()


def literal(names: list[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


lines = [
    "// Generated from matplotlib by color/tables.py. Do not edit.",
    "",
    "/** 256 RGB entries each, as base64. */",
    "export const TABLES: Record<string, string> = {",
    *(f'\t{name}: "{encode(name)}",' for name in DIVERGING + SEQUENTIAL),
    "};",
    "",
    f"export const DIVERGING = {literal(DIVERGING)};",
    "",
    f"export const SEQUENTIAL = {literal(SEQUENTIAL)};",
    "",
]
Path(__file__).with_name("tables.ts").write_text("\n".join(lines))
