"""Edits of `kpi.toml`: what changes in the document, done to its text and, to hold that against, to what it says."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

import tomli
from attrs import define

from kpi_rules.locale import _
from kpi_rules.model.problems import Place, Problem, error
from kpi_rules.workspace import toml_text
from kpi_rules.workspace.config_lines import dotted, lines_of
from kpi_rules.workspace.config_parameters import is_dated

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kpi_rules.workspace.config_lines import Path
    from kpi_rules.workspace.edits import ParameterEdit

PLUGINS = "plugins"


class Change(Protocol):
    """One change of a document."""

    @property
    def path(self) -> Path:
        """Where it is made."""
        ...

    def on_text(self, text: str) -> str:
        """Return the document's text with it."""
        ...

    def on_values(self, raw: dict[str, Any]) -> None:
        """Make it in what the document says."""
        ...


@define(frozen=True)
class Put:
    """A value at a path, whether there is one or not."""

    path: Path
    value: object

    def on_text(self, text: str) -> str:
        """Replace the value, or insert the key into its section."""
        if at(tomli.loads(text), self.path) is not None:
            return toml_text.replaced(text, self.path, self.value)
        section, key = self.path
        return toml_text.with_key(text, str(section), str(key), self.value)

    def on_values(self, raw: dict[str, Any]) -> None:
        """Put it there."""
        inner: Any = raw
        for part in self.path[:-1]:
            inner = inner.setdefault(part, {}) if isinstance(inner, dict) else inner[part]
        inner[self.path[-1]] = self.value


@define(frozen=True)
class Remove:
    """No key, or no element of an array, at a path."""

    path: Path

    def on_text(self, text: str) -> str:
        """Cut it out."""
        last = self.path[-1]
        if isinstance(last, int):
            return toml_text.without_element(text, self.path[:-1], last)
        return toml_text.without_key(text, self.path)

    def on_values(self, raw: dict[str, Any]) -> None:
        """Take it away."""
        del at(raw, self.path[:-1])[self.path[-1]]


@define(frozen=True)
class Append:
    """One element more in an array."""

    path: Path
    value: object

    def on_text(self, text: str) -> str:
        """Insert it behind the last."""
        return toml_text.with_element(text, self.path, self.value)

    def on_values(self, raw: dict[str, Any]) -> None:
        """Append it."""
        found = at(raw, self.path)
        Put(self.path, [*found, self.value]).on_values(raw)


@define(frozen=True)
class Date:
    """A second entry, with a date or a group, beside a plain value."""

    path: Path
    value: Mapping[str, object]

    def on_text(self, text: str) -> str:
        """Make the plain value the entry of all groups from the start."""
        return toml_text.dated(text, self.path, self.value)

    def on_values(self, raw: dict[str, Any]) -> None:
        """Do the same."""
        Put(self.path, [{"value": at(raw, self.path)}, dict(self.value)]).on_values(raw)


@define(frozen=True)
class Undate:
    """A plain value in place of the one entry that is left."""

    path: Path

    def on_text(self, text: str) -> str:
        """Keep the value's own characters."""
        return toml_text.undated(text, self.path)

    def on_values(self, raw: dict[str, Any]) -> None:
        """Put the value there."""
        Put(self.path, at(raw, self.path)[0]["value"]).on_values(raw)


def at(raw: Any, path: Path) -> Any:  # noqa: ANN401 (a document of TOML)
    """Return what a document says at a path; None where nothing is there."""
    for part in path:
        if isinstance(part, int):
            raw = raw[part] if isinstance(raw, (list, tuple)) and part < len(raw) else None
        else:
            raw = raw.get(part) if isinstance(raw, Mapping) else None
    return raw


