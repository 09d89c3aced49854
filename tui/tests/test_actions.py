from __future__ import annotations

import importlib
import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi_rules_tui.actions import ACTIONS, BY_ID, CHANGING, GROUPS, TOGETHER, bindings, clashes, unknown

HOMES = {
    "app": "kpi_rules_tui.app:Office",
    "table": "kpi_rules_tui.widgets.table:Table",
    "overview": "kpi_rules_tui.panes.overview:OverviewPane",
    "unit": "kpi_rules_tui.panes.unit:UnitScreen",
    "quotas": "kpi_rules_tui.panes.quotas:QuotasPane",
    "policies": "kpi_rules_tui.panes.policies:PoliciesPane",
    "simulate": "kpi_rules_tui.panes.simulate:SimulatePane",
    "evidence": "kpi_rules_tui.panes.evidence:EvidencePane",
    "dialog": "kpi_rules_tui.dialogs.confirm:Confirm",
    "reader": "kpi_rules_tui.dialogs.reader:Reader",
}


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
def test_each_action_is_a_method_where_it_is_valid(action: object) -> None:
    from kpi_rules_tui.actions import Action

    assert isinstance(action, Action)
    module, _colon, name = HOMES[action.group].partition(":")
    home = getattr(importlib.import_module(module), name)
    assert inspect.isfunction(getattr(home, f"action_{action.method}", None)), action.id


def test_ids_differ_and_groups_are_named() -> None:
    assert len(BY_ID) == len(ACTIONS)
    assert {action.group for action in ACTIONS} <= GROUPS.keys()


@pytest.mark.parametrize("together", TOGETHER, ids=lambda groups: "+".join(sorted(groups)))
def test_no_key_means_two_things_at_once(together: frozenset[str]) -> None:
    """But escape, which leads back where there is nothing to clear, and keys that a pane takes from its tables."""
    seen: dict[str, str] = {}
    for action in ACTIONS:
        if action.group in together:
            for key in action.keys.split(","):
                before = seen.setdefault(key, action.id)
                allowed = before == action.id or key in {"escape", "p"} or action.id == "app.command_palette"
                assert allowed, f"{key}: {before}, {action.id}"


def test_bindings_are_those_of_the_group() -> None:
    made = bindings("quotas")
    assert {binding.id for binding in made} == {action.id for action in ACTIONS if action.group == "quotas"}
    assert all(binding.description for binding in made)


def test_what_changes_something_is_known() -> None:
    assert {"save", "undo", "edit", "switch", "split", "scale_group", "rebase", "remove"} <= CHANGING
    assert not {"filter", "copy", "export", "open", "run"} & CHANGING


def test_a_keymap_that_clashes_is_told() -> None:
    assert clashes({}) == []
    assert ("y", "quotas.split", "table.copy") in clashes({"quotas.split": "y"})
    assert clashes({"quotas.split": "f6"}) == []
    assert clashes({"quotas.split": "f6", "evidence.table": "f6"}) == []  # never valid at one time


@given(st.sampled_from([action.id for action in ACTIONS]), st.sampled_from(["f6", "y", "n", "escape", "ctrl+t"]))
def test_a_clash_names_two_actions_that_have_the_key(action: str, key: str) -> None:
    for told, one, two in clashes({action: key}):
        keys = {name: ({action: key}.get(name) or BY_ID[name].keys).split(",") for name in (one, two)}
        assert told in keys[one]
        assert told in keys[two]
        assert action in {one, two}


def test_names_that_are_no_actions() -> None:
    assert unknown(["quotas.split", "quotas.splt", "a"]) == ["a", "quotas.splt"]
