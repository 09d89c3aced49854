"""How a run ends: exit codes, and what is said when something goes wrong. Nobody sees a traceback."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import click

from kpi_rules.cli.words import mistake
from kpi_rules.locale import _, ngettext
from kpi_rules.model.text import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kpi_rules.model.problems import Problem

DONE: Final = 0
CHECK_FAILED: Final = 1
USAGE: Final = 2
ERRORS: Final = 3
UNEXPECTED: Final = 70
CLOSED_PIPE: Final = 141
INTERRUPTED: Final = 130


class RefusedError(click.ClickException):
    """What was asked for cannot be done so: a wrong date, an unknown unit, a file that cannot be read or written."""

    exit_code = USAGE


class WorkspaceError(click.ClickException):
    """The workspace has errors that stop the work."""

    exit_code = ERRORS

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep the errors; the message lists them all."""
        self.problems = list(problems)
        count = len(self.problems)
        total = ngettext("{count} error stops the work", "{count} errors stop the work", count).format(count=count)
        super().__init__("\n".join([*(problem_line(problem) for problem in self.problems), total]))


def problem_line(problem: Problem) -> str:
    """Return a problem as one line: severity, code, place, found, expected, nearest."""
    severities = {"error": _("error"), "warning": _("warning"), "note": _("note")}
    return safe(f"{severities[problem.severity]} {problem.code}: {problem.message}")


def say(message: str) -> None:
    """Write a remark to standard error; control characters in it are shown, not obeyed."""
    click.echo(safe(message, lines=True), err=True)


def code_of(run: Callable[[], object]) -> int:
    """Run the program and return its exit code, whatever happens."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a stream that cannot hold a character shows its number instead of failing
            stream.reconfigure(errors="backslashreplace")
    try:
        done = run()
    except click.ClickException as error:
        return _told(error)
    except (click.Abort, KeyboardInterrupt):
        say(_("interrupted"))
        return INTERRUPTED
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 (whatever it is, also a panic of polars, it is told and logged)
        return _refused(error) or _logged(error)
    return done if isinstance(done, int) else DONE


def closed_pipe() -> int:
    """End quietly because the reader has closed the pipe: it has what it wanted."""
    discard_output()
    return CLOSED_PIPE


def discard_output() -> None:
    """Throw away what cannot be written, also at shutdown."""
    with suppress(OSError, ValueError):  # a stream without a number, such as a test's
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _told(error: click.ClickException) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
    elif isinstance(error, (RefusedError, WorkspaceError)):
        say(error.message)
    else:
        ctx = error.ctx if isinstance(error, click.UsageError) else None
        if ctx is not None:
            click.echo(ctx.get_usage(), err=True)
        say(_("error: {message}").format(message=mistake(error)))
        if ctx is not None:
            say(_("{command} --help says more").format(command=ctx.command_path))
    return error.exit_code


def _refused(error: BaseException) -> int | None:
    """Say what a policy got wrong on the data: some of it shows only when a table is asked for."""
    from kpi_rules.model.problems import AssessmentError

    return _told(WorkspaceError(error.problems)) if isinstance(error, AssessmentError) else None


def _logged(error: BaseException) -> int:
    """Write the whole story to a file of its own, which only the user may read, and say where it is."""
    import tempfile
    import traceback
    from importlib.metadata import version
    from pathlib import Path

    story = "".join(traceback.format_exception(error))
    said = f"{type(error).__name__}: {error}".splitlines()[0]
    handle, path = tempfile.mkstemp(prefix="kpi-rules-", suffix=".log", text=True)
    os.close(handle)
    about = f"kpi-rules {version('kpi-rules')}, Python {sys.version}\n{sys.argv!r}\n\n"
    Path(path).write_text(about + story, encoding="utf-8", errors="backslashreplace")
    say(_("unexpected failure, {error}; the details are in {path}").format(error=said, path=path))
    return UNEXPECTED
