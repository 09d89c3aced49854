"""`kpi-rules test`: the cases of a workspace and of its policies, and what they have not shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kpi_rules.cli.params import output, workspace
from kpi_rules.cli.words import Command, Option
from kpi_rules.locale import N_, _, ngettext

if TYPE_CHECKING:
    from pathlib import Path

    import click

    from kpi_rules.cases.run import CaseReport
    from kpi_rules.cases.shape import CaseResult
    from kpi_rules.cli.screen import Page


def command() -> click.Command:
    """Make the command in the language chosen by now."""
    return Command(
        "test",
        callback=run,
        help=_(
            "Run the cases of WORKSPACE, which are the files cases/*.toml beside its kpi.toml, and those of each "
            "installed policy it enables; without WORKSPACE those of all installed policies. Shows every case that "
            "failed, and what no case has shown of rules and tables. The exit code is 1 if a case failed, 3 if a file "
            "of cases or the workspace has errors."
        ),
        params=[
            workspace(required=False),
            Option(["--policy"], metavar="NAME", help=N_("Run the cases of this installed policy only.")),
            *output("text", "json"),
        ],
    )


def run(*, workspace: Path | None, policy: str | None, format: str, output: Path | None) -> int:
    """Run and list."""
    from kpi_rules.cases.run import run_cases
    from kpi_rules.cli import failures, work
    from kpi_rules.cli.output import check_target, write
    from kpi_rules.cli.screen import Page, working

    if output is not None:
        check_target(output)
    loaded = work.load_valid(workspace) if workspace is not None else None
    try:
        with working(_("running cases")):
            report = run_cases(loaded, policy)
    except ValueError as error:  # no such policy; the message names the nearest
        raise failures.RefusedError(str(error)) from error
    if report.problems:
        raise failures.WorkspaceError(report.problems)
    if format == "json":
        write(json.dumps(_plain(report), ensure_ascii=False, indent=2).encode() + b"\n", output)
    else:
        page = Page(output)
        _show(page, report)
        page.write()
    return failures.CHECK_FAILED if report.failed else failures.DONE


def _show(page: Page, report: CaseReport) -> None:
    for result in report.failed:
        _failed(page, result)
    count, failed = len(report.results), len(report.failed)
    total = ngettext("{count} case", "{count} cases", count).format(count=count)
    page.line(_("{total}, {passed} passed, {failed} failed").format(total=total, passed=count - failed, failed=failed))
    _never(page, report)


def _failed(page: Page, result: CaseResult) -> None:
    page.title(_("failed: {name}").format(name=result.name))
    page.line("  " + _("source: {source}").format(source=result.source))
    if result.arithmetic:
        page.line("  " + _("arithmetic: {text}").format(text=" ".join(result.arithmetic.split())))
    if result.note:
        page.line("  " + _("note: {text}").format(text=" ".join(result.note.split())))
    for failure in result.failures:
        page.line("  " + str(failure.place))
        page.line("    " + failure.about)
        page.line("    " + _("expected: {text}").format(text=failure.expected))
        page.line("    " + _("found:    {text}").format(text=failure.found))
    page.line()


def _never(page: Page, report: CaseReport) -> None:
    """Say what no case has shown."""
    rules = [seen for seen in report.rules if seen.never or seen.one_sided]
    count, whole = len(report.rules), len(report.rules) - len(rules)
    if count:
        page.line(
            _("rules: {whole} of {count} shown with every event and both sides of every bound").format(
                whole=whole, count=count
            )
        )
    for seen in rules:
        for event in seen.never:
            page.line("  " + _("{rule}: never {event}").format(rule=seen.rule, event=event))
        for bound in seen.one_sided:
            sides = [word for word, times in ((_("true"), bound.yes), (_("false"), bound.no)) if not times]
            text = _("{rule}, {part}: {text}: never {sides}")
            page.line(
                "  " + text.format(rule=seen.rule, part=bound.part, text=bound.text, sides=_(" nor ").join(sides))
            )
    if report.rows:
        hit = sum(bool(row.hits) for row in report.rows)
        page.line(_("rows of tables: {hit} of {count} hit").format(hit=hit, count=len(report.rows)))
    for row in report.rows:
        if not row.hits:
            page.line("  " + _("{indicator}: never {row}").format(indicator=row.indicator, row=row.row))


def _plain(report: CaseReport) -> dict[str, Any]:
    return {
        "cases": [
            {
                "name": result.name,
                "policy": result.policy,
                "source": result.source,
                "arithmetic": result.arithmetic,
                "note": result.note,
                "file": result.place.file,
                "line": result.place.line,
                "passed": result.passed,
                "failures": [
                    {
                        "about": failure.about,
                        "expected": failure.expected,
                        "found": failure.found,
                        "file": failure.place.file,
                        "line": failure.place.line,
                        "key": failure.place.key,
                    }
                    for failure in result.failures
                ],
            }
            for result in report.results
        ],
        "rules": [
            {
                "rule": seen.rule,
                "events": {event: seen.events.get(event, 0) for event in (*seen.expected, "superseded")},
                "never": seen.never,
                "bounds": [
                    {"part": bound.part, "condition": bound.text, "true": bound.yes, "false": bound.no}
                    for bound in seen.bounds
                ],
            }
            for seen in report.rules
        ],
        "rows": [{"indicator": row.indicator, "row": row.row, "hits": row.hits} for row in report.rows],
    }
