"""The rules of one tick as a JSON decision model of GoRules Zen: one expression node, parameters written in as numbers.

Zen decides one case at a time. It is asked in two ways: through an engine with a static loader, which compiles the
model once and is the fastest way its Python package has, and through a decision object (`create_decision`), the way
of its own README, which is several times slower. Zen's arithmetic is decimal; its input here is a Python dict, as a
caller would have it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import zen

from benchmarks.year import (
    ALL_STAFF,
    BONUS,
    COMMENDATION,
    LEAVE_POST,
    OFF_POST,
    SECTION,
    STATEFUL,
    STATION_HEAD,
    TALK,
    UNIFORM,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

CONDITIONS: Final = {
    SECTION: "(at_mid_year or at_campaign_end) and completion < {pay_withholding.section_below}",
    ALL_STAFF: "at_year_end and completion < 1",
    STATION_HEAD: "at_month_end and pace_gap > {field_duty.station_gap}",
    OFF_POST: "at_campaign_end and completion < {field_duty.off_post_below}"
    " or at_year_end and completion < {field_duty.off_post_at_year_end}",
    LEAVE_POST: "at_year_end and completion < {field_duty.leave_post_below}",
    TALK: "at_month_end and lag >= {supervision.talk_after}",
    COMMENDATION: "at_year_end and completion >= 1 and completion >= {rewards.outstanding}",
    BONUS: "at_year_end and funds > funds_quota",
}


def expressions() -> dict[str, str]:
    """Return the expressions by what they decide: `rule.when` for all rules, `rule.until` for those with a state."""
    found = {}
    for rule, condition in CONDITIONS.items():
        text = condition
        for name, entries in UNIFORM.items():
            text = text.replace("{" + name + "}", entries[0].value)
        found[f"{rule}.when"] = text
    return found | {f"{rule}.until": "completion >= 1" for rule in STATEFUL}


def model() -> dict[str, Any]:
    """Return the decision model: input, one expression node, output. Keys have `__` for dots, which Zen would nest."""
    rows = [
        {"id": str(place), "key": key.replace(".", "__"), "value": text}
        for place, (key, text) in enumerate(expressions().items())
    ]
    return {
        "nodes": [
            {"id": "in", "type": "inputNode", "name": "case", "content": {}},
            {"id": "rules", "type": "expressionNode", "name": "rules", "content": {"expressions": rows}},
            {"id": "out", "type": "outputNode", "name": "decided", "content": {}},
        ],
        "edges": [
            {"id": "1", "sourceId": "in", "targetId": "rules"},
            {"id": "2", "sourceId": "rules", "targetId": "out"},
        ],
    }


class Loaded:
    """The model in an engine with a static loader."""

    def __init__(self) -> None:
        self._engine = zen.ZenEngine({"loader": {"type": "static", "content": {"rules": model()}}})

    def decide(self, case: dict[str, object]) -> Mapping[str, bool]:
        """Decide one case."""
        result: Mapping[str, bool] = self._engine.evaluate("rules", case)["result"]
        return result


class Created:
    """The model as a decision object."""

    def __init__(self) -> None:
        self._decision = zen.ZenEngine().create_decision(json.dumps(model()))

    def decide(self, case: dict[str, object]) -> Mapping[str, bool]:
        """Decide one case."""
        result: Mapping[str, bool] = self._decision.evaluate(case)["result"]
        return result
