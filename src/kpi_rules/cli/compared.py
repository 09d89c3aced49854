"""A comparison for people: what each variant is, the whole, and what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_rules.cli import estimates
from kpi_rules.cli.screen import Page
from kpi_rules.cli.simulated import about, assumptions, names, rest
from kpi_rules.cli.summary import MOST
from kpi_rules.locale import _
from kpi_rules.pipeline.labels import rule_label

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import polars as pl

    import kpi_rules as kr


def page(comparison: kr.Comparison, settings: Sequence[str], output: Path | None) -> Page:
    """Return the page that shows a comparison; `settings` are what was set in B."""
    page = Page(output)
    a, b = comparison.a.past.workspace.name, comparison.b.past.workspace.name
    page.title(_("A: {name}").format(name=a))
    page.title(_("B: {name}").format(name=", ".join([b, *settings])))
    page.line(about(comparison.a))
    for where, units in (("A", comparison.only_a), ("B", comparison.only_b)):
        if units:
            page.line(_("in {variant} alone, and not compared: {units}").format(variant=where, units=", ".join(units)))
    _whole(page, comparison)
    _units(page, comparison)
    _rules(page, comparison)
    assumptions(page, comparison.a.assumptions)
    if not comparison.a.assumptions.equals(comparison.b.assumptions):
        page.line()
        page.title(_("In B"))
        assumptions(page, comparison.b.assumptions)
    page.line()
    page.line(_("intervals are of the mean differences, B less A, at 95%; both variants have the same draws"))
    page.line(_("digest {digest}").format(digest=f"A {comparison.a.digest}"))
    page.line(_("digest {digest}").format(digest=f"B {comparison.b.digest}"))
    return page


def _whole(page: Page, comparison: kr.Comparison) -> None:
    page.line()
    page.title(_("The whole, mean"))
    words, rows = estimates.totals_called(), []
    for row in comparison.totals.iter_rows(named=True):
        counted = row["what"] == "met"
        write = estimates.number if counted else estimates.amount
        differ = estimates.signed if counted else estimates.signed_amount
        interval = estimates.span(row["low"], row["high"], differ)
        rows.append((words[row["what"]], write(row["a"]), write(row["b"]), differ(row["difference"]), interval))
    columns = [_("what"), "A", "B", _("B less A"), _("95% interval")]
    page.table(columns, rows, columns[1:])


def _units(page: Page, comparison: kr.Comparison) -> None:
    import polars as pl

    page.line()
    page.title(_("Chance to meet the task, in percentage points"))
    units = comparison.units
    moved = units if units.is_empty() else _moved(units.filter(pl.col("tick") == pl.col("tick").max()))
    if moved.is_empty():
        page.line(_("nothing differs in any draw"))
        return
    named = names(comparison.a.past.workspace)
    columns = [_("unit"), _("name"), "A", "B", _("B less A"), _("95% interval")]
    rows = ((row["unit"], named.get(row["unit"]), *_chances(row)) for row in moved.head(MOST).iter_rows(named=True))
    page.table(columns, rows, columns[2:])
    rest(page, moved, "units")


def _rules(page: Page, comparison: kr.Comparison) -> None:
    page.line()
    page.title(_("Measures, in percentage points"))
    moved = comparison.rules if comparison.rules.is_empty() else _moved(comparison.rules, "months")
    if moved.is_empty():
        page.line(_("nothing differs in any draw"))
        return
    a, b = (each.past.assessment.rulebook.rules for each in (comparison.a, comparison.b))
    rules = {**b, **a}
    columns = [_("unit"), _("measure"), "A", "B", _("B less A"), _("95% interval"), _("months"), _("95% interval")]
    rows = (
        (
            row["unit"],
            rule_label(rules, row["rule"]),
            *_chances(row),
            estimates.signed(row["months"]),
            estimates.span(row["months_low"], row["months_high"], estimates.signed),
        )
        for row in moved.head(MOST).iter_rows(named=True)
    )
    page.table(columns, rows, columns[2:])
    rest(page, moved, "rules")


def _moved(frame: pl.DataFrame, *more: str) -> pl.DataFrame:
    """Return the rows that differ in some draw, the greatest difference first."""
    import polars as pl

    ends = ["low", "high", *(f"{name}_{end}" for name in more for end in ("low", "high"))]
    keys = [name for name in ("unit", "rule") if name in frame.columns]
    sizes = [pl.col(name).fill_null(0).abs() for name in ("difference", *more)]
    order = [*(True for _size in sizes), *(False for _key in keys)]
    return frame.filter(pl.any_horizontal(pl.col(ends).fill_null(0) != 0)).sort(*sizes, *keys, descending=order)


def _chances(row: dict[str, float]) -> tuple[str, str, str, str]:
    chances = (estimates.percent(row["chance_a"]), estimates.percent(row["chance_b"]))
    return *chances, estimates.points(row["difference"]), estimates.span(row["low"], row["high"], estimates.points)
