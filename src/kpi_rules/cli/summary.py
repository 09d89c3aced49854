"""The summary of an assessment for people."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Final

from kpi_rules.cli.screen import Page
from kpi_rules.locale import _, ngettext
from kpi_rules.model.money import format_amount
from kpi_rules.pipeline.labels import rule_label

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    import kpi_rules as kr

MOST: Final = 100
"""Rows of a table in the summary; what is more is counted, and said how to see."""


def show(assessment: kr.Assessment, workspace: Path, output: Path | None) -> None:
    """Write the summary: figures at the last tick, measures in force, the ledger's totals, and what else there is."""
    page = Page(output)
    _head(page, assessment)
    _units(page, assessment)
    _measures(page, assessment)
    _ledger(page, assessment)
    _deposits(page, assessment)
    _more(page, assessment, workspace)
    page.write()


def _head(page: Page, assessment: kr.Assessment) -> None:
    page.title(assessment.workspace.name)
    line = _("as of {as_of}, known at {known_at}").format(as_of=assessment.as_of, known_at=assessment.known_at)
    page.line(line)
    plugins = [
        f"{plugin.name} {plugin.version}"
        for plugin in assessment.workspace.plugins.plugins
        if plugin.origin != "built in"
    ]
    page.line(_("policies: {names}").format(names=", ".join(plugins) or _("none")))


def _units(page: Page, assessment: kr.Assessment) -> None:
    import polars as pl

    config = assessment.workspace.config
    primary = config.primary if config is not None else "funds"
    last = assessment.ticks[-1]
    names = assessment.workspace.tables.units.select("unit", "name")
    rows = (
        assessment.figures()
        .filter(pl.col("completion").is_not_null())
        .join(names, on="unit", how="left", maintain_order="left")
    )
    page.line()
    page.title(_("Units at {day}").format(day=last.on) + (_(" (between ticks)") if last.interim else ""))
    amount = _amount if primary == "funds" else str
    columns = [_("unit"), _("name"), _("credited") if primary == "funds" else primary, _("quota"), _("completion")]
    columns += [_("expected"), _("gap"), _("lag"), _("rank")]
    page.table(
        columns,
        (
            (
                row["unit"],
                row["name"],
                amount(row[primary]),
                amount(row[f"{primary}_quota"]),
                _percent(row["completion"]),
                _percent(row["expected"]),
                _percent(row["pace_gap"]),
                row["lag"],
                _("{rank} of {size}").format(rank=row["rank"], size=row["group_size"]) if row["rank"] else None,
            )
            for row in rows.head(MOST).iter_rows(named=True)
        ),
        columns[2:],
    )
    _rest(page, rows, "units")
    without = len(names) - len(rows)
    if without:
        text = ngettext("{count} unit without a quota", "{count} units without a quota", without)
        page.line(text.format(count=without))


def _measures(page: Page, assessment: kr.Assessment) -> None:
    import polars as pl

    measures = assessment.measures
    shown = measures.filter(pl.col("active") | (pl.col("status") == "proposed"))
    page.line()
    waiting = (shown["status"] == "proposed").any()
    page.title(_("Measures in force, and proposed") if waiting else _("Measures in force"))
    if len(shown):
        statuses = {"in force": _("in force"), "proposed": _("proposed")}
        page.table(
            [_("unit"), _("measure"), _("person"), _("since"), _("status"), _("reason")],
            (
                (
                    row["unit"],
                    rule_label(assessment.rulebook.rules, row["rule"]),
                    row["person"],
                    row["started"],
                    statuses.get(row["status"], row["status"]),
                    row["reason"],
                )
                for row in shown.head(MOST).iter_rows(named=True)
            ),
        )
        _rest(page, shown, "measures")
    else:
        page.line(_("none"))
    issued = measures.filter(pl.col("status") == "issued")
    for rule, count in issued.group_by("rule", maintain_order=True).len().sort("rule").iter_rows():
        page.line(
            _("{measure}: {count} in the year").format(measure=rule_label(assessment.rulebook.rules, rule), count=count)
        )


def _ledger(page: Page, assessment: kr.Assessment) -> None:
    from kpi_rules.pipeline.difference import pay_sums

    ledger = assessment.ledger
    sums = pay_sums(ledger)
    page.line()
    page.title(_("Pay"))
    equation = _("withheld {withheld} = released {released} + outstanding {outstanding}")
    if sums["reversed"]:
        equation = _("withheld {withheld} = released {released} + reversed {reversed} + outstanding {outstanding}")
    page.line(equation.format(**{name: _amount(fen) for name, fen in sums.items()}))
    persons = ledger["person"].n_unique()
    if persons:
        page.line(
            _("persons: {persons}, their months: {lines}; --table ledger").format(persons=persons, lines=len(ledger))
        )


def _deposits(page: Page, assessment: kr.Assessment) -> None:
    deposits = assessment.deposits
    if deposits.is_empty():
        return
    sums = {name: _amount(int(deposits[name].sum())) for name in ("paid", "forfeited", "refunded", "returned", "held")}
    page.line()
    page.title(_("Deposits"))
    page.line(
        _("paid {paid} = forfeited {forfeited} - refunded {refunded} + returned {returned} + held {held}").format(
            **sums
        )
    )
    page.line(_("deposits: {count}; --table deposits").format(count=len(deposits)))


def _more(page: Page, assessment: kr.Assessment, workspace: Path) -> None:
    """Say how much else there is, and how to see it."""
    check = f"kpi-rules check {quote(str(workspace))}"
    not_assessable = sum(len(each.rows) for each in assessment.decided.unassessable)  # their columns take far longer
    rows = [
        (_("measures of the year"), len(assessment.measures), "--table measures"),
        (_("findings in the evidence"), len(assessment.findings), "--table findings"),
        (_("rows in quarantine"), len(assessment.quarantine), check),
        (_("remarks on the workspace"), len(assessment.problems), check),
        (_("rules not assessable, by unit and tick"), not_assessable, "--table not_assessable"),
    ]
    rows = [row for row in rows if row[1]]
    if rows:
        page.line()
        page.table([_("more"), _("count"), _("to see it")], rows, [_("count")])


def _rest(page: Page, rows: pl.DataFrame, table: str) -> None:
    if len(rows) > MOST:
        page.line(_("and {count} more: --table {table}").format(count=len(rows) - MOST, table=table))


def _amount(fen: int | None) -> str:
    return format_amount(fen) if fen is not None else ""


def _percent(ratio: float | None) -> str:
    return f"{ratio:.2%}" if ratio is not None else ""
