"""Edits written to the files of a workspace: whole or not at all, and never over somebody else's."""

from __future__ import annotations

import os
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl
from attrs import define, field

from kpi_rules.locale import _
from kpi_rules.model.problems import Place, Problem, error, sort_problems
from kpi_rules.workspace.config_edits import entry_of
from kpi_rules.workspace.config_schema import shown
from kpi_rules.workspace.described import quota_places, undone
from kpi_rules.workspace.editing import edited, is_on, path_of
from kpi_rules.workspace.edits import ParameterEdit, QuotaEdit, SwitchEdit
from kpi_rules.workspace.quota_edits import is_text, texts_of
from kpi_rules.workspace.sources import EDITED
from kpi_rules.workspace.workspace import FILE, Workspace, load

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from kpi_rules.workspace.edits import Edit

WAIT: Final = 10.0
"""Seconds for which a save waits for another one in the same folder."""

_PAUSE: Final = 0.05


@define(frozen=True, eq=False)
class Saved:
    """What became of edits that were to be saved.

    Attributes:
        workspace: freshly loaded; where there are problems, the one that was given.
        written: the files that have other contents now.
        undo: the edits that give back what was there.
        problems: why nothing was written; empty where all was.
        merged: whether somebody else had changed the files meanwhile, elsewhere than the edits, and that was kept.
    """

    workspace: Workspace
    written: tuple[Path, ...] = ()
    undo: tuple[Edit, ...] = ()
    problems: list[Problem] = field(factory=list)
    merged: bool = False


def save(workspace: Workspace, edits: Iterable[Edit] = ()) -> Saved:
    """Write edits to the files of a workspace: `kpi.toml`, and the CSV files of the table `quotas`.

    Everything else in the files stays as it is, to the byte. The files are replaced whole, both or none; before that
    the workspace with the edits is checked, and read back after it.

    Args:
        workspace: as it was loaded, or a preview, whose edits are saved too. What `with_parameters` gave it is not.
        edits: what is to hold.

    Returns:
        What was written, or the problems for which nothing was: an edit is not valid, the workspace would have errors
        that it has not yet, quotas come from no CSV file, somebody else has changed what an edit is of (one
        `changed-elsewhere` for each), or a file cannot be written.
    """
    if workspace.origin is None or workspace.folder is None:
        found = _("a workspace in memory") if workspace.folder is None else _("a workspace that cannot be read")
        place = Place(FILE) if workspace.folder is not None else Place()
        return Saved(workspace, problems=[_not_editable(place, found, _("a workspace in a folder"))])
    base = workspace.origin.base or workspace
    every = (*workspace.origin.pending, *edits)
    if any(isinstance(edit, QuotaEdit) for edit in every) and not is_text(base):
        return Saved(workspace, problems=[_no_text(base)])
    try:
        with _locked(_files(base).values()):
            return _saved(workspace, base, every)
    except OSError as failure:
        return Saved(workspace, problems=[_not_written(failure, base.folder or Path())])


def _saved(workspace: Workspace, base: Workspace, edits: tuple[Edit, ...]) -> Saved:
    """Save while nobody else does."""
    files = _files(base)
    loaded = _contents(base)
    merged = any(_read(path) != loaded[name] for name, path in files.items())
    current = base
    if merged:
        current = load(base.folder or Path())
        conflicts = _conflicts(base, current, edits)
        if conflicts:
            return Saved(workspace, problems=conflicts)
    after = edited(current, edits)
    if isinstance(after, list):
        return Saved(workspace, problems=after)
    new_errors = _new_errors(current, after)
    if new_errors:
        return Saved(workspace, problems=new_errors)
    files, old, new = _files(current), _contents(current), _contents(after)
    changed = {files[name]: content for name, content in new.items() if content != old[name]}
    undo = undone(current, edits)
    replace_all(changed)
    again = load(base.folder or Path())
    lost = _new_errors(current, again)
    if lost:  # what was checked in memory reads otherwise from the disk
        replace_all({files[name]: old[name] for name, content in new.items() if content != old[name]})
        return Saved(workspace, problems=lost)
    return Saved(again, tuple(changed), undo, merged=merged)


def _files(workspace: Workspace) -> dict[str, Path]:
    """Return the files that edits write, by name; links lead to the real ones."""
    assert workspace.folder is not None  # noqa: S101 (asked before)
    return {name: Path(os.path.realpath(workspace.folder / name)) for name in _contents(workspace)}


def _contents(workspace: Workspace) -> dict[str, bytes]:
    """Return the bytes of `kpi.toml` and of the files of quotas, as the workspace has them."""
    assert workspace.origin is not None  # noqa: S101 (asked before)
    found = {FILE: workspace.origin.content or b""}
    sources = [] if workspace.config is None else [each for each in workspace.config.tables if each.table == EDITED]
    for source, content in zip(sources, workspace.origin.tables.contents, strict=True):
        if content is not None:
            found[source.source] = content
    return found


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _conflicts(base: Workspace, current: Workspace, edits: Sequence[Edit]) -> list[Problem]:
    """Return a problem for each edit of something that reads otherwise now than when the workspace was loaded."""
    if current.origin is None:
        return list(current.errors)
    before, now = dict(_standing(base, base, edits)), dict(_standing(base, current, edits))
    return [
        error(
            "changed-elsewhere",
            place,
            found=_("nothing") if now.get(place) is None else shown(now[place]),
            expected=_("{value}, as it was loaded").format(
                value=_("nothing") if value is None else shown(value),
            ),
        )
        for place, value in before.items()
        if now.get(place) != value
    ]


