"""The program as a process: start-up, pipes, files."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

HEAVY = ("polars", "rich", "numpy", "dataframely", "fastexcel", "xlsxwriter", "pluggy", "sqlalchemy")


def program(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "kpi_rules.cli", *map(str, arguments)],
        capture_output=True,
        check=False,
        env={**os.environ, "KPI_RULES_LANG": "en", **environment},
        timeout=60,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["assess", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom kpi_rules.cli import main\n"
        f"try: main({arguments!r})\n"
        f"finally: print(*sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout
    assert done.stderr.strip() == ""


def test_installed_policies_are_listed_without_importing_them() -> None:
    code = (
        "import sys\nfrom kpi_rules.cli import main\ntry: main(['plugins'])\n"
        "finally: print('kpi_supervision' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert "kpi-rules-supervision" in done.stdout
    assert done.stderr == "False\n"


def test_a_closed_pipe_is_quiet(example: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "kpi_rules.cli", "assess", str(example), "--as-of", "2012-03-31"],
        stdout=write,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


def test_a_full_disk_is_said(example: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full here")
    with full.open("wb") as target:
        done = subprocess.run(
            [sys.executable, "-m", "kpi_rules.cli", "check", str(example)],
            stdout=target,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert done.returncode == 2
    assert done.stderr.startswith(b"cannot write the output: ")
    assert b"Exception" not in done.stderr


def on_a_screen(*arguments: str | Path, **environment: str) -> str:
    """Run the program on a terminal of 80 columns and return what it shows."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "kpi_rules.cli", *map(str, arguments)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "KPI_RULES_LANG": "en", "TERM": "xterm", "COLUMNS": "80", **environment},
    )
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # the end of a terminal
        while more := os.read(ours, 65536):
            shown += more
    process.wait(timeout=60)
    os.close(ours)
    return shown.decode()


def test_on_a_screen_tables_are_folded_and_titles_stand_out(example: Path) -> None:
    shown = on_a_screen("check", example.parent / "hundred-days")
    assert "\x1b[1m" in shown
    assert "before-year-start" in shown
    assert max(len(line) for line in shown.splitlines() if "evidence/arrivals-1.csv" not in line) <= 120


def test_no_color_and_binary_formats_on_a_screen(example: Path) -> None:
    assert "\x1b[1m" not in on_a_screen("check", example, NO_COLOR="1")
    shown = on_a_screen("assess", example, "--format", "xlsx")
    assert "xlsx is not for a screen: name a file with -o" in shown
    assert "Traceback" not in shown


def test_a_screen_that_knows_no_chinese(example: Path) -> None:
    done = program("assess", example, "--as-of", "2012-03-31", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert rb"\u5e02\u8d22\u653f\u5c40" in done.stdout
    data = program("assess", example, "--table", "units", "--format", "csv", PYTHONIOENCODING="ascii")
    assert data.returncode == 0


def test_the_language_of_the_environment(example: Path) -> None:
    done = program("check", example, KPI_RULES_LANG="zh")
    assert done.returncode == 0
    assert any("\u4e00" <= char <= "\u9fff" for char in done.stdout.decode())


def test_output_replaces_a_file_at_once_and_keeps_links_and_devices(example: Path, tmp_path: Path) -> None:
    from kpi_rules.cli.output import write_file

    target, link = tmp_path / "data.json", tmp_path / "link.json"
    target.write_text("old", encoding="utf-8")
    target.chmod(0o640)
    link.symlink_to(target)
    write_file(b"new", link)
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o777 == 0o640
    write_file(b"gone", Path(os.devnull))
    assert not Path(os.devnull).is_file()
    done = program("check", example, "-o", "-")
    assert done.stdout.startswith(b"Worked example")
