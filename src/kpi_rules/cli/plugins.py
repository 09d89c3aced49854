"""`kpi-rules plugins`: what is installed, and what the policies of a workspace contribute."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from kpi_rules.cli.params import output, workspace
from kpi_rules.cli.words import Command
from kpi_rules.locale import N_, _

if TYPE_CHECKING:
    from pathlib import Path

    import click

    import kpi_rules as kr
    from kpi_rules.hooks.manager import Plugin, Plugins

KINDS: Final = {
    "rule": N_("rules"),
    "check": N_("checks"),
    "credit": N_("credits"),
    "indicator": N_("indicators"),
    "pace_curve": N_("pace curves"),
    "forecast": N_("forecasts"),
    "guard": N_("guards"),
    "setting": N_("parameters"),
}
"""What a plugin may contribute, and its name for people."""


def command() -> click.Command:
    """Make the command in the language chosen by now."""
    return Command(
        "plugins",
        callback=run,
        help=_(
            "List the installed policies by name; none is imported. With WORKSPACE, load its policies and list where "
            "each comes from, in which version, and what it contributes."
        ),
        params=[workspace(required=False), *output("table", "json")],
    )


def run(*, workspace: Path | None, format: str, output: Path | None) -> int:
    """List."""
    from kpi_rules.cli.output import check_target, write
    from kpi_rules.cli.screen import Page

    if output is not None:
        check_target(output)
    if workspace is None:
        rows, code = _installed(), 0
    else:
        rows, code = _of_workspace(workspace)
    if format == "json":
        write(json.dumps(rows, ensure_ascii=False, indent=2).encode() + b"\n", output)
        return code
    page = Page(output)
    if workspace is not None:
        for row in rows:
            page.block(*_block(row))
    elif rows:
        titles = {"plugin": _("policy"), "distribution": _("distribution"), "version": _("version")}
        page.table(list(titles.values()), ([row[name] for name in titles] for row in rows))
    page.write()
    return code


def _installed() -> list[dict[str, Any]]:
    from kpi_rules.hooks.manager import installed

    return [
        {
            "plugin": name,
            "distribution": entry.dist.name if entry.dist else None,
            "version": entry.dist.version if entry.dist else None,
        }
        for name, entry in installed().items()
    ]


def _of_workspace(path: Path) -> tuple[list[dict[str, Any]], int]:
    """Return what the workspace's policies contribute; errors elsewhere in it do not matter here."""
    from kpi_rules.cli import failures, work

    loaded = work.load(path)
    rows = [_row(plugin, loaded.plugins) for plugin in loaded.plugins.plugins]
    errors = _errors(loaded)
    for problem in errors:
        failures.say(failures.problem_line(problem))
    return rows, failures.ERRORS if errors else failures.DONE


def _errors(workspace: kr.Workspace) -> list[kr.Problem]:
    """Return what is wrong with the policies themselves, rules without Python among them."""
    from kpi_rules.workspace.config_schema import DECLARED_TABLES

    def section(problem: kr.Problem) -> str:
        return problem.place.key.partition(".")[0].partition("[")[0]

    if workspace.origin is None:  # what policies there are, or what they come to, is then not sure
        return [problem for problem in workspace.errors if not problem.place.table]
    of_policies = workspace.origin.policies.problems
    return [
        problem
        for problem in workspace.errors
        if problem in of_policies or section(problem) in {"plugins", *DECLARED_TABLES}
    ]


def _row(plugin: Plugin, plugins: Plugins) -> dict[str, Any]:
    contributes: dict[str, list[str]] = {}
    for key, owner in plugins.owners.items():
        kind, _colon, name = key.partition(":")
        if owner == plugin.name:
            contributes.setdefault(kind, []).append(name)
    settings = [name for name, setting in plugins.settings.items() if setting.plugin == plugin.name]
    if settings:
        contributes["setting"] = settings
    return {
        "plugin": plugin.name,
        "origin": plugin.origin,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "contributes": {kind: sorted(names) for kind, names in sorted(contributes.items())},
        "off": [name for name in contributes.get("rule", []) if name in plugins.off],
    }


def _block(row: dict[str, Any]) -> tuple[str, list[tuple[str, str]]]:
    """Write a plugin as a line, and what it contributes as lines by kind; rules that are switched off say so."""
    origins = {
        "built in": _("built in"),
        "installed": _("installed"),
        "local": _("a file of the workspace"),
        "declared": _("rules without Python"),
    }
    source = " ".join(filter(None, (row["distribution"], row["version"])))
    head = ", ".join(filter(None, (row["plugin"], origins[row["origin"]], source)))
    off = _("{name} (switched off)")
    return head, [
        (_(KINDS[kind]), ", ".join(off.format(name=name) if name in row["off"] else name for name in names))
        for kind, names in row["contributes"].items()
    ]
