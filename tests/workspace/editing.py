"""What the tests of edits share: a workspace to write to, and edits of any kind."""

from __future__ import annotations

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import strategies as st

import kpi_rules as kr

if TYPE_CHECKING:
    from kpi_rules.model.settings import Setting

EXAMPLES = Path(__file__).parents[2] / "examples"
EXAMPLE = EXAMPLES / "worked-example"
HUNDRED = EXAMPLES / "hundred-days"


def copied(target: Path, example: Path = EXAMPLE) -> Path:
    """Copy an example into a folder of its own, over what an earlier round left there."""
    shutil.rmtree(target, ignore_errors=True)
    return Path(shutil.copytree(example, target))


def city(target: Path) -> Path:
    """Copy the example with dated values and many quotas, without its evidence."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    for name in ("units.csv", "quotas.csv"):
        shutil.copy(HUNDRED / name, target)
    text = (HUNDRED / "kpi.toml").read_text(encoding="utf-8")
    text = text[: text.index("claims =")] + text[text.index("[plugins]") :]
    (target / "kpi.toml").write_text(text, encoding="utf-8")
    return target


def same(one: kr.Workspace, other: kr.Workspace) -> None:
    """Hold two workspaces against each other, in everything that shows."""
    assert one.problems == other.problems
    assert one.config == other.config
    assert one.parameters == other.parameters
    assert one.tables.quotas.equals(other.tables.quotas)
    assert list(one.plugins.rules) == list(other.plugins.rules)
    assert list(one.plugins.off) == list(other.plugins.off)
    assert one.quarantine.equals(other.quarantine)


@st.composite
def edits_of(draw: st.DrawFn, workspace: kr.Workspace) -> list[kr.ParameterEdit | kr.QuotaEdit | kr.SwitchEdit]:
    """Draw edits that are valid, if not all of them together."""
    config = workspace.config
    assert config is not None
    days = st.none() | st.dates(config.year.start, config.year.end)
    groups = st.none() | st.sampled_from(sorted(workspace.tables.units["group"].drop_nulls().unique()))
    settings = sorted(workspace.parameters.declared.values(), key=lambda setting: setting.name)
    named = st.sampled_from([setting for setting in settings if setting.kind in {"ratio", "count", "texts", "flag"}])
    parameter = named.flatmap(
        lambda setting: st.builds(kr.ParameterEdit, st.just(setting.name), values_of(setting), days, groups)
    )
    amounts = st.integers(1, 2 * 10**13)
    notes = st.none() | st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=9)
    units = st.sampled_from(workspace.tables.units["unit"].to_list())
    quota = st.builds(kr.QuotaEdit, units, amounts, st.just("funds"), days, notes)
    counted = st.builds(kr.QuotaEdit, units, st.integers(1, 10**9), st.just("signed"), days, notes)
    rules = [*workspace.plugins.rules, *workspace.plugins.off, "rewards"]
    switch = st.builds(kr.SwitchEdit, st.sampled_from(rules), st.booleans())
    return draw(st.lists(st.one_of(parameter, quota, counted, switch), min_size=1, max_size=5))


def values_of(setting: Setting) -> st.SearchStrategy[object]:
    """Draw values that a parameter may have."""
    if setting.kind == "flag":
        return st.booleans()
    if setting.kind == "texts":
        words = st.sampled_from(setting.choices) if setting.choices else st.text("abc党\"',", min_size=1, max_size=4)
        return st.lists(words, max_size=3, unique=True).map(tuple)
    low, high = int(setting.minimum or 0), int(setting.maximum or 0)
    if setting.kind == "count":
        return st.integers(low, min(high, low + 40))
    return st.decimals(low, min(high, 10), places=3, allow_nan=False).map(lambda value: abs(Decimal(value)))


JULY = date(2011, 7, 1)
