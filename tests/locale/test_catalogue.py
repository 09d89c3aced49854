"""The catalogues: complete, with the placeholders of the source, and compiled by the build hook."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

import pytest

from kpi_rules.locale.catalogue import compile_mo
from kpi_rules.locale.catalogue import read_po as read_po_text
from tools import messages

if TYPE_CHECKING:
    from pathlib import Path

    from babel.messages.catalog import Message

SPEAKING = [package for package in messages.packages() if len(messages.extract(package))]
each_catalogue = pytest.mark.parametrize(
    ("package", "language"),
    [
        pytest.param(package, language, id=f"{package.name}-{language}")
        for package in SPEAKING
        for language in messages.LANGUAGES
    ],
)


def texts(value: object) -> list[str]:
    return [str(text) for text in value] if isinstance(value, tuple | list) else [str(value or "")]


def placeholders(text: str) -> list[str]:
    """Give the fields of a format string with their formats; braces that are no format count as none."""
    try:
        return sorted(
            f"{name}:{spec}" for _text, name, spec, _conv in string.Formatter().parse(text) if name is not None
        )
    except ValueError:
        return []


def entries(package: Path, language: str) -> dict[object, Message]:
    return {message.id: message for message in messages.read(package, language) if message.id}


@each_catalogue
def test_every_message_is_translated(package: Path, language: str) -> None:
    translated = {
        key for key, message in entries(package, language).items() if all(texts(message.string)) and not message.fuzzy
    }
    wanted = {message.id for message in messages.extract(package) if message.id}
    assert sorted(str(key) for key in wanted - translated) == []


@each_catalogue
def test_no_message_is_left_over(package: Path, language: str) -> None:
    wanted = {message.id for message in messages.extract(package) if message.id}
    assert sorted(str(key) for key in entries(package, language).keys() - wanted) == []


@each_catalogue
def test_placeholders_agree(package: Path, language: str) -> None:
    wrong = {
        text: sorted(expected)
        for key, message in entries(package, language).items()
        for text in texts(message.string)
        if text and placeholders(text) not in (expected := [placeholders(form) for form in texts(key)])
    }
    assert wrong == {}


@each_catalogue
def test_our_reader_reads_what_babel_writes(package: Path, language: str) -> None:
    ours = read_po_text(messages.catalogue_file(package, language).read_text(encoding="utf-8"))
    theirs = {
        "\0".join(texts(key)): "\0".join(texts(message.string))
        for key, message in entries(package, language).items()
        if all(texts(message.string)) and not message.fuzzy
    }
    assert {key: value for key, value in ours.items() if key} == theirs


def test_build_hook_compiles_each_catalogue(tmp_path: Path) -> None:
    hatch_build = pytest.importorskip("hatch_build")
    folder = tmp_path / "src" / "kpi_rules" / "locale"
    folder.mkdir(parents=True)
    source = messages.ROOT / "src" / "kpi_rules" / "locale" / "catalogue.py"
    (folder / "catalogue.py").write_bytes(source.read_bytes())
    po = folder / "zh_Hans" / "LC_MESSAGES" / "kpi_rules.po"
    po.parent.mkdir(parents=True)
    po.write_text('msgid "unit"\nmsgstr "单位"\n', encoding="utf-8")
    hook = hatch_build.CatalogueHook(str(tmp_path), {}, None, None, str(tmp_path), "wheel")
    hook.initialize("editable", {})
    assert po.with_suffix(".mo").read_bytes() == compile_mo({"unit": "单位"})
