"""Programs outside: the pager and the editor, with the screen put away while they run."""

from __future__ import annotations

import csv
import io
import os
import shlex
import shutil
import subprocess
import tempfile
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual.app import SuspendNotSupported

import kpi_rules as kr
from kpi_rules_tui.texts import _

if TYPE_CHECKING:
    from textual.app import App

AT_LINE: Final = frozenset({"vi", "vim", "nvim", "nano", "emacs", "emacsclient", "micro", "kak", "joe", "ne", "mg"})
"""Editors that take `+LINE` before the file."""


def page(app: App[object], text: str) -> None:
    """Show a text in `$PAGER`, `less` by default; control characters in it are escaped."""
    words = _words("PAGER", ("less", "more"))
    if not words:
        app.notify(_("no pager: set PAGER"), severity="error", markup=False)
        return
    with tempfile.TemporaryDirectory(prefix="kpi-rules-") as folder:
        file = Path(folder) / "text.txt"
        file.write_text(kr.safe(text, lines=True) + "\n", encoding="utf-8")
        _run(app, [*words, str(file)])


def edit(app: App[object], file: Path, line: int | None) -> bool:
    """Open a file in `$VISUAL` or `$EDITOR` at a line; false where there is no editor."""
    words = _words("VISUAL", ()) or _words("EDITOR", ("vi", "nano"))
    if not words:
        app.notify(_("no editor: set EDITOR, or open {file}").format(file=file), severity="error", markup=False)
        return False
    at = [f"+{line}"] if line is not None and Path(words[0]).name in AT_LINE else []
    return _run(app, [*words, *at, str(file)])


def line_of(file: Path, row: int | None) -> int | None:
    """Return the line that a row of a CSV file begins on: the row itself, unless a field before it has line ends."""
    if row is None or file.suffix.lower() != ".csv":
        return row
    try:
        data = file.read_bytes()
    except OSError:  # the editor will say why
        return row
    if b'"' not in data:
        return row
    # Only quotes and line ends matter, and in the other encodings of workspaces these are single bytes.
    text = data.decode("utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "latin-1", errors="replace")
    records = csv.reader(io.StringIO(text, newline=""))
    try:
        for _record in islice(records, row - 1):
            pass
    except csv.Error:
        return row
    return records.line_num + 1


def _words(variable: str, otherwise: tuple[str, ...]) -> list[str]:
    """Return the words of a command that a variable of the environment names."""
    try:
        words = shlex.split(os.environ.get(variable, ""))
    except ValueError:  # a quote without its end
        words = []
    return words or [name for name in otherwise if shutil.which(name)][:1]


def _run(app: App[object], words: list[str]) -> bool:
    """Run a program in the terminal and come back."""
    try:
        with app.suspend():
            subprocess.run(words, check=False)  # noqa: S603 (the person's own program; no shell reads the words)
    except SuspendNotSupported:
        app.notify(_("not possible in a browser"), severity="warning", markup=False)
        return False
    except OSError as error:
        why = _("{program} cannot be run: {why}").format(program=words[0], why=error.strerror or error)
        app.notify(why, severity="error", markup=False)
        return False
    return True
