"""`kpi-rules edit`: parameters, quotas, policies and rules changed, shown first, written on request."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from kpi_rules.cli.params import Day, output, workspace
from kpi_rules.cli.words import Command, Option
from kpi_rules.locale import N_, _

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    import click
    import polars as pl

    import kpi_rules as kr
    from kpi_rules.cli.screen import Page
    from kpi_rules.workspace.edits import Edit

NAMED: Final = 8
"""Units that a line of the effect names; of more it says how many there are."""

OPTIONS: Final = (
    ("--set", "sets", "NAME=VALUE[,from=DATE][,group=GROUP]", N_("Set a parameter, from a day and for a group.")),
    ("--unset", "unsets", "NAME[,from=DATE][,group=GROUP]", N_("Take a value of a parameter away.")),
    (
        "--quota",
        "quotas",
        "UNIT=AMOUNT[,indicator=NAME][,effective=DATE]",
        N_("Set a quota; with a new date it is set anew from then on. AMOUNT remove takes it away."),
    ),
    (
        "--scale",
        "scales",
        "GROUP=FACTOR[,indicator=NAME][,effective=DATE]",
        N_("Multiply the quotas of a peer group, rounded to whole fen, half a fen up."),
    ),
    (
        "--split",
        "splits",
        "UNIT[,by=equal|weight][,effective=DATE]",
        N_("Split a unit's quota over the units directly below it."),
    ),
    ("--on", "on", "NAME", N_("Switch a policy or a rule on.")),
    ("--off", "off", "NAME", N_("Switch a policy or a rule off.")),
)
"""The options that edit, each of which may be given several times."""


def command() -> click.Command:
    """Make the command in the language chosen by now."""
    return Command(
        "edit",
        callback=run,
        help=_(
            "Change parameters, quotas, policies and rules of WORKSPACE. It shows what would change, and whom measures "
            "would newly meet or no longer; with --save the files are written."
        ),
        params=[
            workspace(),
            *(Option([name, to], metavar=form, multiple=True, help=help) for name, to, form, help in OPTIONS),
            Option(["--note"], metavar="TEXT", help=N_("Why quotas are changed, for their column note.")),
            Option(["--save"], is_flag=True, help=N_("Write the files. Without it nothing is changed.")),
            Option(["--as-of"], type=Day(), help=N_("The day of the effect shown; by default the year's end.")),
            *output("table", "json"),
        ],
    )


def run(  # noqa: PLR0913 (one for each option)
    *,
    workspace: Path,
    sets: tuple[str, ...],
    unsets: tuple[str, ...],
    quotas: tuple[str, ...],
    scales: tuple[str, ...],
    splits: tuple[str, ...],
    on: tuple[str, ...],
    off: tuple[str, ...],
    note: str | None,
    save: bool,
    as_of: date | None,
    format: str,
    output: Path | None,
) -> None:
    """Show, and write if asked to."""
    import kpi_rules as kr
    from kpi_rules.cli import edit_words, work
    from kpi_rules.cli.failures import RefusedError, WorkspaceError, problem_line
    from kpi_rules.cli.output import check_target

    if output is not None:
        check_target(output)
    loaded = work.load(workspace)
    edits = [*edit_words.read_switches(on, off), *edit_words.read_parameters(sets, unsets)]
    edits += edit_words.read_quotas(loaded, quotas, note)
    edits += edit_words.read_scales(loaded, scales, note)
    edits += edit_words.read_splits(loaded, splits, note)
    if not edits:
        names = ", ".join(name for name, _to, _form, _help in OPTIONS)
        raise RefusedError(_("nothing to change; expected one of {options}").format(options=names))
    try:
        changed, after = kr.changes(loaded, edits), loaded.with_edits(edits)
    except ValueError as error:  # the message says what is wrong with each
        raise RefusedError(str(error)) from error
    effect = None if loaded.errors or after.errors else _effect(loaded, edits, as_of)
    found = kr.save(loaded, edits) if save else None
    if found is not None and found.problems:
        raise RefusedError("\n".join(problem_line(problem) for problem in found.problems))
    rules = {**loaded.plugins.rules, **after.plugins.off, **after.plugins.rules}
    _show(rules, changed, effect, found, format, output)
    if found is not None:
        _tell(workspace, found)
    elif after.errors:
        raise WorkspaceError(after.errors)


def _effect(loaded: kr.Workspace, edits: list[Edit], as_of: date | None) -> kr.Difference:
    """Return what edits change in what is found by a day."""
    import kpi_rules as kr
    from kpi_rules.cli import work
    from kpi_rules.cli.failures import RefusedError

    before = work.assess(loaded, as_of, None, None)
    try:
        return kr.difference(before, before.what_if(edits))
    except kr.AssessmentError as error:
        raise RefusedError("\n".join(problem.message for problem in error.problems)) from error


def _show(
    rules: Mapping[str, kr.Rule],
    changed: pl.DataFrame,
    effect: kr.Difference | None,
    saved: kr.Saved | None,
    format: str,
    output: Path | None,
) -> None:
    """Write the diff and the effect."""
    import polars as pl

    from kpi_rules.cli.output import to_json, write

    if format == "json":
        files = [] if saved is None else [path.name for path in saved.written]
        written = pl.DataFrame({"file": files}, schema={"file": pl.String})
        tables = {"changes": changed, "written": written}
        if effect is not None:
            tables |= {"effect": effect.rules, "money": effect.money}
        write(to_json(tables), output)
        return
    _page(rules, changed, effect, output)


def _page(
    rules: Mapping[str, kr.Rule], changed: pl.DataFrame, effect: kr.Difference | None, output: Path | None
) -> None:
    from kpi_rules.cli.screen import Page

    page = Page(output)
    page.title(_("Changes"))
    words = {"parameter": _("parameter"), "quota": _("quota"), "switch": _("switch")}
    columns = [_("what"), _("name"), _("of"), _("from"), _("old"), _("new")]
    rows = (
        (words[row["what"]], row["name"], row["group"] or row["indicator"], row["from"], row["old"], row["new"])
        for row in changed.iter_rows(named=True)
    )
    page.table(columns, rows, columns[4:])
    if effect is not None:
        _difference(page, rules, effect)
    page.write()


def _difference(page: Page, rules: Mapping[str, kr.Rule], effect: kr.Difference) -> None:
    """Write whom measures meet, and what they cost, before and after."""
    from kpi_rules.pipeline.labels import rule_label

    page.line()
    page.title(_("Units that measures meet"))
    columns = [_("measure"), _("before"), _("after"), _("newly"), _("no longer"), _("otherwise")]
    lines = (
        (
            rule_label(rules, row["rule"]),
            *(row[name] for name in ("before", "after")),
            *(_units(row[name]) for name in ("begins", "ceases", "otherwise")),
        )
        for row in effect.rules.iter_rows(named=True)
    )
    page.table(columns, lines, columns[1:3])
    words = {
        "withheld": _("pay withheld"),
        "released": _("pay released"),
        "reversed": _("pay reversed"),
        "outstanding": _("pay outstanding"),
    }
    page.line()
    page.title(_("Money (yuan)"))
    columns = [_("what"), _("before"), _("after"), _("difference")]
    sums = (
        (
            words[row["what"]] if row["rule"] is None else rule_label(rules, row["rule"]),
            *(_yuan(fen) for fen in (row["before"], row["after"], row["after"] - row["before"])),
        )
        for row in effect.money.iter_rows(named=True)
    )
    page.table(columns, sums, columns[1:])
    if effect.none:
        page.line()
        page.line(_("Nothing differs."))


def _yuan(fen: int) -> str:
    """Write fen as yuan, all alike: sums below one another are compared."""
    return f"{Decimal(fen).scaleb(-2):.2f}"


def _units(units: list[str]) -> str:
    """Name units, of many the first few and how many more."""
    if len(units) <= NAMED:
        return ", ".join(units)
    return _("{units} and {count} more").format(units=", ".join(units[:NAMED]), count=len(units) - NAMED)


def _tell(workspace: Path, saved: kr.Saved) -> None:
    """Say what was written, and how to take it back."""
    from shlex import join

    import kpi_rules as kr
    from kpi_rules.cli.failures import say

    say(_("written: {files}").format(files=", ".join(path.name for path in saved.written) or _("nothing")))
    if saved.merged:
        say(_("somebody else has changed the files meanwhile, elsewhere; both changes are there"))
    if saved.undo:
        say(_("to take it back: {command}").format(command=join(kr.edit_command(workspace, saved.undo))))
