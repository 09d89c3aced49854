"""Message catalogues: extract what the code says and merge it into the `.po` files.

`uv run python -m tools.messages` after a change of messages; then translate what is new, and run `tests/locale`.
References to source lines are left out: they would change with every line added above.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("zh_Hans",)
KEYWORDS: dict[str, tuple[int, ...] | None] = {"_": None, "N_": None, "ngettext": (1, 2), "translate": (1,)}


HEADER = """msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""
"""Without dates and names, so that a catalogue changes only when a message does."""


def packages() -> Iterator[Path]:
    """Give the folder of each package that speaks: kpi-rules, the terminal UI and the policies in this repository."""
    yield ROOT / "src" / "kpi_rules"
    yield ROOT / "tui" / "src" / "kpi_rules_tui"
    yield from sorted(path.parent for path in ROOT.glob("plugins/*/src/*/__init__.py"))


def extract(package: Path) -> Catalog:
    """Collect the messages marked in a package's source."""
    catalogue = Catalog(project="kpi-rules", charset="utf-8")
    found = extract_from_dir(
        package, method_map=[("**.py", "python")], keywords=KEYWORDS, comment_tags=("Translators:",)
    )
    for _file, _line, message, comments, context in found:
        catalogue.add(message, auto_comments=comments, context=context)
    return catalogue


def catalogue_file(package: Path, language: str) -> Path:
    """Say where the catalogue of a package lies."""
    return package / "locale" / language / "LC_MESSAGES" / f"{package.name}.po"


def read(package: Path, language: str) -> Catalog:
    """Read a catalogue, an empty one where there is none."""
    path = catalogue_file(package, language)
    if not path.exists():
        return Catalog(locale=language, project="kpi-rules", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language)


def write(package: Path, language: str, catalogue: Catalog) -> None:
    """Write a catalogue, sorted by message."""
    path = catalogue_file(package, language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(HEADER.format(language=language).encode())
        write_po(file, catalogue, no_location=True, sort_output=True, omit_header=True, width=110)


def update(package: Path, language: str) -> tuple[int, int]:
    """Merge a package's messages into its catalogue; return the number of messages and of those not translated."""
    template, catalogue = extract(package), read(package, language)
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    if len(template):
        write(package, language, catalogue)
    return len(template), sum(1 for message in catalogue if message.id and not message.string)


def main() -> None:
    """Update every catalogue and say how much is left to translate."""
    for package in packages():
        for language in LANGUAGES:
            messages, missing = update(package, language)
            sys.stderr.write(f"{package.name} {language}: {messages} messages, {missing} not translated\n")


if __name__ == "__main__":
    main()
