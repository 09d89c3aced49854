"""`kpi-rules init`: a new workspace from a template."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final

import click

from kpi_rules.cli.words import Command
from kpi_rules.locale import _, language, translate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kpi_rules.hooks.manager import Plugins
    from kpi_rules.model.settings import Setting, Value

TEMPLATE: Final = Path(__file__).parent / "template"
"""A folder per language; `kpi.toml` there lacks the sections of policies, which come from those installed."""


def command() -> click.Command:
    """Make the command in the language chosen by now."""
    return Command(
        "init",
        callback=run,
        help=_(
            "Make a workspace in FOLDER, which must be new or empty: kpi.toml with every key explained, the parameters "
            "of the installed policies at their defaults, and tables with a few invented rows, ready to be assessed."
        ),
        params=[click.Argument(["folder"], type=click.Path(path_type=Path))],
    )


def run(*, folder: Path) -> None:
    """Make it."""
    from kpi_rules.cli.failures import RefusedError, say

    try:
        _check(folder)
        source = TEMPLATE / (language() if (TEMPLATE / language()).is_dir() else "en")
        files = {
            path.relative_to(source): path.read_text(encoding="utf-8")
            for path in sorted(source.rglob("*"))
            if path.is_file()
        }
        files[Path("kpi.toml")] += _policies()
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise RefusedError(_("cannot make {path}: {why}").format(path=folder, why=why)) from error
    say(_("made {folder}; next: kpi-rules assess {folder}").format(folder=quote(str(folder))))


def _check(folder: Path) -> None:
    from kpi_rules.cli.failures import RefusedError

    if folder.is_dir():
        if any(folder.iterdir()):
            raise RefusedError(_("{folder} is not empty; nothing was changed").format(folder=folder))
    elif folder.exists() or folder.is_symlink():
        raise RefusedError(_("{folder} is a file; nothing was changed").format(folder=folder))
    elif not folder.parent.is_dir():
        raise RefusedError(_("there is no folder {folder}; make it first").format(folder=folder.parent))


def _policies() -> str:
    """Return the section `[plugins]` and one for each installed policy, from what the policies declare."""
    from kpi_rules.hooks import builtin_checks, builtin_credits
    from kpi_rules.hooks.manager import installed, load_plugins

    plugins, problems = load_plugins(list(installed()), [], None)
    if problems:  # a policy that fails to load is left to be enabled by hand
        plugins, _problems = load_plugins(_sound(plugins), [], None)
    names = [plugin.name for plugin in plugins.plugins if plugin.origin == "installed"]
    lines = [
        "",
        "[plugins]",
        _remarked(f"enabled = {json.dumps(names)}", _("installed policies; take out those that do not apply")),
        _remarked("local = []", _('policies of one file, such as "policies/winter.py"')),
    ]
    for name in names:
        lines += _section(name, plugins)
    for name in (builtin_checks.NAME, builtin_credits.NAME):
        lines += _in_remarks(_section(name, plugins))
    return "\n".join([*lines, *_guards(plugins)]) + "\n"


def _in_remarks(lines: Iterator[str]) -> Iterator[str]:
    """Give a section as remarks: what stands in it is asked for, so only what differs is to be written."""
    for line in lines:
        yield f"# {line}" if line else line


def _guards(plugins: Plugins) -> Iterator[str]:
    """List the guards as they hold, in remarks: what stands in `[guards]` is what differs."""
    from kpi_rules.workspace.guards import guards_in_force

    guards = [guard for guard in guards_in_force(plugins, {}).values() if guard.effect != "note"]
    if not guards:
        return
    yield ""
    yield _remarked(
        "# [guards]", _("limits on measures: block | warn; a block becomes a warning only by naming its basis")
    )
    yield '# G12 = { effect = "warn", basis = "the provision that allows it" }'
    for guard in guards:
        label = guard.text(guard.guard.label) if guard.guard.label else ""
        yield _remarked(f'# {guard.name} = "{guard.effect}"', label)


def _sound(plugins: Plugins) -> list[str]:
    """Return the policies that alone give no problem."""
    from kpi_rules.hooks.manager import load_plugins

    names = [plugin.name for plugin in plugins.plugins if plugin.origin == "installed"]
    return [name for name in names if not load_plugins([name], [], None)[1]]


def _section(name: str, plugins: Plugins) -> Iterator[str]:
    from kpi_rules.hooks.manager import installed

    settings = [setting for setting in plugins.settings.values() if setting.plugin == name]
    if not settings:
        return
    yield ""
    yield f"[{name}]"
    entry = installed().get(name)
    domain = entry.value.partition(":")[0] if entry is not None else ""
    for setting in settings:
        about = translate(setting.help or setting.label, domain) if domain else _(setting.help or setting.label)
        key = setting.name.partition(".")[2]
        yield _remarked(f"{key} = {_toml(setting, setting.default)}", about)


def _remarked(line: str, remark: str) -> str:
    return f"{line:<30} # {' '.join(remark.split())}" if remark else line


def _toml(setting: Setting, value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return json.dumps(list(value), ensure_ascii=False)
    if isinstance(value, Decimal):
        return f"{value:f}" if "." in f"{value:f}" else f"{value:f}.0"
    text = setting.show(value)
    return text if setting.kind == "count" else json.dumps(text, ensure_ascii=False)
