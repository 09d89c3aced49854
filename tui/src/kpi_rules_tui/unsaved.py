"""What is not saved, in a file of the session, so that it outlives one that ends without having been able to ask.

A tab is closed, a terminal, a laptop; nobody can be asked then, and a process that is killed writes nothing any more.
So the file is there for as long as something is not saved, and goes once it is saved, taken back or left knowingly.
While the session lives it holds a lock on its file, which no end of a process leaves behind.
"""

from __future__ import annotations

import os
import tempfile
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from attrs import define, field

from kpi_rules_tui.remembered import named_after, state_file
from kpi_rules_tui.texts import _, plain

if TYPE_CHECKING:
    from typing import TextIO

KEPT: Final = 30
"""Days for which the file of a session that has ended is kept."""


@define
class Unsaved:
    """The file of one session on a workspace, which only the user may read; there is none while all is saved.

    `earlier` are the files that were found of sessions that have ended.
    """

    folder: Path
    earlier: list[Path] = field(factory=list, init=False)
    _path: Path = field(factory=Path, init=False)
    _file: TextIO | None = field(default=None, init=False)

    def keep(self, command: str, name: str = "") -> None:
        """Have the file hold the command that makes and saves the changes, and what the workspace is called.

        An empty command removes the file. Where it cannot be written there is none.
        """
        about = _("{name}: not saved when its session ended, last changed {when}; this command makes and saves it")
        when = datetime.now().astimezone().isoformat(" ", "minutes")
        with suppress(OSError):
            if command:
                self._write(f"# {about.format(name=plain(name), when=when)}\n{command}\n")
            elif self._file is not None:
                self.close()
                self._path.unlink()

    def _write(self, text: str) -> None:
        """Write over what was there: another file in its place would be without the lock for a moment."""
        if self._file is None:
            home = state_file().parent
            home.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=_prefix(self.folder), suffix=".txt", dir=home, text=True)
            self._file, self._path = os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace"), Path(name)
            _locked(self._file)
        self._file.seek(0)
        self._file.write(text)
        self._file.truncate()
        self._file.flush()

    def found(self) -> list[Path]:
        """Return the files of sessions that have ended, each once."""
        new = [path for path in left(self.folder) if path not in self.earlier]
        self.earlier += new
        return new

    def told(self) -> list[str]:
        """Return what earlier sessions left; who has no use for it any more may have deleted it."""
        texts = []
        for path in self.earlier:
            with suppress(OSError):
                texts.append(f"{path}\n{path.read_text(encoding='utf-8', errors='replace')}")
        return texts

    def close(self) -> None:
        """Let go of the file, which from now on is that of a session that has ended."""
        if self._file is not None:
            self._file.close()
            self._file = None


def left(folder: Path) -> list[Path]:
    """Return the files of sessions on a workspace that have ended, oldest first; of all workspaces, those that are too
    old are removed.
    """
    found = []
    for path in state_file().parent.glob("unsaved-*.txt"):
        with suppress(OSError), path.open("r+", encoding="utf-8") as file:
            if not _locked(file):
                continue
            about = path.stat()
            if time.time() - about.st_mtime > KEPT * 24 * 60 * 60:
                path.unlink()
            elif about.st_size and path.name.startswith(_prefix(folder)):
                found.append((about.st_mtime, path))
    return [path for _written, path in sorted(found)]


def _prefix(folder: Path) -> str:
    """Return what the names of a workspace's files begin with."""
    return f"unsaved-{named_after(folder)}-"


def _locked(file: TextIO) -> bool:
    """Lock a file until it is closed; false where a session that lives has done so."""
    try:
        import fcntl
    except ImportError:  # Windows: there every session counts as one that has ended, and is told of too early
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
