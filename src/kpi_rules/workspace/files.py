"""What is said of files that are not there or hold nothing."""

from __future__ import annotations

import zipfile
import zlib
from itertools import islice
from typing import TYPE_CHECKING, Final

from kpi_rules.locale import _
from kpi_rules.model.problems import Place, Problem, error, nearest

if TYPE_CHECKING:
    from pathlib import Path

MOST: Final = 2_000
"""Files of a folder among which the nearest is looked for."""


def is_damage(failure: BaseException) -> bool:
    """Whether an exception of a file's reader says that the file is damaged.

    Compiled readers may panic over damaged files, with exceptions that nothing but `BaseException` catches and that
    have no importable class.
    """
    damages = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
    return isinstance(failure, damages) or type(failure).__name__ == "PanicException"


def missing_file(name: str, folder: Path, place: Place) -> Problem:
    """Say that a file is not there, with the file of the folder most like it."""
    files = sorted(path.relative_to(folder).as_posix() for path in islice(folder.rglob("*.*"), MOST))
    return error(
        "missing-file",
        place,
        found=_("no file '{name}'").format(name=name),
        expected=_("a file in the workspace folder"),
        nearest=nearest(name, files),
    )


def empty_file(place: Place) -> Problem:
    """Say that a file has no header, let alone rows."""
    expected = _("a header, and rows below it if there are any")
    return error("empty-file", place, found=_("a file of 0 bytes"), expected=expected)