def _standing(base: Workspace, workspace: Workspace, edits: Sequence[Edit]) -> Iterator[tuple[Place, object]]:
    """Give what a workspace has written at each place that edits of another are of."""
    assert workspace.origin is not None  # noqa: S101 (asked before)
    raw = workspace.origin.read.raw
    for edit in edits:
        if isinstance(edit, ParameterEdit):
            rest = [str(each) for each in (edit.from_on, edit.group) if each is not None]
            key = ", ".join([edit.name, *rest])
            yield Place(FILE, key=key), entry_of(raw, path_of(workspace, raw, edit.name), edit)
        elif isinstance(edit, SwitchEdit):
            yield Place(FILE, key=edit.name), is_on(workspace, edit.name)
    places = quota_places(base, edits)
    texts = texts_of(workspace, places)
    for quota in places:
        written = ", ".join(texts[quota].values()) if quota in texts else None
        yield Place(table=EDITED, key=", ".join(map(str, quota))), written
    for edit in edits:
        if isinstance(edit, QuotaEdit) and edit.effective is None:  # it is of whatever revision is the last
            own = pl.col("unit") == edit.unit, pl.col("indicator") == edit.indicator
            last = workspace.tables.quotas.filter(*own)["effective"].max()
            yield Place(table=EDITED, key=f"{edit.unit}, {edit.indicator}"), str(last)


def _new_errors(before: Workspace, after: Workspace) -> list[Problem]:
    """Return the errors that a workspace has more of than before; where they stand in a file may have moved."""

    def kind(problem: Problem) -> tuple[str, ...]:
        place = problem.place
        return problem.code, place.file, place.table, place.column, place.key

    known = Counter(kind(problem) for problem in before.errors)
    found = Counter(kind(problem) for problem in after.errors)
    more = {each for each, count in found.items() if count > known[each]}
    return sort_problems(problem for problem in after.errors if kind(problem) in more)


def replace_all(contents: Mapping[Path, bytes]) -> None:
    """Replace files by new contents, all or none: each is staged beside its file before the first is replaced.

    Raises:
        OSError: something cannot be written; every file has its old content, and nothing is left beside it.
    """
    old = {path: path.read_bytes() for path in contents}
    staged: dict[Path, Path] = {}
    done: list[Path] = []
    try:
        for path, content in contents.items():
            staged[path] = _staged(path, content)
        for path, temporary in staged.items():
            temporary.replace(path)
            done.append(path)
        for folder in {path.parent for path in contents}:
            _sync(folder)
    except BaseException:
        for path in done:
            _staged(path, old[path]).replace(path)
        raise
    finally:
        for temporary in staged.values():
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def _staged(path: Path, content: bytes) -> Path:
    """Write content beside a file, to the disk, with the file's permissions."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:50]}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(path.stat().st_mode & 0o7777)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    return temporary


def _sync(folder: Path) -> None:
    """Write the names of a folder to the disk, where its system does that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _locked(files: Iterable[Path]) -> Iterator[None]:
    """Keep other saves out of the folders of files. The folders themselves are locked, so no file is left over.

    Raises:
        TimeoutError: another save does not end.
    """
    try:
        import fcntl
    except ImportError:  # Windows: a save there finds another's edit by the contents alone
        yield
        return
    with ExitStack() as stack:
        for folder in sorted({path.parent for path in files}):
            handle = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, handle)
            until = time.monotonic() + WAIT
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > until:
                        raise TimeoutError(None, _("another save that does not end"), str(folder)) from None
                    time.sleep(_PAUSE)
        yield


def _not_written(failure: OSError, folder: Path) -> Problem:
    place = Place(str(failure.filename or folder))
    found = _("a file that cannot be written: {reason}").format(reason=failure.strerror or failure)
    return error("not-written", place, found=found, expected=_("room on the disk, and files that this user may write"))


def _not_editable(place: Place, found: str, expected: str) -> Problem:
    return error("not-editable", place, found=found, expected=expected)


def _no_text(workspace: Workspace) -> Problem:
    """Say that some quotas come from no text file."""
    sources = [] if workspace.config is None else [each for each in workspace.config.tables if each.table == EDITED]
    contents = () if workspace.origin is None else workspace.origin.tables.contents
    others = [source.source for source, content in zip(sources, contents, strict=True) if content is None]
    place = Place(others[0] if others else FILE, EDITED)
    found = _("quotas that come from {source}").format(source=", ".join(others) or _("nowhere"))
    return _not_editable(place, found, _("quotas from CSV files, or the change made by hand"))
