"""Writes js/src/model/protocol.ts from widget/protocol/: `python -m tests.typescript`."""

from __future__ import annotations

import types
import typing
from pathlib import Path
from typing import Any, Literal, NotRequired, Union, get_args, get_origin

from nbxplain.widget import protocol

TARGET = Path(__file__).parents[1] / "js" / "src" / "model" / "protocol.ts"
PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", bytes: "Bytes"}
HEADER = """// Generated from widget/protocol/ by `python -m tests.typescript`. Do not edit.

/** Bytes as hosts deliver them: Jupyter a DataView, a saved page a Uint8Array. */
export type Bytes = DataView | ArrayBuffer | Uint8Array<ArrayBuffer>;
"""


def typescript(annotation: Any) -> str:
    """The TypeScript type of a Python annotation."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is None or annotation is type(None):
        return "null"
    if annotation is Any:
        return "unknown"
    if annotation in PLAIN:
        return PLAIN[annotation]
    if origin is NotRequired:
        return typescript(arguments[0])
    if origin is Literal:
        return " | ".join(f'"{a}"' if isinstance(a, str) else str(a) for a in arguments)
    if origin in (Union, types.UnionType):
        return " | ".join(typescript(a) for a in arguments)
    if origin is list:
        inner = typescript(arguments[0])
        return f"({inner})[]" if "|" in inner else f"{inner}[]"
    if origin is dict:
        return f"Record<string, {typescript(arguments[1])}>"
    return str(annotation.__name__)


def interface(definition: Any) -> str:
    """A TypedDict as an exported interface."""
    hints = typing.get_type_hints(definition, include_extras=True)
    fields = "".join(
        f"\t{name}{'?' if get_origin(hint) is NotRequired else ''}: {typescript(hint)};\n"
        for name, hint in hints.items()
    )
    return f"export interface {definition.__name__} {{\n{fields}}}\n"


def source() -> str:
    """The whole of protocol.ts."""
    parts = [HEADER, f"export const VERSION = {protocol.VERSION};\n"]
    for name, value in vars(protocol).items():
        if typing.is_typeddict(value):
            parts.append(interface(value))
        elif get_origin(value) in (Literal, Union, types.UnionType):
            literal = get_origin(value) is Literal
            union = (
                typescript(value).split(" | ")
                if literal
                else [typescript(a) for a in get_args(value)]
            )
            line = f"export type {name} = {' | '.join(union)};\n"
            if len(line) > 81:
                line = f"export type {name} =" + "".join(f"\n\t| {u}" for u in union) + ";\n"
            parts.append(line)
    return "\n".join(parts)


if __name__ == "__main__":
    TARGET.write_text(source())
