"""The sections `[tables]` and `[checks]` of `kpi.toml`: where each table is read from, and what each check does."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, get_args

from kpi_rules.locale import _
from kpi_rules.model.problems import nearest
from kpi_rules.workspace.config_schema import Effect, Issue, SourceSection, one_of, shown, structure
from kpi_rules.workspace.schemas import SCHEMAS
from kpi_rules.workspace.tables import TableSource

if TYPE_CHECKING:
    from kpi_rules.workspace.config_lines import Path

TABLES = tuple(SCHEMAS)
"""The tables a workspace may have, in the order in which they are read."""


def table_sources(raw: object) -> tuple[tuple[TableSource, ...], list[Issue]]:
    """Read `[tables]`: each entry a text, a table, or a list of these, which are read one after the other."""
    if not isinstance(raw, Mapping):
        return (), [Issue(("tables",), "wrong-kind", shown(raw), _("a section [tables]"))]
    sources: list[TableSource] = []
    issues: list[Issue] = []
    for table, entry in raw.items():
        if table not in TABLES:
            found = _("the unknown table {table}").format(table=table)
            issues.append(
                Issue((table,), "unknown-table", found, one_of(TABLES), nearest(table, TABLES)).under("tables")
            )
            continue
        for path, written in _entries(table, entry):
            source, wrong = _source(table, written)
            issues += [issue.under("tables", *path) for issue in wrong]
            sources += [] if source is None else [source]
    return tuple(sorted(sources, key=lambda source: TABLES.index(source.table))), issues


def _entries(table: str, entry: object) -> Iterator[tuple[Path, object]]:
    if isinstance(entry, list) and entry:
        yield from (((table, number), each) for number, each in enumerate(entry))
    else:
        yield (table,), entry


def _source(table: str, written: object) -> tuple[TableSource | None, list[Issue]]:
    if isinstance(written, str):
        written = {"source": written}
    if not isinstance(written, Mapping):
        expected = _("a text such as {example}, a table with the key source, or a list of these")
        return None, [Issue((), "wrong-kind", shown(written), expected.format(example=f'"{table}.csv"'))]
    section, issues = structure(written, SourceSection)
    if section is None:
        return None, issues
    issues += _source_issues(section)
    if issues:  # reading from a source that is not what was meant would only add problems
        return None, issues
    source = TableSource(
        table=table,
        source=section.source,
        columns=section.columns,
        encoding=section.encoding,
        header=section.header,
        db_table=section.table,
        query=section.query,
    )
    return source, []


def _source_issues(section: SourceSection) -> Iterator[Issue]:
    if not section.source.strip():
        yield Issue(("source",), "empty-text", shown(section.source), _("a file or the address of a database"))
    if section.encoding is not None and not _is_codec(section.encoding):
        near = nearest(section.encoding.lower(), ("utf-8", "gb18030", "gbk", "utf-16", "big5"))
        yield Issue(
            ("encoding",), "unknown-encoding", shown(section.encoding), _("an encoding such as utf-8 or gb18030"), near
        )
    is_database = "://" in section.source
    if section.header is not None and (is_database or section.source.lower().endswith(".parquet")):
        found = _("the key {key} beside a source that names its columns itself").format(key="header")
        yield Issue(("header",), "bad-source", found, _("a CSV file or a sheet, or no such key"))
    named = [key for key, value in (("table", section.table), ("query", section.query)) if value is not None]
    if is_database and len(named) != 1:
        found = _("a database with both table and query") if named else _("a database without table or query")
        yield Issue((), "bad-source", found, _("either table or query"))
    if not is_database and named:
        found = _("the key {key} beside a file").format(key=named[0])
        yield Issue((named[0],), "bad-source", found, _("a database such as sqlite:///data.db, or no such key"))


def _is_codec(name: str) -> bool:
    try:
        return codecs.lookup(name)._is_text_encoding  # noqa: SLF001 (the only way to tell utf-8 from base64)
    except (LookupError, ValueError):
        return False


def check_effects(raw: object) -> tuple[Mapping[str, Effect], list[Issue]]:
    """Read `[checks]`: the effect of each check by its name."""
    if not isinstance(raw, Mapping):
        return {}, [Issue(("checks",), "wrong-kind", shown(raw), _("a section [checks]"))]
    effects: dict[str, Effect] = {}
    issues = []
    choices = get_args(Effect)
    for name, effect in raw.items():
        if isinstance(effect, str) and effect in choices:
            effects[name] = effect  # type: ignore[assignment]  # one of the literals, as just seen
        else:
            near = nearest(effect, choices) if isinstance(effect, str) else None
            expected = one_of(f'"{choice}"' for choice in choices)
            issues.append(Issue(("checks", name), "unknown-choice", shown(effect), expected, near))
    return effects, issues
