"""The total of a track, its grade, veto, ranks, and whom its prizes and lists name."""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Final, Literal

import polars as pl
from attrs import define, evolve

import kpi_rules as kr
from kpi_rules import N_
from kpi_scorecard.conditions import Fault, Term, all_of
from kpi_scorecard.exact import GREATEST, LIMITS, PARTS, PLACES, between, billionths, divided, number, points, summed
from kpi_scorecard.texts import _

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kpi_scorecard.config import BlackList, Listed, Prize, RedList, Track

Kind = Literal["prize", "red_list", "black_list"]

MOMENTS: Final[Mapping[str, pl.Expr]] = {
    "month_end": kr.at.month_end,
    "quarter_end": kr.at.quarter_end,
    "half_year_end": kr.at.half_year_end,
    "mid_year": kr.at.mid_year,
    "campaign_end": kr.at.campaign_end,
    "review": kr.at.review,
    "year_end": kr.at.year_end,
}

_TOO_FINE: Final = N_("{digits} digits, with weights as fine as here")


@define(frozen=True, eq=False)
class Scored:
    """An item of a track as expressions.

    Attributes:
        name: its indicator, `score_<track>_<item>`.
        label: what people call it.
        weight: its points in the total where it is met.
        without: the indicator that says whether it has no target or no figure, so that it leaves the weight.
        shown: the columns it reads, for messages.
    """

    name: str
    label: str
    weight: Fraction
    without: str
    shown: tuple[str, ...]

    @property
    def absent(self) -> pl.Expr:
        """A condition: it is not assessed at all."""
        return pl.col(self.without)

    @property
    def uncovered(self) -> pl.Expr:
        """A condition: there are figures, and yet no row or step says what they are worth."""
        return pl.col(self.name).is_null() & ~self.absent


def total(track: Track, items: Sequence[Scored], zero: pl.Expr | None) -> pl.Expr:
    """Return the total of a track, a Float64.

    It is null where an item has figures that no row covers, and where no item with a weight has a target: a total of
    what is left would be a guess.

    Args:
        track: as written.
        items: its items.
        zero: the condition at which a veto sets it to 0.

    Raises:
        Fault: the weights are too fine for an exact total.
    """
    mine = [billionths(pl.col(item.name)) for item in items]
    got = summed([pl.when(item.absent).then(number(0)).otherwise(of) for item, of in zip(items, mine, strict=True)])
    common = lcm(1, *(item.weight.denominator for item in items))
    weights = [int(item.weight * common) for item in items]
    whole_weight = sum(weights)
    size = len(items) * GREATEST * PARTS * 10**track.digits * 2
    if size * max(whole_weight, 1) >= LIMITS[pl.Int128]:
        raise Fault(_(_TOO_FINE).format(digits=track.digits), _("weights of fewer decimal places"))
    if whole_weight:
        present = summed(
            [
                pl.when(item.absent).then(number(0)).otherwise(number(weight))
                for item, weight in zip(items, weights, strict=True)
            ]
        )
        there = present > 0  # without any weight there is nothing to score by
        rescaled = track.missing == "rescale"
        parts = _parts(track, got * whole_weight, present) if rescaled else _parts(track, got, None)
    else:
        there = pl.any_horizontal([~item.absent for item in items])
        parts = _parts(track, got, None)
    scale = 10**track.digits
    least, most = (None if each is None else int(Fraction(each) * scale) for each in (track.least, track.most))
    parts = between(parts, least, most)
    if zero is not None:
        parts = pl.when(zero).then(number(0)).otherwise(parts)
    uncovered = pl.any_horizontal([item.uncovered for item in items])
    value = points(parts, track.digits, items[0].absent, bounded=len(items) == 1)
    return pl.when(there & ~uncovered).then(value)


def _parts(track: Track, got: pl.Expr, weight: pl.Expr | None) -> pl.Expr:
    """Return billionths of points, over a weight, in the parts that the total is rounded to."""
    if weight is None:
        left_out = 10 ** (PLACES - track.digits)
        return got if left_out == 1 else divided(got, number(left_out), track.rounding)
    return divided(got * 10**track.digits, weight * PARTS, track.rounding)


def any_of(conditions: Sequence[Sequence[Term]]) -> pl.Expr:
    """Return whether any of several conditions holds; one that cannot be told does not."""
    found: pl.Expr = pl.lit(value=False)
    for terms in conditions:
        found = pl.when(all_of(terms)).then(pl.lit(value=True)).otherwise(found)
    return found


def of_track(track: Track, terms: Sequence[Term]) -> tuple[Term, ...]:
    """Return conditions in which `score`, `last` and `grade` mean those of a track."""
    names = {name: f"{name}_{track.name}" for name in ("score", "last", "grade")}
    return tuple(
        evolve(term, column=evolve(term.column, name=names.get(term.column.name, term.column.name))) for term in terms
    )