@define
class Document:
    """`kpi.toml` being edited: its text, None in memory, and what it says.

    Attributes:
        file: its name, for problems.
        text: without byte order mark.
        raw: the values, numbers with a point as `Decimal`.
    """

    file: str
    text: str | None
    raw: dict[str, Any]

    @classmethod
    def of(cls, content: bytes | None, raw: Mapping[str, object], file: str) -> Document:
        """Make one of the file's bytes, or of what a workspace in memory was made of."""
        text = None if content is None else content.decode("utf-8-sig")
        return cls(file, text, deepcopy(dict(raw)))

    def change(self, changes: Iterable[Change]) -> Problem | None:
        """Make changes; a problem where the text would not say afterwards what it should."""
        for change in changes:
            change.on_values(self.raw)
            if self.text is None:
                continue
            try:
                new = change.on_text(self.text)
                said = tomli.loads(new, parse_float=Decimal)
            except (KeyError, IndexError, ValueError):
                said, new = {}, self.text
            if _filled(said) != _filled(_plain(self.raw)):
                place = Place(self.file, line=lines_of(self.text).find(change.path), key=dotted(change.path))
                found = _("a document written in a way that cannot be edited here")
                return error("edit-by-hand", place, found=found, expected=_("the change made by hand"))
            self.text, self.raw = new, said
        return None

    def parameter(self, path: Path, edit: ParameterEdit) -> list[Change] | None:
        """Return the changes that an edit of a parameter written at a path is; None where it takes away what is not
        there.
        """
        written, removes = at(self.raw, path), edit.value is None
        value = list(edit.value) if isinstance(edit.value, tuple) else edit.value
        new = {"value": value, **_key(edit)}
        if written is None:
            return None if removes else [Put(path, [new] if len(new) > 1 else value)]
        number = _numbered(written, edit)
        if removes:
            return None if number is None else self._taken(path, number)
        if number is None:
            return [Append(path, new) if is_dated(written) else Date(path, new)]
        return [Put((*path, number, "value") if is_dated(written) else path, value)]

    def _taken(self, path: Path, number: int) -> list[Change]:
        """Return the changes that take one entry away; one general value that is left alone becomes plain."""
        written = at(self.raw, path)
        if not is_dated(written) or len(written) == 1:
            return [Remove(path)]
        left = [each for place, each in enumerate(written) if place != number]
        is_plain = len(left) == 1 and isinstance(left[0], Mapping) and set(left[0]) == {"value"}
        if not is_plain or (self.text is not None and toml_text.has_remarks(self.text, path)):
            return [Remove((*path, number))]
        return [Remove((*path, number)), Undate(path)]

    def listed(self, key: str, name: str, *, there: bool) -> list[Change]:
        """Return the changes after which a name is in a list of `[plugins]`, or is not."""
        path: Path = (PLUGINS, key)
        names = at(self.raw, path)
        if names is None:
            return [Put(path, [name])] if there else []
        if there:
            return [] if name in names else [Append(path, name)]
        places = [number for number, each in enumerate(names) if each == name]
        if key == "off" and len(places) == len(names):
            return [Remove(path)] if places else []
        return [Remove((*path, number)) for number in reversed(places)]


def entry_of(raw: object, path: Path, edit: ParameterEdit) -> object:
    """Return the value that is written where an edit of a parameter written at a path would write; None for none."""
    written = at(raw, path)
    number = None if written is None else _numbered(written, edit)
    if number is None:
        return None
    return at(written, (number, "value")) if is_dated(written) else written


def _numbered(written: Any, edit: ParameterEdit) -> int | None:  # noqa: ANN401 (a document of TOML)
    """Return the number of the entry for a day and group; a plain value is number 0."""
    if not is_dated(written):
        return 0 if not _key(edit) else None
    key = _key(edit)
    return next(
        (number for number, each in enumerate(written) if isinstance(each, Mapping) and _rest(each) == key), None
    )


def _key(edit: ParameterEdit) -> dict[str, object]:
    found = {"from": edit.from_on, "group": edit.group}
    return {name: value for name, value in found.items() if value is not None}


def _rest(entry: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in entry.items() if name != "value"}


def _filled(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out sections without a key: one goes with its last, unless there are remarks in it."""
    return {key: each for key, each in raw.items() if each != {}}


def _plain(raw: Any) -> Any:  # noqa: ANN401 (a document of TOML)
    """Return values as a reader of TOML gives them: floats as decimals."""
    if isinstance(raw, Mapping):
        return {key: _plain(each) for key, each in raw.items()}
    if isinstance(raw, (list, tuple)):
        return [_plain(each) for each in raw]
    return Decimal(repr(raw)) if isinstance(raw, float) else raw
