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

WHEN: Final = {
    SECTION: "(at_mid_year or at_campaign_end) and completion < {pay_withholding.section_below}",
    ALL_STAFF: "at_year_end and completion < 1",
    STATION_HEAD: "at_month_end and pace_gap > {field_duty.station_gap}",
    OFF_POST: "(at_campaign_end and completion < {field_duty.off_post_below}"
    " or at_year_end and completion < {field_duty.off_post_at_year_end})",
    LEAVE_POST: "at_year_end and completion < {field_duty.leave_post_below}",
    TALK: "at_month_end and lag >= {supervision.talk_after}",
    COMMENDATION: "at_year_end and completion >= {rewards.outstanding} and completion >= 1",
    BONUS: "at_year_end and funds > funds_quota",
}
HARSHER: Final = {SECTION: (ALL_STAFF,), OFF_POST: (LEAVE_POST,), STATION_HEAD: (OFF_POST, LEAVE_POST)}
"""By which rules a rule is superseded."""


def expressions() -> dict[str, str]:
    """Return the expressions by key, in order: candidates, those that remain, then one key per rule and event.

    Inputs are the columns of a case; `field_duty.off_post` says whether that rule's measure is in force (for a
    one-off, whether it was issued). `$` is what the expressions before have found.
    """
    short = {rule: rule.replace(".", "__") for rule in WHEN}
    found = {"met": "completion >= 1"}
    for rule, condition in WHEN.items():
        text = condition
        for name, entries in UNIFORM.items():
            text = text.replace("{" + name + "}", entries[0].value)
        end = "not($.met) and " if rule in STATEFUL else ""
        found[f"candidate__{short[rule]}"] = f"not({rule}) and {end}{text}"
    found |= {f"remaining__{short[rule]}": f"{rule} and not($.met)" for rule in STATEFUL}
    for rule in WHEN:
        event = "started" if rule in STATEFUL else "issued"
        above = [f"$.{kind}__{short[other]}" for other in HARSHER.get(rule, ()) for kind in ("candidate", "remaining")]
        blocked = f" and not({' or '.join(above)})" if above else ""
        found[f"{event}__{short[rule]}"] = f"$.candidate__{short[rule]}{blocked}"
    found |= {f"ended__{short[rule]}": f"{rule} and $.met" for rule in STATEFUL}
    for rule, others in HARSHER.items():
        by = " or ".join(f"$.started__{short[other]}" for other in others)
        found[f"superseded__{short[rule]}"] = f"$.remaining__{short[rule]} and ({by})"
    rate = UNIFORM["rewards.bonus_rate"][0].value
    found["amount"] = f"$.issued__{short[BONUS]} ? floor({rate} * (funds - funds_quota)) : 0"
    return found


def events(decided: Mapping[str, Any]) -> set[tuple[str, str, int | None]]:
    """Return what happens by Zen's answer: rule, event and amount (fen, for bonuses)."""
    found: set[tuple[str, str, int | None]] = set()
    for key, value in decided.items():
        kind, _, rule = key.partition("__")
        if kind in ("started", "issued", "ended", "superseded") and value:
            name = rule.replace("__", ".")
            found.add((name, kind, int(decided["amount"]) if name == BONUS else None))
    return found


def nested(case: Mapping[str, Any]) -> dict[str, Any]:
    """Return a case as Zen takes it: `a.b` is the member `b` of `a`."""
    found: dict[str, Any] = {}
    for name, value in case.items():
        owner, _, member = name.partition(".")
        if member:
            found.setdefault(owner, {})[member] = value
        else:
            found[owner] = value
    return found


def model() -> dict[str, Any]:
    """Return the decision model: input, one expression node, output."""
    rows = [{"id": str(place), "key": key, "value": text} for place, (key, text) in enumerate(expressions().items())]
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

    def decide(self, case: dict[str, Any]) -> Mapping[str, Any]:
        """Decide one case."""
        result: Mapping[str, Any] = self._engine.evaluate("rules", case)["result"]
        return result


class Created:
    """The model as a decision object."""

    def __init__(self) -> None:
        self._decision = zen.ZenEngine().create_decision(json.dumps(model()))

    def decide(self, case: dict[str, Any]) -> Mapping[str, Any]:
        """Decide one case."""
        result: Mapping[str, Any] = self._decision.evaluate(case)["result"]
        return result
