"""Documentation is executed: what a page shows is what happens.

Each page is played from top to bottom in a folder of its own that holds `examples/`:

- a block with `file=<path>` is written there;
- `python` is run, all blocks of a page in one namespace; with `>>>` the printed values are compared;
- `console` is run line by line (`$ ...`) by bash; output is compared where it is shown (`...` stands for anything), and
  the exit code must be 0 unless the next line is `$ echo $?`. `kpi-rules` itself is run in this process, which need not
  start and import everything once more, and bash gets what is piped on; `tests/cli/test_process.py` holds the program;
- `toml` must be TOML.
"""

from __future__ import annotations

import ast
import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import tomli
from attrs import define, field
from click.testing import CliRunner

from kpi_rules.cli import main
from tests.packaging import install_editable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"[a-z]+(-[a-z]+)+")
MAKERS = ("error", "warning", "note")
NO_CODES = {
    "in-memory",
    "kpi-rules",
    "new-policy",
    "not-a-date",
    "not-a-number",
    "sans-serif",
    "too-fine",
    "too-large",
    "too-small",
    "unit-twice",
    "yyyy-mm-dd",
}
"""Other words, and what `workspace.amounts` says to `workspace.cleaning`, which codes it by the kind of column."""

TEST_COMMAND = "uv run pytest"
INSTALL = "uv pip install --editable "
ALONE = re.compile(r"kpi-rules( [^|&;<>$*?~`\"'\\]+)?")
"""The program and its arguments, nothing of which means anything to bash."""
SCREEN = {"KPI_RULES_LANG": "en", "COLUMNS": "110", "NO_COLOR": "1"}
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@define(frozen=True)
class Block:
    """A fenced block: its language, the file it is written to, its text, and the line its text begins at."""

    language: str
    file: str
    text: str
    line: int


@define
class Page:
    """A page being played."""

    path: Path
    folder: Path
    names: dict[str, object] = field(factory=lambda: {"__name__": "__page__"})
    path_first: list[Path] = field(factory=list)
    monkeypatch: pytest.MonkeyPatch = field(kw_only=True)

    def play(self, block: Block) -> None:
        """Do what a block says."""
        if block.language == "toml":
            tomli.loads(block.text)
        if block.file:
            target = self.folder / block.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            self._python(block)
        elif block.language == "console":
            self._console(block)

    def _python(self, block: Block) -> None:
        if ">>>" not in block.text:
            # Blank lines in front keep the line numbers of tracebacks those of the page.
            exec(compile("\n" * (block.line - 1) + block.text, str(self.path), "exec"), self.names)  # noqa: S102 (our own pages)
            return
        test = doctest.DocTestParser().get_doctest(block.text, {}, self.path.name, str(self.path), block.line - 1)
        test.globs = self.names
        said: list[str] = []
        doctest.DocTestRunner(optionflags=FLAGS).run(test, out=said.append, clear_globs=False)
        assert not said, "".join(said)

    def _console(self, block: Block) -> None:
        code = 0
        for command, shown, next_command in commands(block.text):
            if command == "echo $?":
                assert shown.strip() == str(code)
                continue
            if command == TEST_COMMAND:
                assert (ROOT / ".ci" / "run").read_text().rstrip().endswith(f"\n{TEST_COMMAND}")
                continue
            if command.startswith(INSTALL):
                self._install(command.removeprefix(INSTALL))
                continue
            done = self._run(command)
            code = done.returncode
            if next_command != "echo $?":
                assert code == 0, f"$ {command}\n{done.stdout}{done.stderr}"
            if shown.strip():
                agrees = doctest.OutputChecker().check_output(shown, done.stdout, FLAGS)
                assert agrees, f"$ {command}\nshown:\n{shown}\ngot:\n{done.stdout}{done.stderr}"

    def _run(self, command: str) -> subprocess.CompletedProcess[str]:
        ours, _pipe, others = command.partition(" | ")
        if self.path_first or not ALONE.fullmatch(ours):  # a package of the page may change once it was imported here
            return run(command, self.folder, self.path_first)
        done = run_here(ours)
        return run(others, self.folder, given=done.stdout) if others else done

    def _install(self, package: str) -> None:
        """Install a package of the page for this page alone; the environment of the tests stays as it is."""
        self.path_first = [*install_editable(self.folder / package, self.folder / ".site"), *self.path_first]
        for path in reversed(self.path_first):
            self.monkeypatch.syspath_prepend(path)


def blocks(path: Path) -> list[Block]:
    """Read the fenced blocks of a page."""
    text = path.read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(text):
        language, _space, rest = match["info"].partition(" ")
        file = rest.removeprefix("file=") if rest.startswith("file=") else ""
        found.append(Block(language, file, match["text"], text.count("\n", 0, match.start("text")) + 1))
    return found


def commands(text: str) -> Iterator[tuple[str, str, str]]:
    """Give each command of a console block with the output shown for it, and the command after it."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]
    split = [part.partition("\n") for part in parts]
    for number, (command, _newline, shown) in enumerate(split):
        yield command.strip(), shown, split[number + 1][0].strip() if number + 1 < len(split) else ""


def run(
    command: str, folder: Path, path_first: Iterable[Path] = (), given: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command as the page's reader would; `uv run` and its installation are what has put us here."""
    command = command.removeprefix("pip install uv && ").removeprefix("uv run ")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | SCREEN | {"PATH": path}
    environment["PYTHONPATH"] = os.pathsep.join(map(str, path_first))
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        input=given,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )


def run_here(command: str) -> subprocess.CompletedProcess[str]:
    """Run `kpi-rules` in this process, in the folder it is in."""
    done = CliRunner().invoke(main, command.split()[1:], env=SCREEN, catch_exceptions=False)
    return subprocess.CompletedProcess(command, done.exit_code, done.stdout, done.stderr)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_page_does_what_it_says(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(tmp_path)
    page = Page(path, tmp_path, monkeypatch=monkeypatch)
    for block in blocks(path):
        page.play(block)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?://)([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_every_problem_code_is_explained() -> None:
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| `([^`]+)` \|", page, flags=re.MULTILINE))
    assert explained == set(problem_codes()) - NO_CODES


def problem_codes() -> Iterator[str]:
    """Give the codes in the source: its texts in kebab case, and the first of what makes a problem."""
    for path in sorted((ROOT / "src" / "kpi_rules").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKERS and node.args:
                yield from (str(each.value) for each in node.args[:1] if isinstance(each, ast.Constant))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                yield node.value
