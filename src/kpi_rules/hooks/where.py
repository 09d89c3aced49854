"""Where in a policy's own text something went wrong: the author looks there, not at the `kpi.toml` that names it."""

from __future__ import annotations

import linecache
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def line_of(failure: BaseException, path: Path) -> int | None:
    """Return the line of a file at which an exception left it: the innermost, or that of a mistake in its grammar."""
    if isinstance(failure, SyntaxError) and failure.filename is not None and _is(failure.filename, path):
        return failure.lineno
    lines = [line for name, line in _frames(failure) if _is(name, path)]
    return lines[-1] if lines else None


def line_of_function(function: object, path: Path) -> int | None:
    """Return the line of `def` of a function of a file; None of one that comes from somewhere else."""
    code = getattr(function, "__code__", None)
    if not isinstance(code, CodeType) or not _is(code.co_filename, path):
        return None
    first = code.co_firstlineno  # that of a decorator, where there is one
    below = enumerate(linecache.getlines(code.co_filename)[first - 1 :], first)
    return next((number for number, text in below if text.lstrip().startswith(("def ", "async def "))), first)


def _frames(failure: BaseException) -> Iterator[tuple[str, int]]:
    trace = failure.__traceback__
    while trace is not None:
        yield trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next


def _is(name: str, path: Path) -> bool:
    """Whether a name is that of a file; Python makes names of modules absolute, a workspace's may not be."""
    return Path(name).resolve() == path.resolve()
