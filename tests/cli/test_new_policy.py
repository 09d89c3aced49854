"""`new-policy`: what it writes works as it is, and nothing is ever half written."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import tomli

import kpi_rules as kr
from kpi_rules.cli import new_policy
from tests.packaging import install_editable, run_in

if TYPE_CHECKING:
    from tests.cli.running import Run

ROOT = Path(__file__).parents[2]
LONGEST = "a" * new_policy.LONGEST


def made(run: Run, name: str, into: Path) -> Path:
    done = run("new-policy", name, "--into", into)
    assert (done.exit_code, done.stdout) == (0, "")
    (package,) = into.iterdir()
    assert f"made {package}; next: uv pip install --editable {package} && pytest {package}\n" == done.stderr
    return package


@pytest.mark.parametrize("name", ["winter_work", LONGEST])
def test_its_tests_pass_as_generated(run: Run, tmp_path: Path, name: str) -> None:
    package = made(run, name, tmp_path)
    path = install_editable(package, tmp_path / "site")
    said = run_in(package, "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", path=path)
    assert " passed" in said
    assert "failed" not in said
    run_in(package, "ruff", "check", "--no-cache", path=path)
    run_in(package, "ruff", "format", "--check", "--no-cache", path=path)


def test_it_is_typed(run: Run, tmp_path: Path) -> None:
    """By the project's own settings, which are stricter than the package's, and its cache, which `uv run mypy` has just
    filled in CI: to read polars and the rest for this alone takes mypy half a minute.
    """
    package = made(run, "winter_work", tmp_path)
    settings = tomli.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    assert settings["strict"] is True
    ours = ("--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache"))
    run_in(package, "mypy", *ours, *settings["files"], path=[], more={"MYPYPATH": str(package / "src")})


def test_its_tests_see_another_bound(run: Run, tmp_path: Path) -> None:
    package = made(run, "winter_work", tmp_path)
    policy = package / "src" / "kpi_winter_work" / "__init__.py"
    text = policy.read_text(encoding="utf-8")
    policy.write_text(text.replace("pace_gap > p.tolerated", "pace_gap >= p.tolerated"), encoding="utf-8")
    path = install_editable(package, tmp_path / "site")
    with pytest.raises(AssertionError) as failure:
        run_in(package, "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", path=path)
    assert "FAILED tests/test_rules.py::test_it_starts_above_the_bound" in str(failure.value)
    assert "FAILED tests/test_cases.py::test_every_case_passes" in str(failure.value)


def test_its_first_test_fails_where_it_is_not_registered(run: Run, tmp_path: Path) -> None:
    package = made(run, "winter_work", tmp_path)
    with pytest.raises(AssertionError, match="test_it_is_registered"):
        run_in(package, "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "tests/test_registered.py", path=[])


def test_the_package_says_what_it_is(run: Run, tmp_path: Path) -> None:
    package = made(run, "winter_work", tmp_path)
    text = (package / "pyproject.toml").read_text(encoding="utf-8")
    project = tomli.loads(text)["project"]
    assert project["name"] == "kpi-rules-winter-work"
    assert project["entry-points"] == {"kpi_rules": {"winter_work": "kpi_winter_work"}}
    assert project["dependencies"] == ["attrs>=25,<27", "kpi-rules>=0.1,<1"]
    files = {path.relative_to(package).as_posix(): path for path in package.rglob("*") if path.is_file()}
    assert {"src/kpi_winter_work/py.typed", "src/kpi_winter_work/cases/behind.toml"} <= files.keys()
    for name, path in files.items():
        content = path.read_text(encoding="utf-8")
        assert "://" not in content, name  # no registry, no host of any kind
        assert not [word for word in content.split() if word.count("@") > 1], name
    imported = {
        node.module
        for node in ast.walk(ast.parse((package / "src/kpi_winter_work/__init__.py").read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
    }
    assert {name for name in imported if name and name.startswith("kpi_rules")} == {"kpi_rules"}


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("winter-work", "winter_work"),
        ("Winter", "winter"),
        ("winter work", "winter_work"),
        ("2winter", "winter"),
        ("winter_", "winter"),
        ("winter__work", "winter_work"),
        ("../winter", "winter"),
        ("class", None),
        ("", None),
        ("冬季", None),
        ("a.b", "a_b"),
    ],
)
def test_what_is_no_word_is_no_name(run: Run, tmp_path: Path, name: str, nearest: str | None) -> None:
    done = run("new-policy", name, "--into", tmp_path)
    hint = f" (nearest: {nearest})" if nearest else ""
    assert (done.exit_code, done.stderr) == (
        2,
        f"'{name}' cannot be the name of a policy; expected a word of a to z, 0 to 9 and single _{hint}\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_a_name_is_not_too_long(run: Run, tmp_path: Path) -> None:
    done = run("new-policy", LONGEST + "a", "--into", tmp_path)
    assert (done.exit_code, done.stderr) == (2, f"the name {LONGEST}a has 41 letters; at most 40\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("credit", "the section [credit] of kpi.toml"),
        ("rewards", "an installed policy, of kpi-rules-rewards"),
        ("rules", "the installed module kpi_rules"),
    ],
)
def test_a_name_that_is_taken(run: Run, tmp_path: Path, name: str, owner: str) -> None:
    done = run("new-policy", name, "--into", tmp_path)
    assert (done.exit_code, done.stderr) == (2, f"the name {name} is taken by {owner}; choose another\n")
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_stays(run: Run, tmp_path: Path) -> None:
    there = tmp_path / "kpi-rules-winter-work"
    there.mkdir()
    (there / "note.txt").write_text("keep", encoding="utf-8")
    done = run("new-policy", "winter_work", "--into", tmp_path)
    assert (done.exit_code, done.stderr) == (2, f"{there} is there already; nothing was changed\n")
    assert [path.name for path in tmp_path.rglob("*")] == ["kpi-rules-winter-work", "note.txt"]
    done = run("new-policy", "winter_work", "--into", there / "note.txt")
    assert (done.exit_code, done.stderr) == (2, f"{there / 'note.txt'} is a file; nothing was changed\n")
    done = run("new-policy", "winter_work", "--into", tmp_path / "no")
    assert (done.exit_code, done.stderr) == (2, f"there is no folder {tmp_path / 'no'}; make it first\n")


def test_a_failure_leaves_nothing_behind(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_self: Path, _target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    done = run("new-policy", "winter_work", "--into", tmp_path)
    assert (done.exit_code, done.stderr) == (2, f"cannot make {tmp_path}: No space left on device\n")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def workspace(example: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(example, tmp_path / "mine"))


def test_a_policy_of_one_file(run: Run, workspace: Path) -> None:
    done = run("new-policy", "winter_work", "--local", "--into", workspace)
    written = workspace / "policies" / "winter_work.py"
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == (
        f'made {written}; next: local = ["policies/winter_work.py"] under [plugins] of {workspace / "kpi.toml"}\n'
    )
    config = workspace / "kpi.toml"
    text = config.read_text(encoding="utf-8")
    config.write_text(
        text.replace("[plugins]\n", '[plugins]\nlocal = ["policies/winter_work.py"]\n')
        + "\n[winter_work]\ntolerated = 0.05\n",
        encoding="utf-8",
    )
    loaded = kr.load(workspace)
    assert loaded.problems == []
    assert "winter_work.behind" in set(kr.assess(loaded).measures["rule"])

    done = run("new-policy", "winter_work", "--local", "--into", workspace)
    assert (done.exit_code, done.stderr) == (
        2,
        "the name winter_work is taken by the policy policies/winter_work.py of the workspace; choose another\n",
    )


def test_a_file_that_is_there_stays(run: Run, workspace: Path) -> None:
    (workspace / "policies").mkdir()
    (workspace / "policies" / "winter_work.py").write_text("keep", encoding="utf-8")
    done = run("new-policy", "winter_work", "--local", "--into", workspace)
    path = workspace / "policies" / "winter_work.py"
    assert (done.exit_code, done.stderr) == (2, f"{path} is there already; nothing was changed\n")
    assert path.read_text(encoding="utf-8") == "keep"


def test_one_file_needs_a_workspace(run: Run, tmp_path: Path) -> None:
    done = run("new-policy", "winter_work", "--local", "--into", tmp_path)
    assert (done.exit_code, done.stderr) == (
        2,
        f"{tmp_path} is no workspace: it has no kpi.toml; --into names one\n",
    )
    assert list(tmp_path.iterdir()) == []
