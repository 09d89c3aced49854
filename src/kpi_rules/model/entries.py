"""What installed distributions declare for others to find: their entry points, without importing any.

They are read from the files themselves. `importlib.metadata` says the same; importing it (with it `email` and `socket`)
and having it look twice takes four hundredths of a short command. Where something is installed in a way that it alone
knows, as an archive or through a finder of its own, it is asked.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import cache, reduce
from importlib import import_module
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_INSTALLED: Final = (".dist-info", ".egg-info")
_ABOUT: Final = ("METADATA", "PKG-INFO")


class Distribution(NamedTuple):
    """An installed distribution, by its own name."""

    name: str
    version: str


class Entry(NamedTuple):
    """An entry point: what a distribution names so, `value` being a module and perhaps something in it."""

    name: str
    value: str
    dist: Distribution | None

    @property
    def module(self) -> str:
        """The module's name."""
        return self.value.partition("[")[0].partition(":")[0].strip()

    def load(self) -> Any:  # noqa: ANN401 (whatever it names)
        """Import it.

        Raises:
            Exception: what the module raises.
        """
        inside = self.value.partition("[")[0].partition(":")[2].strip()
        found: Any = import_module(self.module)
        return reduce(getattr, inside.split("."), found) if inside else found


def entry_points(group: str) -> list[Entry]:
    """Return the entry points of a group, in no order; of two distributions of one name the first on the path counts,
    as it is the one that is imported.
    """
    if not _plainly():
        from importlib import metadata

        return [
            Entry(each.name, each.value, Distribution(each.dist.name, each.dist.version) if each.dist else None)
            for each in metadata.entry_points(group=group)
        ]
    found = []
    for folder in _folders():
        text = _text(f"{folder}/entry_points.txt")
        if f"[{group}]" in text:
            distribution = _distribution(folder)
            found += [Entry(name, value, distribution) for name, value in _named(text, group)]
    return found


def version_of(name: str) -> str | None:
    """Return the version of an installed distribution; None where there is none of that name."""
    if not _plainly():
        from importlib import metadata

        with suppress(metadata.PackageNotFoundError):
            return metadata.version(name)
        return None
    found = (_distribution(folder) for folder in _folders() if _normal(folder) == _normal(name))
    return next((each.version for each in found if each is not None), None)


@cache
def version() -> str:
    """Return the library's own version."""
    return version_of("kpi-rules") or "0"  # that of a bare source tree


def _plainly() -> bool:
    """Say whether all that is installed is folders on the path."""
    plain = {"importlib_metadata"}  # the backport reads the same files, and is put there by whoever imports it
    finders = (each for each in sys.meta_path if each is not PathFinder and type(each).__module__ not in plain)
    return not any(hasattr(each, "find_distributions") for each in finders) and not any(
        folder.endswith(".egg") or os.path.isfile(folder)  # noqa: PTH113 (pathlib is not imported for help)
        for folder in sys.path
    )


def _folders() -> Iterator[str]:
    """Return the folders that describe distributions."""
    seen = set()
    for place in dict.fromkeys(sys.path):
        with suppress(OSError), os.scandir(place or ".") as entries:
            for entry in entries:
                if entry.name.endswith(_INSTALLED) and (name := _normal(entry.path)) not in seen:
                    seen.add(name)
                    yield entry.path


def _normal(folder: str) -> str:
    """Return the name of a distribution, or of that of a folder, however it is written."""
    name = os.path.basename(folder)  # noqa: PTH119 (pathlib is not imported for help)
    for ending in _INSTALLED:
        if name.endswith(ending):
            name = name.removesuffix(ending).partition("-")[0]
    return name.lower().replace("-", "_").replace(".", "_")


def _text(path: str) -> str:
    """Return a file's text; an empty one where it cannot be read."""
    with suppress(OSError, UnicodeDecodeError), open(path, encoding="utf-8") as file:  # noqa: PTH123 (as above)
        return file.read()
    return ""


def _distribution(folder: str) -> Distribution | None:
    """Return what a folder describes."""
    for name in _ABOUT:
        head = _text(f"{folder}/{name}").replace("\r\n", "\n").partition("\n\n")[0]
        said = dict(line.partition(": ")[::2] for line in head.splitlines())
        if "Name" in said and "Version" in said:
            return Distribution(said["Name"].strip(), said["Version"].strip())
    return None


def _named(text: str, group: str) -> Iterator[tuple[str, str]]:
    """Return the names of a group and what each names."""
    section = ""
    for line in (each.strip() for each in text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif section == group and line[:1] not in {"", "#", ";"} and "=" in line:
            name, _equals, value = line.partition("=")
            yield name.strip(), value.strip()
