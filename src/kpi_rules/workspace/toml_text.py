"""A TOML document edited as text: what is not edited stays as it is, to the character.

Libraries that keep the style of a document lose some of it: tomlkit drops blanks in inline tables and puts interleaved
arrays of tables into another order. Here an edit replaces, inserts or removes a few characters, found by
`config_lines.Walk`; whoever edits holds the result against what it should say (`config_edits`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from kpi_rules.workspace.config_lines import Walk

if TYPE_CHECKING:
    from kpi_rules.workspace.config_lines import Path, Span

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_FILLING: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_REST_OF_LINE: Final = re.compile(r"[ \t]*,?[ \t]*(?:#[^\n]*)?\r?(?:\n|\Z)")
_INDENT: Final = "    "


def written(value: object) -> str:
    """Write a value as TOML: texts in quotes, decimals with a point, lists and tables on one line.

    Raises:
        TypeError: TOML has no such value.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text if "." in text or not value.is_finite() else f"{text}.0"
    if isinstance(value, (int, date)):
        return str(value)
    if isinstance(value, Mapping):
        inner = ", ".join(f"{written_key(str(key))} = {written(each)}" for key, each in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(written(each) for each in value) + "]"
    raise TypeError(f"TOML has no value such as {value!r}")


def written_key(key: str) -> str:
    """Write a key, in quotes where it needs them."""
    return key if _BARE.fullmatch(key) else written(key)


def replaced(text: str, path: Path, value: object) -> str:
    """Return a document with another value at a path that is there."""
    start, end = Walk(text).values[path]
    return text[:start] + written(value) + text[end:]


def with_key(text: str, section: str, key: str, value: object) -> str:
    """Return a document with a key more in a section, which is made where there is none."""
    walk, line = Walk(text), f"{written_key(key)} = {written(value)}"
    if (section,) in walk.headers:
        own = [span for path, span in walk.pairs.items() if path[:-1] == (section,)]
        indent = _indent(text, own[-1][0]) if own else ""
        return _with_line(text, walk.ends[section,], indent + line)
    if (section,) in walk.values:  # `section = { ... }`
        start, end = walk.values[section,]
        inside = [span for path, span in walk.pairs.items() if path[:-1] == (section,)]
        if not inside:
            return text[:start] + f"{{ {line} }}" + text[end:]
        return text[: inside[-1][1]] + f", {line}" + text[inside[-1][1] :]
    first_header = min(walk.headers.values(), default=len(text))
    own = [span for path, span in walk.pairs.items() if path[0] == section and span[0] < first_header]
    if own:  # `section.key = ...` above all headers
        return _with_line(text, own[-1][1], _indent(text, own[-1][0]) + f"{written_key(section)}.{line}")
    gap = ("" if not text or text.endswith("\n") else _newline(text)) + (_newline(text) if text.strip() else "")
    return text + f"{gap}[{written_key(section)}]{_newline(text)}{line}{_newline(text)}"


def without_key(text: str, path: Path) -> str:
    """Return a document without a key; a section with nothing else in it, not even a remark, goes with its last."""
    walk = Walk(text)
    start, end = walk.pairs[path]
    if text[_line_start(text, start) : start].strip():  # in an inline table
        spans = [span for other, span in walk.pairs.items() if other[:-1] == path[:-1] and len(other) == len(path)]
        return _cut(text, spans, spans.index((start, end)))
    text = text[: _line_start(text, start)] + text[_line_end(text, end) :]
    return _without_empty(text, path[:-1])


def with_element(text: str, path: Path, value: object) -> str:
    """Return a document with one value more at the end of an array, on a line of its own where the others are."""
    walk, new = Walk(text), written(value)
    (open_, close), spans = walk.values[path], _elements(walk, path)
    if not spans:
        return text[: open_ + 1] + new + text[open_ + 1 :]
    start, last = spans[-1]
    filling = _FILLING.match(text, last)
    comma = filling.end() if filling is not None and text[filling.end()] == "," else None
    after = last if comma is None else comma + 1
    newline = text.find("\n", after, close)
    own_line = not text[_line_start(text, start) : start].strip()
    if newline < 0 or not own_line:
        return text[:after] + (f", {new}" if comma is None else f" {new},") + text[after:]
    newline -= text[newline - 1] == "\r"
    line = _newline(text) + _indent(text, start) + new + ("" if comma is None else ",")
    return text[:last] + ("," if comma is None else "") + text[last:newline] + line + text[newline:]


def without_element(text: str, path: Path, number: int) -> str:
    """Return a document without one value of an array, by its number from 0."""
    walk = Walk(text)
    spans = _elements(walk, path)
    start, end = spans[number]
    rest = _REST_OF_LINE.match(text, end)
    if rest is not None and not text[_line_start(text, start) : start].strip():
        return text[: _line_start(text, start)] + text[rest.end() :]
    if len(spans) == 1:
        opened, closed = walk.values[path]
        return text[:opened] + "[]" + text[closed:]
    return _cut(text, spans, number)


def dated(text: str, path: Path, entry: object) -> str:
    """Return a document in which a plain value is the first of two entries: the value as it is, and a dated one."""
    walk = Walk(text)
    start, end = walk.values[path]
    newline, indent = _newline(text), _indent(text, walk.pairs[path][0])
    lines = [f"{indent}{_INDENT}{{ value = {text[start:end]} }},", f"{indent}{_INDENT}{written(entry)},"]
    return text[:start] + newline.join(["[", *lines, f"{indent}]"]) + text[end:]


def undated(text: str, path: Path) -> str:
    """Return a document in which an array of one entry without date and group is the plain value."""
    walk = Walk(text)
    (start, end), (low, high) = walk.values[path], walk.values[*path, 0, "value"]
    return text[:start] + text[low:high] + text[end:]


def has_remarks(text: str, path: Path) -> bool:
    """Say whether there are remarks in an array, between its elements."""
    walk = Walk(text)
    start, end = walk.values[path]
    for low, high in reversed(_elements(walk, path)):
        end, text = end - (high - low), text[:low] + text[high:]
    return "#" in text[start:end]


def _elements(walk: Walk, path: Path) -> list[Span]:
    count = sum(1 for other in walk.values if other[:-1] == path and isinstance(other[-1], int))
    return [walk.values[*path, number] for number in range(count)]


def _cut(text: str, spans: Sequence[Span], number: int) -> str:
    """Cut one of several things on a line that commas are between."""
    if number + 1 < len(spans):
        return text[: spans[number][0]] + text[spans[number + 1][0] :]
    return text[: spans[number - 1][1] if number else spans[number][0]] + text[spans[number][1] :]


def _without_empty(text: str, section: Path) -> str:
    """Leave out a section of nothing but its header, with the blank line above it."""
    walk = Walk(text)
    if section not in walk.headers or walk.ends[section] != _header_end(text, walk.headers[section]):
        return text
    start = walk.headers[section]
    end = min((at for at in walk.headers.values() if at > start), default=len(text))
    if text[walk.ends[section] : end].strip() or any(path[:1] == section and path != section for path in walk.at):
        return text
    start = _line_start(text, start)
    above = text[:start].removesuffix("\n").removesuffix("\r")
    blank = start if not text[_line_start(above, len(above)) : len(above)].strip() else None
    kept = text[: _line_start(above, len(above))] if blank is not None and above else text[:start]
    return kept + text[end:] if text[end:] else kept


def _header_end(text: str, start: int) -> int:
    """Return where a header ends; keys in quotes may hold brackets, so the line's last one counts."""
    line = text[start : _line_end(text, start)].partition("#")[0].rstrip()
    return start + len(line)


def _with_line(text: str, at: int, line: str) -> str:
    """Insert a line below the one on which something ends."""
    end = _line_end(text, at)
    if end == len(text) and not text.endswith("\n"):
        return text + _newline(text) + line
    return text[:end] + line + _newline(text) + text[end:]


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _indent(text: str, at: int) -> str:
    before = text[_line_start(text, at) : at]
    return before[: len(before) - len(before.lstrip())]


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _line_end(text: str, at: int) -> int:
    """Return where the next line begins."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1
