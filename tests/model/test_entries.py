"""Entry points are those of `importlib.metadata`, wherever they are read from."""

from __future__ import annotations

import sys
import zipfile
from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from kpi_rules.model.entries import Distribution, Entry, entry_points, version_of

if TYPE_CHECKING:
    from pathlib import Path

ENTRIES = """
[kpi_rules]
# what is remarked
winter = kpi_winter
inner=kpi_winter.inner : Made.here [extra]

[console_scripts]
winter = other:main
"""
ABOUT = "Metadata-Version: 2.1\nName: Kpi.Winter\nVersion: 1.0\n\nName: in the text\n"


def install(place: Path, folder: str = "Kpi.Winter-1.0.dist-info", about: str = "METADATA") -> Path:
    (place / folder).mkdir(parents=True)
    (place / folder / about).write_text(ABOUT)
    (place / folder / "entry_points.txt").write_text(ENTRIES)
    return place / folder


def of_metadata(group: str) -> set[Entry]:
    return {
        Entry(each.name, each.value, Distribution(each.dist.name, each.dist.version) if each.dist else None)
        for each in metadata.entry_points(group=group)
    }


@pytest.mark.parametrize("group", ["kpi_rules", "kpi_rules.commands", "console_scripts", "pytest11", "none"])
def test_they_are_those_of_the_standard_library(group: str) -> None:
    assert set(entry_points(group)) == of_metadata(group)


@pytest.mark.parametrize("name", ["kpi-rules", "kpi_rules_rewards", "PyTest", "polars"])
def test_so_are_versions(name: str) -> None:
    assert version_of(name) == metadata.version(name)


def test_nothing_of_a_name_has_no_version() -> None:
    assert version_of("kpi-rules-none") is None


@pytest.mark.parametrize(
    ("folder", "about"),
    [("Kpi.Winter-1.0.dist-info", "METADATA"), ("kpi_winter.egg-info", "PKG-INFO")],
)
def test_what_a_folder_declares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, about: str) -> None:
    install(tmp_path, folder, about)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = {each.name: each for each in entry_points("kpi_rules")}
    assert found["winter"] == Entry("winter", "kpi_winter", Distribution("Kpi.Winter", "1.0"))
    assert (found["inner"].module, version_of("kpi-winter")) == ("kpi_winter.inner", "1.0")
    assert set(entry_points("kpi_rules")) == of_metadata("kpi_rules")


def test_the_first_of_a_name_on_the_path_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "later")
    later = install(tmp_path / "first", "kpi_winter-2.0.dist-info")
    (later / "METADATA").write_text(ABOUT.replace("1.0", "2.0"))
    monkeypatch.setattr(sys, "path", [str(tmp_path / "first"), str(tmp_path / "later"), str(tmp_path / "none")])
    assert {each.dist for each in entry_points("kpi_rules")} == {Distribution("Kpi.Winter", "2.0")}
    assert set(entry_points("kpi_rules")) == of_metadata("kpi_rules")


def test_what_is_broken_declares_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    (install(tmp_path) / "METADATA").unlink()
    assert {each.dist for each in entry_points("kpi_rules")} == {None}
    assert version_of("kpi-winter") is None
    (tmp_path / "Kpi.Winter-1.0.dist-info" / "entry_points.txt").write_bytes(b"\xff\xfe")
    assert entry_points("kpi_rules") == []


def test_an_archive_is_left_to_the_standard_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = install(tmp_path)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"{folder.name}/{path.name}")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "all.zip")])
    assert {each.name for each in entry_points("kpi_rules")} == {"winter", "inner"}
    assert (version_of("kpi-winter"), version_of("kpi-rules-none")) == ("1.0", None)


def test_loading_gives_what_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kpi_loaded.py").write_text("class Made:\n    here = 7\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert Entry("a", "kpi_loaded", None).load() is sys.modules["kpi_loaded"]
    assert Entry("a", "kpi_loaded:Made.here [extra]", None).load() == 7
