"""The steps of escalation: cards, talks, the laggards' meeting, the bulletin, the veto (M12).

Each `[[supervision.step]]` of `kpi.toml` switches one on. What a step counts are the moments at which its condition
held, as an indicator that others may read; what was decided on a proposal does not change it. How many count, and from
which figures on, are settings, with dates and per peer group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import polars as pl
from attrs import define

from kpi_rules import N_, Configured, Indicator, Rule, Trouble, at, translate, unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Name = Literal["yellow_card", "idle_talk", "card_talk", "laggards", "bulletin", "veto"]
Period = Literal["", "month", "quarter", "half_year", "campaign", "review", "year"]

MONTHS: Final[Mapping[str, int]] = {"month": 1, "quarter": 3, "half_year": 6}
"""Periods of whole months, which can be looked at by themselves."""

USUAL: Final[Mapping[str, tuple[str, str]]] = {
    "yellow_card": ("quarter", "period"),
    "idle_talk": ("half_year", "period"),
    "card_talk": ("quarter", "period"),
    "laggards": ("campaign", "year"),
    "bulletin": ("month", "year"),
    "veto": ("year", "year"),
}
"""When a step looks, and since when, where its line does not say."""

REASONS: Final[Mapping[int, str]] = {
    0: N_("{projects_in_year} projects in the year, {arrivals_in_year} with arrived funds"),
    1: N_("{projects_in_1_months} projects in the month, {arrivals_in_1_months} with arrived funds"),
    3: N_("{projects_in_3_months} projects in the quarter, {arrivals_in_3_months} with arrived funds"),
    6: N_("{projects_in_6_months} projects in the half-year, {arrivals_in_6_months} with arrived funds"),
}
"""By the months looked back on."""

IDLE: Final = ("yellow_card", "idle_talk", "laggards")
"""Steps for units without a project and without arrived funds."""


def _(message: str) -> str:
    """Translate a message of this policy."""
    return translate(message, "kpi_supervision")


@define(frozen=True)
class Step:
    """A line of `[[supervision.step]]`.

    Attributes:
        name: the step, and the name of its rule.
        at: the ends of which periods it looks at; empty for the usual one.
        since: whether units without project and funds had none in the period itself or none since the year start;
            empty for the usual one. Of a campaign and of a review the year is looked at.
        counting: for `card_talk` whether cards count in a row (`consecutive`) or all of the year (`total`).
    """

    name: Name
    at: Period = ""
    since: Literal["", "period", "year"] = ""
    counting: Literal["consecutive", "total"] = "consecutive"

    @property
    def period(self) -> str:
        """The periods at whose ends it looks."""
        return self.at or USUAL[self.name][0]

    @property
    def months(self) -> int:
        """The months it looks back on, 0 for all since the year start."""
        since = self.since or USUAL[self.name][1]
        return MONTHS.get(self.period, 0) if since == "period" else 0

    @property
    def moment(self) -> pl.Expr:
        """The moments at which it looks."""
        moments = {
            "month": at.month_end,
            "quarter": at.quarter_end,
            "half_year": at.half_year_end,
            "campaign": at.campaign_end,
            "review": at.review,
            "year": at.year_end,
        }
        return moments[self.period]


@define(frozen=True)
class Limits:
    """The settings that steps read, each a parameter by itself."""

    cards: pl.Expr
    behind: pl.Expr
    veto: pl.Expr


def configured(steps: Sequence[Step], limits: Limits) -> Configured:
    """Return the rules and indicators that the steps ask for, and what is wrong with them."""
    problems = tuple(troubles(steps))
    good = [] if problems else steps
    by_name = {step.name: step for step in good}
    indicators: dict[str, Indicator] = {}
    rules: list[Rule] = []
    for name, step in sorted(by_name.items()):
        if name in IDLE:
            indicators |= {each.name: each for each in _figures(step.months)}
            rules.append(_idle(step))
        elif name == "card_talk":
            card = by_name.get("yellow_card", Step("yellow_card"))
            indicators |= {each.name: each for each in (*_figures(card.months), _cards(card, step.counting))}
            rules.append(_card_talk(card, limits.cards))
        elif name == "bulletin":
            rules.append(_bulletin(step, limits.behind))
        else:
            indicators["vetoed"] = _vetoed(limits.veto)
            rules.append(_veto(step))
    return Configured(rules=rules, indicators=indicators.values(), problems=problems)


def troubles(steps: Sequence[Step]) -> Iterator[Trouble]:
    """Find steps that stand there twice, and periods that cannot be looked at by themselves."""
    seen: set[str] = set()
    for here, step in enumerate(steps):
        if step.name in seen:
            found = _("a second step {name}").format(name=step.name)
            yield Trouble(("step", here, "name"), found=found, expected=_("each step once"), code="bad-step")
        seen.add(step.name)
        if step.since == "period" and step.period not in MONTHS:
            expected = _("period with at = {periods}, or year").format(periods=", ".join(MONTHS))
            found = _("period with at = {period}").format(period=step.period)
            yield Trouble(("step", here, "since"), found=found, expected=expected, code="bad-step")
        if step.name == "card_talk" and step.at:
            found, expected = f"at = {step.at}", _("no at: it looks when yellow cards are shown")
            yield Trouble(("step", here, "at"), found=found, expected=expected, code="bad-step")


def _of(months: int) -> tuple[str, str]:
    """Return the names of the counts of new projects and of projects with arrivals in a span of months."""
    span = f"{months}_months" if months else "year"
    return f"projects_in_{span}", f"arrivals_in_{span}"


def _figures(months: int) -> tuple[Indicator, Indicator]:
    """Count the projects recognised, and those with a voucher, in the months up to a tick or since the year start."""
    projects, arrivals = _of(months)
    return (
        Indicator(
            projects,
            kind="count",
            value=_since("recognised_on", months),
            table="projects",
            label=N_("Projects recognised"),
            sources=("M12",),
        ),
        Indicator(
            arrivals,
            kind="count",
            value=_since("arrived_on", months),
            table="arrivals",
            label=N_("Projects with arrived funds"),
            sources=("M12",),
        ),
    )


def _since(day: str, months: int) -> pl.Expr:
    """Say whether a day lies in the month of a tick or the ones before it, so many in all; or in the year."""
    if not months:
        return pl.col(day) >= pl.col("year_start")
    elapsed = (pl.col("tick").dt.year() - pl.col(day).dt.year()) * 12
    return elapsed + pl.col("tick").dt.month() - pl.col(day).dt.month() < months


def _is_idle(months: int) -> pl.Expr:
    """Say whether a unit with a task has neither a project nor arrived funds."""
    projects, arrivals = _of(months)
    return (pl.col(projects) == 0) & (pl.col(arrivals) == 0) & unit.completion.is_not_null()


def _idle(step: Step) -> Rule:
    """Propose what is due to units with neither project nor funds (County C; the hundred-day campaigns)."""
    kinds = {"yellow_card": "yellow_card", "idle_talk": "talk", "laggards": "meeting"}
    labels = {
        "yellow_card": N_("Yellow card"),
        "idle_talk": N_("Admonition talk for want of projects and funds"),
        "laggards": N_("Laggards' meeting"),
    }
    return Rule(
        step.name,
        kind=kinds[step.name],
        subject="unit" if step.name == "yellow_card" else "head",
        when=step.moment & _is_idle(step.months),
        repeats=True,
        label=labels[step.name],
        reason=REASONS[step.months],
        sources=("M12",),
    )


def _cards(card: Step, counting: Literal["consecutive", "total"]) -> Indicator:
    return Indicator(
        "yellow_cards",
        kind="count",
        value=_is_idle(card.months),
        counting=counting,
        at=card.moment,
        label=N_("Yellow cards"),
        sources=("M12",),
    )


def _card_talk(card: Step, cards: pl.Expr) -> Rule:
    return Rule(
        "card_talk",
        kind="talk",
        subject="head",
        when=card.moment & (unit.yellow_cards >= cards),
        label=N_("Admonition talk after yellow cards"),
        reason=N_("{yellow_cards} yellow cards, at least {supervision.cards_for_talk}"),
        sources=("M12",),
    )


def _bulletin(step: Step, behind: pl.Expr) -> Rule:
    return Rule(
        "bulletin",
        kind="bulletin",
        subject="unit",
        when=step.moment & (unit.pace_gap > behind),
        repeats=True,
        label=N_("Named in the bulletin"),
        reason=N_("{pace_gap:.2%} behind the pace, more than {supervision.bulletin_behind:.2%}"),
        sources=("M11", "M12"),
    )


def _vetoed(below: pl.Expr) -> Indicator:
    return Indicator(
        "vetoed",
        kind="flag",
        value=unit.completion < below,
        label=N_("Out of every composite prize"),
        sources=("M12", "M16"),
    )


def _veto(step: Step) -> Rule:
    return Rule(
        "veto",
        kind="veto",
        subject="unit",
        when=step.moment & unit.vetoed,
        label=N_("Out of every composite prize"),
        reason=N_("completion {completion:.2%} is below {supervision.veto_below:.2%}"),
        sources=("M12", "M16"),
    )
