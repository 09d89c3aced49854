"""Edits on disk: whole or not at all, nothing else touched, nobody else's lost."""

from __future__ import annotations

import os
import stat
import tempfile
import threading
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import kpi_rules as kr
from kpi_rules.workspace import saving
from tests.workspace.editing import EXAMPLE, EXAMPLES, HUNDRED, JULY, city, copied, edits_of, same

if TYPE_CHECKING:
    from collections.abc import Callable

    from kpi_rules.workspace.edits import Edit

BELOW = "field_duty.off_post_below"
SLOW = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copied(tmp_path / "worked")


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@SLOW
@given(st.data())
def test_what_is_saved_is_what_was_previewed_and_can_be_taken_back(tmp_path: Path, data: st.DataObject) -> None:
    folder = city(tmp_path / "city")
    before = kr.load(folder)
    edits = data.draw(edits_of(before))
    after = before.with_edits(edits)
    found = kr.save(before, edits)
    if after.errors:
        assert found.problems
        assert kr.load(folder).tables.quotas.equals(before.tables.quotas)
        return
    assert found.problems == []
    same(found.workspace, after)
    same(kr.load(folder), after)
    back = kr.save(found.workspace, found.undo)
    assert back.problems == []
    assert set(before.plugins.rules) == set(back.workspace.plugins.rules)
    assert back.workspace.parameters.declared == before.parameters.declared
    day = date(2011, 12, 31)
    for name in before.parameters.declared:
        for group in (None, "社会事业组"):
            assert back.workspace.parameters.at(name, day, group).value == before.parameters.at(name, day, group).value
    assert back.workspace.tables.quotas.drop("row").equals(before.tables.quotas.drop("row"))
    assert (folder / "quotas.csv").read_bytes() == (HUNDRED / "quotas.csv").read_bytes()
    assert {path.name for path in folder.iterdir()} == {"kpi.toml", "units.csv", "quotas.csv"}


@SLOW
@given(st.data())
def test_values_that_are_changed_back_leave_the_file_as_it_was(tmp_path: Path, data: st.DataObject) -> None:
    folder = copied(tmp_path / "worked")
    before, old = kr.load(folder), bytes_of(folder)
    edits = [edit for edit in data.draw(edits_of(before)) if not isinstance(edit, kr.SwitchEdit)]
    found = kr.save(before, edits)
    if not found.problems:
        kr.save(found.workspace, found.undo)
    assert bytes_of(folder) == old


def test_nothing_else_in_the_files_changes(folder: Path) -> None:
    old = bytes_of(folder)
    edits: list[Edit] = [
        kr.ParameterEdit(BELOW, Decimal("0.4")),
        kr.ParameterEdit("rewards.outstanding", Decimal("1.3"), JULY),
        kr.QuotaEdit("water", 2_500_000_000, effective=JULY, note='for "this", and that'),
        kr.QuotaEdit("culture", 1_234_567),
    ]
    found = kr.save(kr.load(folder), edits)
    assert (found.problems, found.merged) == ([], False)
    assert {path.name for path in found.written} == {"kpi.toml", "quotas.csv"}
    new = bytes_of(folder)
    assert {name for name in old if old[name] != new[name]} == {"kpi.toml", "quotas.csv"}
    assert new["kpi.toml"] == old["kpi.toml"].replace(b"off_post_below = 0.50 ", b"off_post_below = 0.4 ").replace(
        b"outstanding = 1.20 ",
        b"outstanding = [\n    { value = 1.20 },\n    { value = 1.3, from = 2011-07-01 },\n] ",
    )
    lines = old["quotas.csv"].decode().splitlines(keepends=True)
    lines[3] = "culture,funds,12345.67,2011-01-01,\n"
    lines.insert(3, 'water,funds,2500万,2011-07-01,"for ""this"", and that"\n')
    assert new["quotas.csv"].decode() == "".join(lines)


def test_marks_line_ends_permissions_and_links_stay(folder: Path) -> None:
    real = folder.parent / "elsewhere.toml"
    text = (folder / "kpi.toml").read_text(encoding="utf-8").replace("\n", "\r\n")
    real.write_bytes(b"\xef\xbb\xbf" + text.encode())
    (folder / "kpi.toml").unlink()
    (folder / "kpi.toml").symlink_to(real)
    real.chmod(0o640)
    found = kr.save(kr.load(folder), [kr.ParameterEdit("rewards.outstanding", Decimal("1.3"), JULY)])
    assert found.problems == []
    assert (folder / "kpi.toml").is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    written = real.read_bytes()
    assert written.startswith(b"\xef\xbb\xbf")
    assert written.count(b"\n") == written.count(b"\r\n") > text.count("\r\n")
    kr.save(found.workspace, found.undo)
    assert real.read_bytes() == b"\xef\xbb\xbf" + text.encode()


