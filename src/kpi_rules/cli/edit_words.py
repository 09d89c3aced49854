"""Edits as options of `kpi-rules edit`, both ways.

An option is `HEAD=VALUE` or `HEAD`, and further `,key=VALUE`. A head ends at the first `=` or `,`, a value at the first
`,`. What has such a mark in it, or would be taken for something else, stands in quotation marks, as texts of TOML do,
and lists stand in square brackets: so nothing that a workspace may hold is ambiguous.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from attrs import define, evolve

from kpi_rules.cli.failures import RefusedError
from kpi_rules.cli.params import read_day, read_share
from kpi_rules.cli.simulating import read_value
from kpi_rules.locale import _
from kpi_rules.model.columns import QUOTA_INDICATORS, count_indicators
from kpi_rules.model.money import format_amount, parse_amount
from kpi_rules.workspace.edits import ParameterEdit, QuotaEdit, SwitchEdit
from kpi_rules.workspace.toml_text import written

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import date
    from os import PathLike

    import kpi_rules as kr
    from kpi_rules.workspace.edits import Edit

REMOVE: Final = "remove"
"""The amount that takes a quota away."""

_TEXT: Final = r'"(?:\\.|[^"\\])*"|\'[^\']*\''
_LIST: Final = rf"\[(?:{_TEXT}|[^\]\"'])*\]"
_HEAD: Final = re.compile(rf"{_TEXT}|[^,=]*")
_VALUE: Final = re.compile(rf"{_TEXT}|{_LIST}|[^,]*")
_KEY: Final = re.compile(r",([a-z]+)=")
_MARKS: Final = re.compile(r"[,=\"'\[\]{}#\s]")


@define
class Given:
    """One option as it is written: its head, the value beside it, and the values of its keys."""

    option: str
    text: str
    head: str
    value: str | None
    keys: dict[str, str]

    @classmethod
    def read(cls, option: str, text: str, form: str, keys: Collection[str]) -> Given:
        """Read an option's text; `form` is what it is to look like, `keys` what may follow.

        Raises:
            RefusedError: it is not of that form.
        """
        head = _found(_HEAD, text, 0)
        at, value = len(head), None
        if text[at : at + 1] == "=":
            value = _found(_VALUE, text, at + 1)
            at += 1 + len(value)
        found: dict[str, str] = {}
        while (match := _KEY.match(text, at)) and match[1] in keys and match[1] not in found:
            found[match[1]] = _found(_VALUE, text, match.end())
            at = match.end() + len(found[match[1]])
        if at < len(text) or not head or ("=" in form.partition("[")[0]) != bool(value):
            message = _("{option}: found '{text}'; expected {form}")
            raise RefusedError(message.format(option=option, text=text, form=form))
        return cls(option, text, _as_text(head), value, found)

    def word(self, key: str) -> str | None:
        """Return the text of a key."""
        return _as_text(self.keys[key]) if key in self.keys else None

    def day(self, key: str) -> date | None:
        """Return the date of a key.

        Raises:
            RefusedError: it is none.
        """
        text = self.word(key)
        day = read_day(text) if text is not None else None
        if text is not None and day is None:
            raise RefusedError(f"{self.option}: " + _("'{value}' is no date such as 2011-06-30").format(value=text))
        return day


def _found(pattern: re.Pattern[str], text: str, at: int) -> str:
    match = pattern.match(text, at)
    return match[0] if match is not None else ""


def _as_text(word: str) -> str:
    """Return what a word says: what stands in quotation marks, or the word."""
    found = read_value(word) if word[:1] in {'"', "'"} else word
    return found if isinstance(found, str) else word


def read_parameters(sets: Iterable[str], unsets: Iterable[str]) -> list[Edit]:
    """Read `--set` and `--unset`."""
    found: list[Edit] = []
    for text in sets:
        given = Given.read("--set", text, "NAME=VALUE[,from=DATE][,group=GROUP]", ("from", "group"))
        value = read_value(given.value or "")
        found.append(ParameterEdit(given.head, value, given.day("from"), given.word("group")))
    for text in unsets:
        given = Given.read("--unset", text, "NAME[,from=DATE][,group=GROUP]", ("from", "group"))
        found.append(ParameterEdit(given.head, None, given.day("from"), given.word("group")))
    return found


def read_quotas(workspace: kr.Workspace, texts: Iterable[str], note: str | None) -> list[Edit]:
    """Read `--quota`."""
    counts = count_indicators(workspace.plugins.indicators)
    found: list[Edit] = []
    for text in texts:
        form = "UNIT=AMOUNT[,indicator=NAME][,effective=DATE][,note=TEXT]"
        given = Given.read("--quota", text, form, ("indicator", "effective", "note"))
        indicator = given.word("indicator") or "funds"
        amount, value = None, _as_text(given.value or "")
        if value != REMOVE:
            amount = _count(value) if indicator in counts else parse_amount(value)
            if amount is None:
                expected = _("a whole number such as 12") if indicator in counts else _("an amount such as 4500万")
                message = _("{option}: found '{text}'; expected {form}")
                raise RefusedError(message.format(option="--quota", text=value, form=expected))
        own = given.word("note")
        edit_note = None if amount is None else note if own is None else own
        found.append(QuotaEdit(given.head, amount, indicator, given.day("effective"), edit_note))
    return found


def read_scales(workspace: kr.Workspace, texts: Iterable[str], note: str | None) -> list[Edit]:
    """Read `--scale`, as the edits that it comes to."""
    import kpi_rules as kr

    found: list[Edit] = []
    for text in texts:
        form = "GROUP=FACTOR[,indicator=NAME][,effective=DATE]"
        given = Given.read("--scale", text, form, ("indicator", "effective"))
        factor = read_share(given.value or "")
        if factor is None:
            message = _("{option}: found '{text}'; expected {form}")
            raise RefusedError(message.format(option="--scale", text=given.value, form=_("a decimal such as 1.05")))
        indicator, day = given.word("indicator") or "funds", given.day("effective")
        found += _refused(
            lambda name=given.head, factor=factor, indicator=indicator, day=day: kr.scale_quotas(  # type: ignore[misc]  # bound here
                workspace, name, factor, indicator=indicator, effective=day, note=note
            )
        )
    return found


def read_splits(workspace: kr.Workspace, texts: Iterable[str], note: str | None) -> list[Edit]:
    """Read `--split`, as the edits that it comes to; without `--note` each part says what it is a part of."""
    import kpi_rules as kr

    found: list[Edit] = []
    for text in texts:
        form = "UNIT[,by=equal|weight][,indicator=NAME][,effective=DATE]"
        given = Given.read("--split", text, form, ("by", "indicator", "effective"))
        by, indicator, day = given.word("by") or "equal", given.word("indicator") or "funds", given.day("effective")
        if by not in {"equal", "weight"}:
            message = _("{option}: found '{text}'; expected {form}")
            raise RefusedError(message.format(option="--split", text=by, form=_("equal or weight")))

        def split(unit: str = given.head, by: str = by, name: str = indicator, day: date | None = day) -> list[Edit]:
            parts = kr.split_quota(workspace, unit, name, by=by, effective=day)  # type: ignore[arg-type]  # one of both
            return list(kr.edits_of_split(workspace, parts))

        edits = _refused(split)
        if note is not None:
            edits = [evolve(edit, note=note) for edit in edits if isinstance(edit, QuotaEdit)]
        found += edits
    return found


def read_switches(on: Iterable[str], off: Iterable[str]) -> list[Edit]:
    """Read `--on` and `--off`."""
    return [*(SwitchEdit(name, on=True) for name in on), *(SwitchEdit(name, on=False) for name in off)]


def _refused(make: Callable[[], Sequence[Edit]]) -> list[Edit]:
    try:
        return list(make())
    except ValueError as error:  # the message says what is unknown
        raise RefusedError(str(error)) from error


def _count(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\d{1,12}", text, re.ASCII) else None


def edit_command(
    folder: str | PathLike[str],
    edits: Iterable[Edit],
    note: str | None = None,
    *,
    save: bool = True,
    workspace: kr.Workspace | None = None,
) -> list[str]:
    """Return the command that does what edits do, as arguments; `shlex.join` writes it for a shell.

    Args:
        folder: the workspace's.
        edits: the edits; texts of cells that `Saved.undo` keeps are not in it, amounts are as people write them.
        note: the note of all edits of quotas that have none of their own.
        save: whether the command writes; without it shows what would change.
        workspace: what the folder holds, where that was read already; it is read for quotas of a policy's indicator.
    """
    path = str(folder)
    counts = set(QUOTA_INDICATORS[1:])
    edits = list(edits)
    if any(isinstance(edit, QuotaEdit) and edit.indicator not in QUOTA_INDICATORS for edit in edits):
        if workspace is None:
            from kpi_rules.workspace.workspace import load

            workspace = load(folder)
        counts = set(count_indicators(workspace.plugins.indicators))
    words = ["kpi-rules", "edit", f"./{path}" if path.startswith("-") else path]
    for edit in edits:
        words += _option(edit, counts)
    return [*words, *([] if note is None else ["--note", note]), *(["--save"] if save else [])]


def _option(edit: Edit, counts: Collection[str]) -> list[str]:
    if isinstance(edit, SwitchEdit):
        return ["--on" if edit.on else "--off", edit.name]
    if isinstance(edit, ParameterEdit):
        keys = {"from": edit.from_on, "group": edit.group}
        if edit.value is None:
            return ["--unset", _word(edit.name) + _keys(keys)]
        return ["--set", f"{_word(edit.name)}={_value(edit.value)}{_keys(keys)}"]
    amount = REMOVE
    if edit.amount is not None:
        amount = str(edit.amount) if edit.indicator in counts else format_amount(edit.amount)
    indicator = None if edit.indicator == "funds" else edit.indicator
    keys = {"indicator": indicator, "effective": edit.effective, "note": edit.note}
    return ["--quota", f"{_word(edit.unit)}={amount}{_keys(keys)}"]


def _keys(keys: dict[str, date | str | None]) -> str:
    shown = ((key, str(value)) for key, value in keys.items() if value is not None)
    return "".join(f",{key}={_word(value)}" for key, value in shown)


def _word(text: str) -> str:
    """Write a text, in quotation marks where a mark in it would end it."""
    return text if text and not _MARKS.search(text) else written(text)


def _value(value: object) -> str:
    """Write a value as `read_value` reads it back: a text without quotation marks where it needs none."""
    if isinstance(value, str):
        return value if not _MARKS.search(value) and read_value(value) == value and value else written(value)
    return written(value if not isinstance(value, float) else Decimal(repr(value)))
