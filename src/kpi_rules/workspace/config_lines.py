"""Where each key of a TOML document stands, so that a problem can name its line and an edit its characters.

tomli gives values without positions. `Walk` goes through a document that tomli has accepted and notes the line of every
key and of every element of an array, and where keys and values begin and end; it decides nothing about what is valid.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import tomli
from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Path = tuple[str | int, ...]
"""The way to a value: names of keys, and places in arrays counted from 0."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[^\s=.\[\]{},#\"']+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_PLAIN_VALUE = re.compile(r"[^,\]}#\n]*")


@define(frozen=True)
class Lines:
    """The lines of the keys of one document, counted from 1; empty where there is no text, as in memory."""

    at: Mapping[Path, int] = field(factory=dict)

    def find(self, path: Path) -> int | None:
        """Return the line of a key, or of the nearest table around it that has one."""
        for length in range(len(path), 0, -1):
            if (line := self.at.get(path[:length])) is not None:
                return line
        return None


def lines_of(text: str) -> Lines:
    """Return the lines of every key of a valid TOML document."""
    return Lines(Walk(text).at)


def dotted(path: Path) -> str:
    """Write a path as people do: `campaign[2].share`; elements of an array are counted from 1."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            text += ("." if text else "") + (part if _BARE_KEY.fullmatch(part) else f'"{part}"')
    return text


Span = tuple[int, int]
"""Where something begins and ends in a text, in characters, the end exclusive."""


class Walk:
    """One walk over a document: a position in the text, and what has been seen so far.

    `at` are lines by path, counted from 1; `values` the spans of values, `pairs` those of keys with their values;
    `headers` where `[section]` and `[[section]]` begin, and `ends` the end of the last thing in each table that has a
    header, its tables below left out; `()` is the table of what stands before all headers.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.pos = 0
        self.line = 1
        self.at: dict[Path, int] = {}
        self.arrays: dict[Path, int] = {}
        self.values: dict[Path, Span] = {}
        self.pairs: dict[Path, Span] = {}
        self.headers: dict[Path, int] = {}
        self.ends: dict[Path, int] = {(): 0}
        self._document()

    def _document(self) -> None:
        table: Path = ()
        self._skip(_BLANK)
        while self.pos < len(self.text):
            if self.text[self.pos] == "[":
                table = self._header()
                self.ends[table] = self.pos
            else:
                self.ends[table] = self._pair(table)
            self._skip(_BLANK)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.pos)
        found = match[0] if match else ""
        self.pos += len(found)
        self.line += found.count("\n")
        return found

    def _step(self) -> None:
        """Pass one mark: a bracket, a comma, an equals sign, a point."""
        self.pos += 1

    def _header(self) -> Path:
        """Read `[a.b]` or `[[a.b]]`; a key of an array of tables means its last table."""
        is_array = self.text.startswith("[[", self.pos)
        start, line = self.pos, self.line
        self.pos += 2 if is_array else 1
        path = self._resolve((), self._key())
        self.pos += 2 if is_array else 1
        if is_array:
            count = self.arrays.get(path, 0)
            self.at.setdefault(path, line)
            self.arrays[path] = count + 1
            path = (*path, count)
        self.at.setdefault(path, line)
        self.headers[path] = start
        return path

    def _resolve(self, table: Path, keys: Sequence[str]) -> Path:
        path = table
        for number, key in enumerate(keys):
            path = (*path, key)
            self.at.setdefault(path, self.line)
            if path in self.arrays and number < len(keys) - 1:
                path = (*path, self.arrays[path] - 1)
        return path

    def _key(self) -> list[str]:
        keys = []
        while True:
            self._skip(_SPACE)
            if self.text[self.pos] in "\"'":
                keys.append(tomli.loads(f"key = {self._skip(_STRING)}")["key"])
            else:
                keys.append(self._skip(_BARE_KEY))
            self._skip(_SPACE)
            if self.text[self.pos] != ".":
                return keys
            self._step()

    def _pair(self, table: Path) -> int:
        """Read `key = value`, and give back where it ends."""
        start = self.pos
        path = self._resolve(table, self._key())
        self._step()
        self._skip(_SPACE)
        self._value(path)
        end = self.values[path][1]
        self.pairs[path] = (start, end)
        return end

    def _value(self, path: Path) -> None:
        start = self.pos
        self._any_value(path)
        self.values[path] = (start, start + len(self.text[start : self.pos].rstrip()))

    def _any_value(self, path: Path) -> None:
        mark = self.text[self.pos]
        if mark in "\"'":
            self._skip(_STRING)
        elif mark == "[":
            self._inside(path, "]")
        elif mark == "{":
            self._inside(path, "}")
        else:
            self._skip(_PLAIN_VALUE)

    def _inside(self, path: Path, close: str) -> None:
        """Read an array or an inline table."""
        self._step()
        count = 0
        self._skip(_BLANK)
        while self.text[self.pos] != close:
            if close == "]":
                self.at.setdefault((*path, count), self.line)
                self._value((*path, count))
                count += 1
            else:
                self._pair(path)
            self._skip(_BLANK)
            if self.text[self.pos] == ",":
                self._step()
                self._skip(_BLANK)
        self._step()
