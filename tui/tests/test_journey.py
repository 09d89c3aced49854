"""The main journey with real keys in a real terminal: open, find the laggards, read why, change a quota and a
threshold, see who is hit, simulate both variants, save, undo.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tui.tests.driver import PATIENCE, copied

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_KEYS = 40

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")


class Terminal:
    """A terminal of tmux with the program in it; keys are counted."""

    def __init__(self, folder: Path, home: Path, program: list[str] | None = None) -> None:
        self.socket, self.keys = f"kpi-{uuid4().hex}", 0
        asked = [sys.executable, "-m", "kpi_rules.cli", "tui", str(folder), "--as-of", "2011-09-30"]
        environment = {"XDG_STATE_HOME": home / "state", "XDG_CONFIG_HOME": home / "config", "KPI_RULES_LANG": "en"}
        words = [*(f"-e{name}={value}" for name, value in environment.items())]
        # The shell says how it ended: tmux 3.3a mostly misses the end of a program that has written just before.
        shell = f'{shlex.join(program or asked)}; echo "ended with $?"; exec sleep 600'
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "110", "-y", "32", *words, "sh", "-c", shell)

    def tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-L", self.socket, *words], capture_output=True, encoding="utf-8", check=True, timeout=30
        )
        return done.stdout

    @property
    def screen(self) -> str:
        return self.tmux("capture-pane", "-p", "-S", "-50")

    def until(self, text: str, *, gone: bool = False) -> str:
        end = time.monotonic() + PATIENCE
        while (text in self.screen) == gone:
            assert time.monotonic() < end, f"{text!r} {'stays' if gone else 'does not come'}:\n{self.screen}"
            time.sleep(0.1)
        return self.screen

    def ready(self) -> None:
        """Wait until everything was read: what the overview shows is there before."""
        self.until("met:")
        self.until("reading", gone=True)

    def close(self) -> None:
        """Close the terminal, as its window is: what runs in it gets SIGHUP."""
        subprocess.run(["tmux", "-L", self.socket, "kill-server"], capture_output=True, check=False)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.tmux("send-keys", key)
            self.keys += 1
            time.sleep(0.02)

    def type(self, text: str) -> None:
        self.tmux("send-keys", "-l", text)
        self.keys += len(text)


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return copied("hundred-days", tmp_path / "hundred-days")


@pytest.fixture
def terminal(workspace: Path, tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal(workspace, tmp_path)
    yield made
    made.close()


def test_the_main_journey(terminal: Terminal, workspace: Path) -> None:
    files = [workspace / "quotas.csv", workspace / "kpi.toml"]
    before = [file.read_bytes() for file in files]

    terminal.ready()
    terminal.press("/")
    terminal.type("behind")
    terminal.press("Enter")  # the laggards
    screen = terminal.until("match 'behind'")
    assert "市财政局" in screen

    terminal.press("Enter")  # why
    screen = terminal.until("Timeline")
    assert "Why" in screen

    terminal.press("2")  # the quota of that very unit
    terminal.until("What the changes do")
    terminal.press("Enter")
    terminal.type("90万")
    terminal.press("Enter")
    screen = terminal.until("not saved: 1")
    assert "→" in screen  # who is hit before and after

    terminal.press("3")  # a threshold
    terminal.until("policy, parameter, rule")
    terminal.press("/")
    terminal.type("gap")
    terminal.press("Enter", "Enter")
    terminal.type("0.1")
    terminal.press("Enter")
    screen = terminal.until("not saved: 2")
    assert "Head stationed" in screen

    terminal.press("4", "C-r")  # both variants
    terminal.until("digest", gone=False)

    terminal.press("C-s")
    terminal.until("Save these changes?")
    terminal.press("Right", "Enter")
    terminal.until("not saved", gone=True)
    assert "90万" in files[0].read_text(encoding="utf-8")
    assert "station_gap = [{ value = 0.1 }, " in files[1].read_text(encoding="utf-8")

    terminal.press("C-z")
    terminal.until("Undo what was saved last?")
    terminal.press("Right", "Enter")
    end = time.monotonic() + PATIENCE
    while [file.read_bytes() for file in files] != before:
        assert time.monotonic() < end, terminal.screen
        time.sleep(0.1)

    terminal.until("undone: ")  # by then nothing is left to be saved
    assert terminal.keys < MOST_KEYS
    terminal.press("q")
    terminal.until("ended with 0")


def test_a_terminal_that_is_closed_leaves_what_was_not_saved_for_the_next_run(
    terminal: Terminal, workspace: Path, tmp_path: Path
) -> None:
    terminal.ready()
    terminal.press("2", "Enter")
    terminal.type("90万")
    terminal.press("Enter")
    terminal.until("not saved: 1")
    terminal.close()
    (kept,) = tmp_path.rglob("unsaved-*")
    assert f"kpi-rules edit {workspace} --quota " in kept.read_text(encoding="utf-8")
    again = Terminal(workspace, tmp_path)
    try:
        again.until("an earlier session")
    finally:
        again.close()


BROKEN = """
import sys
from kpi_rules_tui.app import Office


def broken(self):
    raise RuntimeError("broken [@click=app.quit]no[/]")


Office.action_same = broken
from kpi_rules.cli import main

main(sys.argv[1:])
"""


def test_a_crash_leaves_the_terminal_clean_and_says_where_the_story_is(workspace: Path, tmp_path: Path) -> None:
    before = {file: file.read_bytes() for file in workspace.rglob("*") if file.is_file()}
    terminal = Terminal(workspace, tmp_path, program=[sys.executable, "-c", BROKEN, "tui", str(workspace)])
    try:
        terminal.ready()
        terminal.press("c")
        screen = terminal.until("ended with 70")
        assert "broken [@click=app.quit]no[/]; the details are in" in screen.replace("\n", "")
        assert "Traceback" not in screen
        assert "Overview" not in screen  # the other screen is gone
        assert terminal.tmux("display-message", "-p", "#{alternate_on} #{mouse_any_flag}").split() == ["0", "0"]
        story = Path(re.findall(r"/\S+?\.log", screen.replace("\n", ""))[0])
        assert "RuntimeError: broken" in story.read_text(encoding="utf-8")
        assert {file: file.read_bytes() for file in workspace.rglob("*") if file.is_file()} == before
    finally:
        terminal.close()