def test_a_preview_is_saved_with_its_edits(folder: Path) -> None:
    preview = kr.load(folder).with_edits([kr.ParameterEdit(BELOW, Decimal("0.4"))])
    found = kr.save(preview, [kr.SwitchEdit("rewards", on=False)])
    assert found.workspace.parameters.at(BELOW, JULY, None).value == Decimal("0.4")
    assert "rewards.bonus" not in found.workspace.plugins.rules
    assert [type(edit) for edit in found.undo] == [kr.ParameterEdit, kr.SwitchEdit]


def test_nothing_to_write_writes_nothing(folder: Path) -> None:
    old = (folder / "kpi.toml").stat()
    found = kr.save(kr.load(folder), [kr.ParameterEdit(BELOW, Decimal("0.50")), kr.SwitchEdit("rewards", on=True)])
    assert (found.written, found.problems) == ((), [])
    assert (folder / "kpi.toml").stat().st_mtime_ns == old.st_mtime_ns


def test_what_would_be_an_error_is_not_written(folder: Path) -> None:
    rows = (folder / "quotas.csv").read_text(encoding="utf-8").splitlines()
    head, *rest = rows
    (folder / "quotas.csv").write_text(
        "\n".join([f"{head},stretch", f"{rest[0]},3100万", *(f"{row}," for row in rest[1:])]), encoding="utf-8"
    )
    ws, old = kr.load(folder), bytes_of(folder)
    assert ws.errors == []
    found = kr.save(ws, [kr.QuotaEdit("finance", 10**12), kr.ParameterEdit(BELOW, 0)])
    assert [problem.code for problem in found.problems] == ["stretch-below-quota"]
    assert bytes_of(folder) == old
    assert found.workspace is ws
    assert kr.save(ws, [kr.QuotaEdit("nobody", 1)]).problems[0].code == "unknown-unit"


def test_errors_that_were_there_do_not_stop_a_save(folder: Path) -> None:
    with (folder / "quotas.csv").open("a", encoding="utf-8") as file:
        file.write("water,funds,much,2011-08-01,\n")
    ws = kr.load(folder)
    assert [problem.code for problem in ws.errors] == ["bad-amount"]
    found = kr.save(ws, [kr.QuotaEdit("finance", 7, effective=JULY)])
    assert found.problems == []
    mended = kr.save(found.workspace, [kr.QuotaEdit("water", 900, effective=date(2011, 8, 1))])
    assert mended.workspace.errors == []


def test_another_edit_elsewhere_is_kept(folder: Path) -> None:
    mine, theirs = kr.load(folder), kr.load(folder)
    others: list[Edit] = [kr.ParameterEdit("rewards.outstanding", Decimal("1.5")), kr.QuotaEdit("culture", 77)]
    assert kr.save(theirs, others).problems == []
    own: list[Edit] = [kr.ParameterEdit(BELOW, Decimal("0.4")), kr.QuotaEdit("water", 99)]
    found = kr.save(mine, own)
    assert (found.problems, found.merged) == ([], True)
    same(found.workspace, mine.with_edits([*others, *own]))


def test_another_edit_of_the_same_is_a_conflict_each(folder: Path) -> None:
    mine = kr.load(folder)
    others: list[Edit] = [
        kr.ParameterEdit(BELOW, Decimal("0.45")),
        kr.QuotaEdit("water", 100),
        kr.QuotaEdit("culture", 5, effective=date(2011, 9, 1)),
        kr.SwitchEdit("rewards", on=False),
    ]
    assert kr.save(kr.load(folder), others).problems == []
    old = bytes_of(folder)
    edits: list[Edit] = [
        kr.ParameterEdit(BELOW, Decimal("0.4")),
        kr.QuotaEdit("water", 99),
        kr.QuotaEdit("culture", 6),
        kr.QuotaEdit("finance", 7),
        kr.SwitchEdit("rewards", on=False),
    ]
    found = kr.save(mine, edits)
    assert {problem.code for problem in found.problems} == {"changed-elsewhere"}
    assert sorted(problem.message for problem in found.problems) == [
        f"kpi.toml, {BELOW}: found 0.45; expected 0.50, as it was loaded",
        "kpi.toml, rewards: found false; expected true, as it was loaded",
        'quotas, culture, funds: found "2011-09-01"; expected "2011-01-01", as it was loaded',
        (
            'quotas, water, funds, 2011-01-01: found "water, funds, 1.00, 2011-01-01, "; '
            'expected "water, funds, 2000万, 2011-01-01, ", as it was loaded'
        ),
    ]
    assert bytes_of(folder) == old


