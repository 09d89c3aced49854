"""The steps that commands share: load a workspace, read decisions, assess."""

from __future__ import annotations

import csv
import os
import sys
from itertools import islice
from shlex import quote
from typing import TYPE_CHECKING, Final

import kpi_rules as kr
from kpi_rules.cli.failures import RefusedError, WorkspaceError, say
from kpi_rules.cli.screen import working
from kpi_rules.locale import _, ngettext

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    import polars as pl


SMALL: Final = 2 * 2**20
"""Bytes of the files of a workspace, some ten thousand rows, up to which one thread of polars is enough."""

FILES: Final = 200
"""Files that are looked at before a workspace counts as large."""

_ELSEWHERE: Final = (b"://", b'"/', b"'/", b"..", b":\\")
"""What a configuration has that names a table in a database or in another folder."""


def spare_threads(path: Path) -> None:
    """Have polars begin with one thread where a workspace is small, for a command that loads and assesses and no more.

    It runs a thousand small queries then, and waking threads for each takes an eighth of the processor's time. What the
    environment says holds; of tables in a database or another folder nothing is known, and nothing is done.
    """
    if "polars" in sys.modules:  # its threads are there
        return
    folder = path if path.is_dir() else path.parent
    try:
        text = (folder / "kpi.toml").read_bytes()
        files = list(islice((each for each in folder.rglob("*") if each.is_file()), FILES))
        size = sum(each.stat().st_size for each in files)
    except OSError:  # loading says so
        return
    if len(files) < FILES and size <= SMALL and not any(each in text for each in _ELSEWHERE):
        os.environ.setdefault("POLARS_MAX_THREADS", "1")


def load(path: Path) -> kr.Workspace:
    """Load a workspace, whatever is wrong with it."""
    with working(_("reading {path}").format(path=path)):
        return kr.load(path)


def load_valid(path: Path) -> kr.Workspace:
    """Load a workspace that is to be worked on; how many warnings it has is said on standard error.

    Raises:
        WorkspaceError: it has errors; all of them are listed.
    """
    workspace = load(path)
    if workspace.errors:
        raise WorkspaceError(workspace.errors)
    if workspace.problems:
        count = len(workspace.problems)
        say(
            ngettext(
                "{count} remark on the workspace: kpi-rules check {path}",
                "{count} remarks on the workspace: kpi-rules check {path}",
                count,
            ).format(count=count, path=quote(str(path)))
        )
    return workspace


def check_enabled(workspace: kr.Workspace, policy: str) -> None:
    """Refuse a command of a policy that the workspace does not enable; an empty name is no policy's.

    Raises:
        RefusedError: its tables would be empty for no other reason.
    """
    enabled = [plugin.name for plugin in workspace.plugins.plugins]
    if policy and policy not in enabled:
        message = _("{name} does not enable the policy {policy}; expected it in [plugins] enabled of kpi.toml")
        raise RefusedError(message.format(name=workspace.name, policy=policy))


def assess(
    workspace: kr.Workspace,
    as_of: date | None,
    known_at: date | None,
    decisions: Path | None,
    *,
    on: date | None = None,
) -> kr.Assessment:
    """Assess a workspace; without `as_of` as of the year's end, or of `on` where that is later, and say so.

    Raises:
        RefusedError: the dates or the decisions do not fit the workspace.
    """
    from kpi_rules.model.problems import AssessmentError

    given = read_decisions(decisions) if decisions is not None else None
    if as_of is None and workspace.config is not None:
        as_of = max(workspace.config.year.end, on or workspace.config.year.end)
        if on != as_of:
            say(_("as of {day}, the year's end; --as-of chooses another day").format(day=as_of))
    with working(_("assessing {name}").format(name=workspace.name)):
        try:
            return kr.assess(workspace, as_of, known_at, given)
        except AssessmentError as error:
            raise RefusedError("\n".join(problem.message for problem in error.problems)) from error


def read_decisions(path: Path) -> pl.DataFrame:
    """Read decisions from a CSV file: `measure`, `decision`, `on`, and if wanted `by` and `reason`.

    Raises:
        RefusedError: the file cannot be read, a column is missing, or a day is no date; the message lists every row.
    """
    import polars as pl

    from kpi_rules.model.problems import Place
    from kpi_rules.workspace.amounts import parse_date

    rows: list[dict[str, object]] = []
    wrong: list[str] = []
    for number, row in read_rows(path, ("measure", "decision", "on")):
        day = parse_date(row["on"].strip())
        if day is None:
            place = Place(file=str(path), row=number, column="on")
            wrong.append(
                _("{place}: found '{value}'; expected a date such as 2011-06-30").format(place=place, value=row["on"])
            )
        told: dict[str, object] = {name: row[name].strip() or None for name in ("by", "reason") if name in row}
        rows.append({"measure": row["measure"].strip(), "decision": row["decision"].strip(), "on": day, **told})
    if wrong:
        raise RefusedError("\n".join(wrong))
    schema: dict[str, type[pl.DataType]] = {"measure": pl.String, "decision": pl.String, "on": pl.Date}
    for name in ("by", "reason"):
        if rows and name in rows[0]:
            schema[name] = pl.String
    return pl.DataFrame(rows, schema=schema)


def read_rows(path: Path, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """Read a small CSV file that is an argument and no table of a workspace: line numbers and rows by column.

    Raises:
        RefusedError: the file cannot be read or decoded, or one of `columns` is missing.
    """
    from kpi_rules.model.problems import Place, Problem
    from kpi_rules.workspace.encodings import to_utf8

    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise RefusedError(_("cannot read {path}: {why}").format(path=path, why=why)) from error
    text = to_utf8(data, None, Place(file=str(path)))
    if isinstance(text, Problem):
        raise RefusedError(text.message)
    reader = csv.DictReader(text.data.decode().splitlines(), restval="")
    missing = [name for name in columns if name not in (reader.fieldnames or ())]
    if missing:
        message = _("{path} has no column {names}; expected {columns}")
        raise RefusedError(message.format(path=path, names=", ".join(missing), columns=", ".join(columns)))
    return [(reader.line_num, row) for row in reader]
