"""`[guards]` and the guards as they hold; the static check of what guards read and say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kpi_rules.workspace.guards import guards_in_force
from tests.pipeline.making import messages, workspace

if TYPE_CHECKING:
    from pathlib import Path

    import kpi_rules as kr

POLICY = """
@hookimpl
def kpi_guards():
    return [{guards}]
"""


def loaded(place: Path, guards: str, toml: str = "") -> kr.Workspace:
    return workspace(place, policies={"winter.py": POLICY.format(guards=guards)}, toml=toml)


HALF = "Guard('half', when=pl.col('category') == 'contract', with_basis=pl.col('component') // 2, sources=['Law 1'])"


@pytest.mark.parametrize(
    ("toml", "effect", "basis"),
    [
        ("", "block", ""),
        ('[guards]\nhalf = "block"', "block", ""),
        ('[guards]\nhalf = { effect = "block", basis = "Law 2" }', "block", ""),
        ('[guards]\nhalf = { effect = "warn", basis = " Law 2 " }', "warn", "Law 2"),
    ],
)
def test_the_guard_as_it_holds(tmp_path: Path, toml: str, effect: str, basis: str) -> None:
    found = loaded(tmp_path, HALF, toml)
    assert found.errors == []
    assert found.config is not None
    guard = guards_in_force(found.plugins, found.config.guards)["half"]
    assert (guard.effect, guard.basis) == (effect, basis)
    assert str(guard.limit) == ("0" if effect == "block" else '[(col("component")) // (dyn int: 2)]')


def test_a_warning_may_become_a_block_without_a_basis(tmp_path: Path) -> None:
    guard = "Guard('half', when=pl.col('category') == 'contract', effect='warn')"
    found = loaded(tmp_path, guard, '[guards]\nhalf = "block"')
    assert found.errors == []
    assert found.config is not None
    assert str(guards_in_force(found.plugins, found.config.guards)["half"].limit) == "0"


@pytest.mark.parametrize(
    ("guard", "message"),
    [
        (
            "Guard('half', when=pl.col('catgory') == 'contract')",
            "guard half, when: found catgory; expected a column a rule can read (nearest: category)",
        ),
        (
            "Guard('half', about='measure', when=pl.col('total_pay') > 1)",
            "guard half, when: found total_pay; expected a column a rule can read",
        ),
        (
            "Guard('half', about='quota', effect='warn', when=pl.col('amount') > pl.col('amount').max())",
            (
                'guard half, when: found col("amount").max(); expected row-wise nodes only: no aggregate, window, '
                "shift, default for a missing value, callback, chance or clock"
            ),
        ),
        (
            "Guard('half', withholdable=pl.col('component') / 2)",
            (
                'guard half, withholdable: found [(col("component")) / (dyn int: 2)] : Float64; '
                "expected an expression of type Int64"
            ),
        ),
        (
            "Guard('half', when=pl.col('category') == 'x', with_basis=pl.col('category'))",
            'guard half, with_basis: found col("category") : String; expected an expression of type Int64',
        ),
        (
            "Guard('half', about='evidence', effect='warn', message='{voucher}')",
            "guard half, message: found voucher; expected a name that is there",
        ),
    ],
)
def test_what_a_guard_reads_and_says(tmp_path: Path, guard: str, message: str) -> None:
    assert messages(loaded(tmp_path, guard)) == [f"winter.py, {message}"]


@pytest.mark.parametrize(
    ("guard", "message"),
    [
        ("Guard('half')", "guard half about pay says whom it concerns (when) or how much (withholdable)"),
        (
            "Guard('half', withholdable=pl.col('component'), effect='warn')",
            "guard half does not block: what may be withheld is its with_basis",
        ),
        (
            "Guard('half', about='measure', withholdable=pl.col('component'))",
            "guard half about measure limits no pay",
        ),
        ("Guard('half', about='quota')", "guard half about quota warns, and attaches no deadlines"),
        ("Guard('half', about='quotas')", "about of guard half is one of 'pay', 'measure'"),
        ("Guard('half', about='measure', effect='stop')", "effect of guard half is one of 'block', 'warn', 'note'"),
    ],
)
def test_a_guard_that_cannot_be(tmp_path: Path, guard: str, message: str) -> None:
    (found,) = messages(loaded(tmp_path, guard))
    assert f"policy winter failed in kpi_guards: ValueError: {message}" in found
