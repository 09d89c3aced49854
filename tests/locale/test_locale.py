"""Messages: which language, from where, and what happens where there is no translation."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from kpi_rules import locale
from kpi_rules.locale.catalogue import compile_mo, read_po

if TYPE_CHECKING:
    from pathlib import Path

HEADER = (
    'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
)
PO = HEADER + (
    'msgid "unit"\nmsgstr "单位"\n\n'
    'msgid "{n} unit"\nmsgid_plural "{n} units"\nmsgstr[0] "{n} 个单位"\n\n'
    '#, fuzzy\nmsgid "guess"\nmsgstr "猜"\n\n'
    'msgid ""\n"two "\n"lines"\nmsgstr "两"\n"行"\n\n'
    'msgctxt "verb"\nmsgid "hold"\nmsgstr "扣留"\n\n'
    'msgid "open"\nmsgstr ""\n\n'
    '#~ msgid "gone"\n#~ msgstr "旧"\n'
)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an importable package `kpi_speaking` with a Chinese catalogue."""
    folder = tmp_path / "kpi_speaking"
    po = folder / "locale" / "zh_Hans" / "LC_MESSAGES" / "kpi_speaking.po"
    po.parent.mkdir(parents=True)
    (folder / "__init__.py").touch()
    po.write_text(PO, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "kpi_speaking", raising=False)
    monkeypatch.setattr(locale, "_loaded", {})
    return po


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("zh_CN.UTF-8", "zh_Hans"),
        ("zh", "zh_Hans"),
        ("zh-Hans", "zh_Hans"),
        ("zh_TW.Big5", "zh_Hant"),
        ("C.UTF-8", "en"),
        ("POSIX", "en"),
        ("en_GB", "en"),
        ("de_DE@euro", "de"),
    ],
)
def test_locale_names_become_languages(name: str, language: str) -> None:
    locale.set_language(name)
    assert locale.language() == language


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh_Hans"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "KPI_RULES_LANG": "en"}, "en"),
        ({"LANG": "C", "KPI_RULES_LANG": "zh"}, "zh_Hans"),
        ({"LANG": "zh_CN.UTF-8", "KPI_RULES_LANG": ""}, "zh_Hans"),
    ],
)
def test_environment_gives_the_language(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], language: str
) -> None:
    for name in ("KPI_RULES_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    locale.set_language(None)
    assert locale.language() == language


@pytest.mark.usefixtures("package")
def test_a_plugin_has_its_own_catalogue() -> None:
    locale.set_language("zh_CN")
    assert locale.translate("unit", "kpi_speaking") == "单位"
    assert locale.translate("unknown message", "kpi_speaking") == "unknown message"
    locale.set_language("en")
    assert locale.translate("unit", "kpi_speaking") == "unit"


@pytest.mark.parametrize("domain", ["kpi_no_such_package", "json"])
def test_no_catalogue_means_no_translation(domain: str) -> None:
    locale.set_language("zh_CN")
    assert locale.translate("unit", domain) == "unit"


def test_an_empty_message_is_not_the_header() -> None:
    locale.set_language("zh_CN")
    assert locale._("") == ""


def test_compiled_catalogue_is_used_unless_older(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package.with_suffix(".mo").write_bytes(
        compile_mo({"": "Content-Type: text/plain; charset=utf-8\n", "unit": "编译"})
    )
    locale.set_language("zh_CN")
    os.utime(package, (1, 1))
    assert locale.translate("unit", "kpi_speaking") == "编译"
    monkeypatch.setattr(locale, "_loaded", {})
    os.utime(package.with_suffix(".mo"), (0, 0))
    assert locale.translate("unit", "kpi_speaking") == "单位"


def test_plural_forms(monkeypatch: pytest.MonkeyPatch, package: Path) -> None:
    del package
    monkeypatch.setattr(locale, "_DOMAIN", "kpi_speaking")
    locale.set_language("zh_CN")
    assert locale.ngettext("{n} unit", "{n} units", 1).format(n=1) == "1 个单位"
    locale.set_language("en")
    assert [locale.ngettext("{n} unit", "{n} units", n).format(n=n) for n in (1, 2)] == ["1 unit", "2 units"]


def test_reading_a_po_file() -> None:
    entries = read_po(PO)
    del entries[""]
    assert entries == {
        "unit": "单位",
        "{n} unit\0{n} units": "{n} 个单位",
        "two lines": "两行",
        "verb\x04hold": "扣留",
    }


def test_the_header_counts_though_it_is_fuzzy() -> None:
    assert read_po("#, fuzzy\n" + HEADER)[""].startswith("Content-Type")


def test_a_broken_po_file_names_its_line() -> None:
    with pytest.raises(ValueError, match="line 2: expected a quoted string"):
        read_po('msgid "a"\nmsgstr "b\n')