def grades(track: Track, rows: Sequence[Sequence[Term]]) -> tuple[kr.Indicator, kr.Rule]:
    """Return the grade of a track, the first whose conditions hold, and the report of a total that has none."""
    worth: pl.Expr = pl.lit(None, pl.String)
    conditions = [all_of(of_track(track, terms)) for terms in rows]
    for each, condition in reversed(list(zip(track.grade, conditions, strict=True))):
        worth = pl.when(condition).then(pl.lit(each.name)).otherwise(worth)
    score, name, label = f"score_{track.name}", f"grade_{track.name}", track.label or track.name
    found = kr.Indicator(
        name,
        kind="text",
        value=pl.when(pl.col(score).is_not_null()).then(worth),
        label=_("Grade, {track}").format(track=label),
        rows={each.name: condition for each, condition in zip(track.grade, conditions, strict=True)},
        sources=("M11",),
    )
    report = kr.Rule(
        f"ungraded_{track.name}",
        kind="clarification",
        subject="unit",
        when=MOMENTS[track.at] & pl.col(score).is_not_null() & pl.col(name).is_null(),
        reason=_("no grade of {track} says what the score {{{score}}} is").format(track=label, score=score),
        label=_("Not graded: {track}").format(track=label),
        sources=("M11",),
    )
    return found, report


def ranks(track: Track, *, vetoed: bool) -> tuple[kr.Indicator, kr.Indicator]:
    """Return the rank in the peer group, of units without a veto, and the rank from the last, of all."""
    score, label = pl.col(f"score_{track.name}"), track.label or track.name
    ranked = pl.when(~pl.col(f"veto_{track.name}")).then(score) if vetoed else score
    return (
        kr.Indicator(
            f"rank_{track.name}", "ratio", ranked, _("Rank, {track}").format(track=label), ("M11",), within="rank"
        ),
        kr.Indicator(
            f"last_{track.name}",
            "ratio",
            score * -1,
            _("Rank from the last, {track}").format(track=label),
            ("M11",),
            within="rank",
        ),
    )


def uncovered_rule(track: Track, item: Scored, name: str) -> kr.Rule:
    """Return the report that a figure is covered by no row: it is issued where it happens, with the figures."""
    figures = ", ".join(f"{column} {{{column}}}" for column in item.shown)
    reason = _("{item} cannot be scored, and with it the track: nothing says what {figures} is worth")
    return kr.Rule(
        name,
        kind="clarification",
        subject="unit",
        when=MOMENTS[track.at] & item.uncovered,
        reason=reason.format(item=item.label, figures=figures or item.name),
        label=_("Not covered: {item}").format(item=item.label),
        sources=("M11",),
    )


def named(track: Track, listed: Prize | RedList | BlackList, kind: Kind, *, vetoed: bool, terms: Terms) -> kr.Rule:
    """Return the rule of a prize or list: who is named, and until when.

    Raises:
        Fault: the amount of a prize is none.
    """
    conditions = [MOMENTS[listed.at or track.at], *_who(track, listed)]
    if terms.when:
        conditions.append(all_of(of_track(track, terms.when)))
    if vetoed and kind != "black_list":
        conditions.append(~pl.col(f"veto_{track.name}"))
    amount = None
    if text := getattr(listed, "amount", ""):
        fen = kr.parse_amount(text)
        if fen is None or fen < 0:
            raise Fault(text, _("an amount such as 5万 or 3000.50"))
        amount = pl.lit(fen, pl.Int64)
    label = listed.label or listed.name
    reason = _("{label}: {track}, score {{score_{name}}}, rank {{rank_{name}}}, rank from the last {{last_{name}}}")
    until = all_of(of_track(track, terms.until)) if terms.until else None
    return kr.Rule(
        f"{kind}_{listed.name}",
        kind=kind,
        subject="unit",
        when=pl.all_horizontal(conditions),
        until=until,
        amount=amount,
        reason=reason.format(label=label, track=track.label or track.name, name=track.name),
        label=label,
        sources=("M16",) if kind != "black_list" else ("M11",),
    )


@define(frozen=True)
class Terms:
    """The conditions of a prize or list, read."""

    when: tuple[Term, ...] = ()
    until: tuple[Term, ...] = ()


def _who(track: Track, listed: Listed) -> list[pl.Expr]:
    found = []
    if listed.top:
        found.append(pl.col(f"rank_{track.name}") <= listed.top)
    if listed.last:
        found.append(pl.col(f"last_{track.name}") <= listed.last)
    if listed.grades:
        found.append(pl.any_horizontal([pl.col(f"grade_{track.name}") == each for each in listed.grades]))
    return found
