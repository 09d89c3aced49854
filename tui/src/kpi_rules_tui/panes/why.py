"""An explanation as the lines of an outline: a head for each rule, and below it why it did what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from kpi_rules_tui.texts import _, label_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import kpi_rules as kr
    from kpi_rules_tui.amounts import Scale
    from kpi_rules_tui.widgets.table import Tone


@define(frozen=True)
class Line:
    """A line: of which rule, whether it is its head, and whether the rule did anything (`concerns`)."""

    id: str
    rule: str
    text: str
    tone: Tone
    concerns: bool
    head: bool = False


def lines(explanation: kr.Explanation, assessment: kr.Assessment, scale: Scale) -> list[Line]:
    """Return the lines: rules that did something first."""
    found, rules = [], assessment.rulebook.rules
    for rule in sorted(explanation.rules, key=lambda each: (not _concerns(each), each.rule)):
        concerns = _concerns(rule)
        label = label_of(rules[rule.rule])
        tone = "bad" if concerns else "dim"
        found.append(Line(rule.rule, rule.rule, f"{label}: {standing(rule, rules)}", tone, concerns, head=True))
        for number, (text, each) in enumerate(_below(rule, scale)):
            found.append(Line(f"{rule.rule}/{number}", rule.rule, text, each, concerns))
    return found


def _concerns(rule: kr.RuleExplanation) -> bool:
    return rule.state != "not in force" or rule.event is not None


def standing(rule: kr.RuleExplanation, rules: Mapping[str, kr.Rule]) -> str:
    """Say how a rule stands to its unit; `rules` are those of the assessment."""
    if rule.superseded_by:
        return _("superseded by {rules}").format(rules=", ".join(label_of(rules[each]) for each in rule.superseded_by))
    if rule.event is not None:
        return happened(rule.event)
    if rule.in_force_since is not None:
        return _("in force since {day}").format(day=rule.in_force_since)
    return _("proposed") if rule.state == "proposed" else _("not in force")


def happened(event: str) -> str:
    """Say in a word what happened to a measure; `Explanation.to_text` says it as a sentence, with the tick."""
    words = {
        "started": _("begins"),
        "issued": _("issued"),
        "ended": _("ends"),
        "superseded": _("superseded"),
    }
    return words.get(event, event)


def _below(rule: kr.RuleExplanation, scale: Scale) -> Iterator[tuple[str, Tone]]:
    if rule.reason:
        yield rule.reason, ""
    if rule.distance is not None:
        phrase = {
            "ends": _("{amount} more, credited by {day}, ends it"),
            "avoids": _("{amount} more, credited by {day}, avoids it"),
        }[rule.distance.effect]
        yield phrase.format(amount=scale.said(rule.distance.amount), day=rule.distance.by), "good"
    yield _("when"), "mark"
    yield from ((line, "") for line in rule.when.lines(1))
    if rule.until is not None:
        yield _("until"), "mark"
        yield from ((line, "") for line in rule.until.lines(1))
    for each in rule.parameters:
        since = _("from {day}").format(day=each.from_on) if each.from_on else ""
        parts = (f"{each.name} = {each.value}", since, each.group or "", each.origin)
        yield "  ".join(part for part in parts if part), "dim"
    yield from ((line, "warn") for line in rule.guards)
    if rule.sources:
        yield _("sources: {sources}").format(sources=", ".join(rule.sources)), "dim"
