"""What people call a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpi_rules.locale import translate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpi_rules.model.contributions import Rule


def rule_label(rules: Mapping[str, Rule], rule: str) -> str:
    """Return a rule's label in the user's language; its id where it has none, or is not among `rules`."""
    found = rules.get(rule)
    return (translate(found.label, found.domain) if found is not None and found.label else "") or rule
