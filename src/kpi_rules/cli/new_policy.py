"""`kpi-rules new-policy`: a policy to start from, as a package with tests or as one file of a workspace."""

from __future__ import annotations

import re
import shutil
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final

import click

from kpi_rules.cli.words import Command, Option
from kpi_rules.locale import N_, _

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATE: Final = Path(__file__).parent / "policy_template"
"""The files of a package; `.in` is taken off their names, and what stands between two `@` in them is filled in."""

SOURCE: Final = "src/__init__.py.in"
"""The policy itself, which is also what `--local` writes."""

LONGEST: Final = 40
"""Letters of a name; with it every generated line stays within 120 columns."""


def command() -> click.Command:
    """Make the command in the language chosen by now."""
    return Command(
        "new-policy",
        callback=run,
        help=_(
            "Make a policy to start from: a package with settings, a rule, a case and tests, which pass, in a new "
            "folder kpi-rules-NAME. With --local, one file in the folder policies of a workspace."
        ),
        params=[
            click.Argument(["name"]),
            Option(
                ["--into"],
                type=click.Path(path_type=Path),
                metavar="FOLDER",
                default=Path(),
                help=N_("Where the package is made, or the workspace that gets the file; by default here."),
            ),
            Option(["--local"], is_flag=True, help=N_("Write one file beside kpi.toml instead of a package.")),
        ],
    )


def run(*, name: str, into: Path, local: bool) -> None:
    """Make it."""
    from kpi_rules.cli.failures import RefusedError, say

    _check_word(name)
    try:
        _check_folder(into, local=local)
        if local:
            _check_free(name, into)
            made = into / "policies" / f"{name}.py"
            _write_file(made, _filled((TEMPLATE / SOURCE).read_text(encoding="utf-8"), name))
            next_step = _('next: local = ["policies/{name}.py"] under [plugins] of {file}').format(
                name=name, file=into / "kpi.toml"
            )
        else:
            _check_free(name, None)
            made = into / _distribution(name)
            _write_package(made, name)
            next_step = _("next: uv pip install --editable {folder} && pytest {folder}").format(folder=quote(str(made)))
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise RefusedError(_("cannot make {path}: {why}").format(path=into, why=why)) from error
    say(_("made {path}; {next_step}").format(path=quote(str(made)), next_step=next_step))


def _check_word(name: str) -> None:
    """Refuse what cannot be a module, a section of `kpi.toml` and a part of a distribution's name at once."""
    from kpi_rules.cli.failures import RefusedError

    if re.fullmatch(r"[a-z][a-z0-9_]*", name) and not name.endswith("_") and "__" not in name and not iskeyword(name):
        if len(name) <= LONGEST:
            return
        raise RefusedError(
            _("the name {name} has {count} letters; at most {most}").format(name=name, count=len(name), most=LONGEST)
        )
    message = _("'{name}' cannot be the name of a policy; expected a word of a to z, 0 to 9 and single _").format(
        name=name
    )
    near = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_").lstrip("0123456789_")
    if near and near != name and not iskeyword(near):
        message += _(" (nearest: {nearest})").format(nearest=near)
    raise RefusedError(message)


def _check_folder(into: Path, *, local: bool) -> None:
    from kpi_rules.cli.failures import RefusedError

    if into.exists() and not into.is_dir():
        raise RefusedError(_("{folder} is a file; nothing was changed").format(folder=into))
    if not into.is_dir():
        raise RefusedError(_("there is no folder {folder}; make it first").format(folder=into))
    if local and not (into / "kpi.toml").is_file():
        raise RefusedError(_("{folder} is no workspace: it has no kpi.toml; --into names one").format(folder=into))


def _check_free(name: str, workspace: Path | None) -> None:
    """Refuse a name that something else has; what it is is said."""
    from kpi_rules.cli.failures import RefusedError

    for taken in _owners(name, workspace):
        raise RefusedError(_("the name {name} is taken by {owner}; choose another").format(name=name, owner=taken))


def _owners(name: str, workspace: Path | None) -> Iterator[str]:
    from kpi_rules.hooks.manager import installed
    from kpi_rules.workspace.config_schema import CORE

    if name in CORE:
        yield _("the section [{name}] of kpi.toml").format(name=name)
    entry = installed().get(name)
    if entry is not None:
        owner = entry.dist.name if entry.dist else entry.value
        yield _("an installed policy, of {distribution}").format(distribution=owner)
    if workspace is None:
        with suppress(ImportError, ValueError):  # a module that is broken is there all the same, or of no package
            if find_spec(_module(name)) is not None:
                yield _("the installed module {module}").format(module=_module(name))
        return
    import kpi_rules as kr

    for plugin in kr.load(workspace).plugins.plugins:
        if plugin.name == name:
            yield _("the policy {file} of the workspace").format(file=plugin.distribution)


def _distribution(name: str) -> str:
    return f"kpi-rules-{name.replace('_', '-')}"


def _module(name: str) -> str:
    return f"kpi_{name}"


def _filled(text: str, name: str) -> str:
    from kpi_rules.model.entries import version

    parts = [*re.findall(r"\d+", version()), "0", "0"]
    values = {
        "name": name,
        "module": _module(name),
        "distribution": _distribution(name),
        "title": name.replace("_", " ").capitalize(),
        "version": f"{parts[0]}.{parts[1]}",
        "next": str(int(parts[0]) + 1),
    }
    return re.sub(r"@([a-z]+)@", lambda match: values[match[1]], text)


def _package(name: str) -> dict[Path, str]:
    """Return the files of a package by their path in it."""
    files = {}
    for path in sorted(TEMPLATE.rglob("*.in")):
        inner = path.relative_to(TEMPLATE).with_suffix("")
        if inner.parts[0] == "src":
            inner = Path("src", _module(name), *inner.parts[1:])
        files[inner] = _filled(path.read_text(encoding="utf-8"), name)
    files[Path("src", _module(name), "py.typed")] = ""
    return files


def _write_package(target: Path, name: str) -> None:
    """Write a package under another name first, so that the folder is whole or not there."""
    from kpi_rules.cli.failures import RefusedError

    if target.exists() or target.is_symlink():
        raise RefusedError(_("{path} is there already; nothing was changed").format(path=target))
    beside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    draft = beside / target.name  # a folder of its own, with the permissions that new folders have
    try:
        for inner, text in _package(name).items():
            (draft / inner).parent.mkdir(parents=True, exist_ok=True)
            (draft / inner).write_text(text, encoding="utf-8", newline="\n")
        draft.rename(target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _write_file(target: Path, text: str) -> None:
    from kpi_rules.cli.failures import RefusedError
    from kpi_rules.cli.output import write_file

    if target.exists() or target.is_symlink():
        raise RefusedError(_("{path} is there already; nothing was changed").format(path=target))
    is_new = not target.parent.exists()
    target.parent.mkdir(exist_ok=True)
    try:
        write_file(text.encode(), target)
    except BaseException:
        if is_new:
            with suppress(OSError):
                target.parent.rmdir()
        raise