def test_files_that_went_or_broke_meanwhile_are_said(folder: Path) -> None:
    ws = kr.load(folder)
    (folder / "kpi.toml").write_text("[year", encoding="utf-8")
    assert [each.code for each in kr.save(ws, [kr.ParameterEdit(BELOW, 0)]).problems] == ["invalid-toml"]
    (folder / "kpi.toml").unlink()
    assert [each.code for each in kr.save(ws, [kr.ParameterEdit(BELOW, 0)]).problems] == ["missing-file"]


def failing(at: int) -> Callable[[Path, Path], Path]:
    """Return an `os.replace` that fails at a call."""
    real, calls = Path.replace, []

    def replace(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == at:
            raise OSError(28, "No space left on device", str(target))
        return real(self, target)

    return replace


@pytest.mark.parametrize("at", [1, 2])
def test_a_replacement_that_fails_leaves_all_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    old = bytes_of(folder)
    monkeypatch.setattr(Path, "replace", failing(at))
    found = kr.save(kr.load(folder), [kr.ParameterEdit(BELOW, 0), kr.QuotaEdit("water", 99)])
    assert [problem.code for problem in found.problems] == ["not-written"]
    assert "No space left on device" in found.problems[0].message
    assert bytes_of(folder) == old


def test_a_full_disk_leaves_all_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = bytes_of(folder)

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    found = kr.save(kr.load(folder), [kr.ParameterEdit(BELOW, 0)])
    assert [problem.code for problem in found.problems] == ["not-written"]
    assert bytes_of(folder) == old


def test_what_reads_otherwise_from_the_disk_is_taken_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ws, old = kr.load(folder), bytes_of(folder)
    broken = kr.load(EXAMPLES.parent / "tests" / "bad" / "no-units")
    monkeypatch.setattr(saving, "load", lambda _folder: broken)
    found = kr.save(ws, [kr.ParameterEdit(BELOW, 0)])
    assert found.problems == broken.errors != []
    assert bytes_of(folder) == old


def test_a_folder_that_may_not_be_written_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_how: object) -> tuple[int, str]:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(tempfile, "mkstemp", refused)
    found = kr.save(kr.load(folder), [kr.ParameterEdit(BELOW, 0)])
    assert found.problems[0].place.file == str(folder)
    assert found.problems[0].found == "a file that cannot be written: Permission denied"


def test_two_who_save_at_once_both_keep_what_they_wrote(folder: Path) -> None:
    edits = [kr.QuotaEdit(unit, 1000 + number) for number, unit in enumerate(("finance", "water", "culture", "trade"))]
    loaded = [kr.load(folder) for _edit in edits]
    found: list[kr.Saved] = []
    threads = [
        threading.Thread(target=lambda ws=ws, edit=edit: found.append(kr.save(ws, [edit])))
        for ws, edit in zip(loaded, edits, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [saved.problems for saved in found] == [[]] * 4
    assert sum(saved.merged for saved in found) == 3
    amounts = dict(kr.load(folder).tables.quotas.sort("effective").select("unit", "amount").iter_rows())
    assert [amounts[edit.unit] for edit in edits] == [1000, 1001, 1002, 1003]


def test_a_save_that_waits_for_another_gives_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "WAIT", 0.1)
    with saving._locked([folder / "kpi.toml"]):
        found = kr.save(kr.load(folder), [kr.ParameterEdit(BELOW, 0)])
    assert [problem.code for problem in found.problems] == ["not-written"]
    assert "another save" in found.problems[0].found


def test_quotas_of_other_files_are_not_written(tmp_path: Path) -> None:
    folder = copied(tmp_path / "worked", EXAMPLE)
    kr.load(folder).tables.quotas.drop("row", "deadline", "quality").write_parquet(folder / "quotas.parquet")
    text = (folder / "kpi.toml").read_text(encoding="utf-8").replace("quotas.csv", "quotas.parquet")
    (folder / "kpi.toml").write_text(text, encoding="utf-8")
    ws = kr.load(folder)
    assert ws.with_edits([kr.QuotaEdit("water", 99)]).tables.quotas["amount"].to_list()[1] == 99
    found = kr.save(ws, [kr.QuotaEdit("water", 99), kr.ParameterEdit(BELOW, 0)])
    assert [problem.message for problem in found.problems] == [
        (
            "quotas.parquet, table quotas: found quotas that come from quotas.parquet; "
            "expected quotas from CSV files, or the change made by hand"
        )
    ]
    assert (folder / "kpi.toml").read_text(encoding="utf-8") == text
    assert kr.save(ws, [kr.ParameterEdit(BELOW, 0)]).problems == []
