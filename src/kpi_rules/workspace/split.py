"""A unit's quota over the units below it (M4): equally, by weight, or by the results of earlier years.

Nothing is lost or made: the parts add up to what is split, to the fen or the project. What is left after rounding down
goes to the largest remainders, of equal ones to the unit first in code-point order (`semantics.md`, Money).
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import polars as pl

from kpi_rules.locale import _, ngettext
from kpi_rules.model.columns import count_indicators
from kpi_rules.model.money import BILLION, format_amount
from kpi_rules.model.problems import nearest
from kpi_rules.workspace.schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import date

    from kpi_rules.workspace.workspace import Workspace

By = Literal["equal", "weight", "history"]
"""How a quota is split."""

COPIED: Final = ("deadline", "requirement")
"""Fixings (M5) that hold for the parts as for the whole, as `quality` does; `responsible` is the part's own head,
`stretch` is split."""


def apportion(amount: int, weights: Mapping[str, int | Decimal | Fraction]) -> dict[str, int]:
    """Split a whole number by weights so that the parts add up to it, by largest remainder.

    Args:
        amount: fen or a count, 0 or more.
        weights: by unit id, 0 or more, not all 0; only their proportion matters.

    Returns:
        the part of each unit. Ties go to the unit id first in code-point order, so the order of `weights` never shows.

    Raises:
        ValueError: a weight is below 0, or there is none above 0.
    """
    exact = {unit: Fraction(weight) for unit, weight in weights.items()}
    total = sum(exact.values(), Fraction(0))
    if any(weight < 0 for weight in exact.values()) or not total:
        raise ValueError(_("weights are 0 or more, and at least one is above 0"))
    shares = {unit: amount * weight / total for unit, weight in exact.items()}
    parts = {unit: share.numerator // share.denominator for unit, share in shares.items()}
    left = amount - sum(parts.values())
    for unit in sorted(exact, key=lambda unit: (parts[unit] - shares[unit], unit))[:left]:
        parts[unit] += 1
    return parts


def split_quota(
    workspace: Workspace,
    unit: str,
    indicator: str = "funds",
    *,
    by: By = "equal",
    weights: Mapping[str, int | Decimal] | None = None,
    history: Sequence[pl.DataFrame] = (),
    effective: date | None = None,
) -> pl.DataFrame:
    """Split a unit's quota over the units directly below it (M4).

    Args:
        workspace: where the units and the quota are.
        unit: whose quota is split.
        indicator: which of its quotas.
        by: `equal`; `weight`, by `weights`; `history`, by what each unit reached in all of `history` together.
        weights: by unit, one for each unit below, 0 or more; None takes the column `weight` of `units`.
        history: the `units` of assessments of earlier years; each unit's figure of the last tick counts.
        effective: the day whose quota is split, from which the parts hold; by default the last revision's.

    Returns:
        Rows for the table `quotas`, by unit id, with its columns: amounts in fen or as counts, `quality` as a text, the
        provenance in `note`. They add up to the quota that is split, and the same goes for `stretch`. A unit whose part
        is 0 has no row: it has no task. Nothing in the workspace changes.

    Raises:
        ValueError: there is no such unit, quota or indicator, nothing is below the unit, or weights or results of some
            unit are missing; the message says which.
    """
    if by not in get_args(By):
        raise ValueError(_none_of(by, get_args(By)))
    units, quotas = workspace.tables.units, workspace.tables.quotas
    if unit not in units["unit"]:
        raise ValueError(_("no unit {name}").format(name=unit) + _hint(unit, units["unit"].to_list()))
    children = sorted(units.filter(pl.col("parent") == unit)["unit"].to_list())
    if not children:
        raise ValueError(_("no units are below {unit}").format(unit=unit))
    whole = _in_force(quotas, unit, indicator, effective)
    given = _of_column(units.filter(pl.col("parent") == unit)) if weights is None else weights
    proportions = _proportions(by, children, indicator, given, history)
    parts = _parts(whole, proportions)
    heads = dict(units.select("unit", "head").iter_rows())
    is_money = indicator not in count_indicators(workspace.plugins.indicators)
    show = format_amount if is_money else str
    return _rows(whole, parts, heads, _notes(whole, by, proportions, len(history), show), effective)


def _in_force(quotas: pl.DataFrame, unit: str, indicator: str, effective: date | None) -> dict[str, Any]:
    """Return the row of the quota to split."""
    own = quotas.filter(pl.col("unit") == unit)
    known = sorted(own["indicator"].unique().to_list())
    if indicator not in known:
        found = _("{unit} has no quota of {indicator}").format(unit=unit, indicator=indicator)
        raise ValueError(found + _hint(indicator, known))
    rows = own.filter(pl.col("indicator") == indicator).sort("effective")
    if effective is not None:
        first = rows["effective"][0]
        rows = rows.filter(pl.col("effective") <= effective)
        if rows.is_empty():
            message = _("the first quota of {indicator} of {unit} is effective from {first}, not yet on {day}")
            raise ValueError(message.format(indicator=indicator, unit=unit, first=first, day=effective))
    return rows.row(-1, named=True)


def _proportions(
    by: By,
    children: Sequence[str],
    indicator: str,
    weights: Mapping[str, Any],
    history: Sequence[pl.DataFrame],
) -> dict[str, Fraction]:
    """Return the weight of each unit below."""
    if by == "equal":
        return dict.fromkeys(children, Fraction(1))
    if by == "weight":
        _check_all(weights, children, _("no weight of {units}"))
        strange = sorted(set(weights) - set(children))
        if strange:
            raise ValueError(
                _("a weight of {name}, which is not directly below the unit").format(name=strange[0])
                + _hint(strange[0], children)
            )
        if not all(isinstance(weight, (int, Decimal, Fraction)) for weight in weights.values()):
            raise ValueError(_("weights are whole numbers or decimals, which are exact"))
        return {child: Fraction(weights[child]) for child in children}
    reached = _reached(history, indicator)
    _check_all(reached, children, _("no earlier results of {units}"))
    return {child: Fraction(reached[child]) for child in children}


def _of_column(below: pl.DataFrame) -> dict[str, Fraction]:
    """Return the weights that the table of units gives."""
    given = below.select("unit", "weight").drop_nulls()
    return {unit: Fraction(weight, BILLION) for unit, weight in given.iter_rows()}


def _reached(history: Sequence[pl.DataFrame], indicator: str) -> dict[str, int]:
    """Add up what each unit had at the last tick of each year."""
    reached: dict[str, int] = {}
    for figures in history:
        if indicator not in figures.columns:
            raise ValueError(_none_of(indicator, figures.columns))
        last = figures.filter(pl.col("tick") == figures["tick"].max()).select("unit", indicator).drop_nulls()
        for unit, figure in last.iter_rows():
            reached[unit] = reached.get(unit, 0) + figure
    return reached


def _check_all(given: Collection[str], children: Iterable[str], message: str) -> None:
    missing = [child for child in children if child not in given]
    if missing:
        raise ValueError(message.format(units=", ".join(missing)))


def _parts(whole: Mapping[str, Any], proportions: Mapping[str, Fraction]) -> dict[str, dict[str, int]]:
    """Split the amount, and the stretch target as what it is above the amount, over the units that have a part: so no
    stretch target is below its part, and nothing of it is lost.
    """
    amounts = {unit: part for unit, part in apportion(whole["amount"], proportions).items() if part}
    stretch = whole.get("stretch")
    if stretch is None:
        return {"amount": amounts}
    above = apportion(max(0, stretch - whole["amount"]), {unit: proportions[unit] for unit in amounts})
    return {"amount": amounts, "stretch": {unit: part + above[unit] for unit, part in amounts.items()}}


def _notes(
    whole: Mapping[str, Any], by: By, proportions: Mapping[str, Fraction], years: int, show: Callable[[int], str]
) -> dict[str, str]:
    """Say of each part what it is a part of, and by what."""
    total = sum(proportions.values(), Fraction(0))
    of = _("part of {amount} of {unit}, effective {day}").format(
        amount=show(whole["amount"]), unit=whole["unit"], day=whole["effective"]
    )

    def how(weight: Fraction) -> str:
        if by == "equal":
            return _("equally among {count}").format(count=len(proportions))
        if by == "weight":
            return _("by weight, {weight} of {total}").format(weight=_decimal(weight), total=_decimal(total))
        by_results = ngettext(
            "by the results of {count} earlier year, {figure} of {total}",
            "by the results of {count} earlier years, {figure} of {total}",
            years,
        )
        return by_results.format(count=years, figure=show(int(weight)), total=show(int(total)))

    return {unit: f"{of}; {how(weight)}" for unit, weight in proportions.items()}


def _rows(
    whole: Mapping[str, Any],
    parts: Mapping[str, Mapping[str, int]],
    heads: Mapping[str, str | None],
    notes: Mapping[str, str],
    effective: date | None,
) -> pl.DataFrame:
    schema = {column.name: column.dtype for column in SCHEMAS["quotas"].columns}
    if "quality" in schema:
        schema["quality"] = pl.String()
    quality = whole.get("quality")
    rows = [
        {
            "unit": unit,
            "indicator": whole["indicator"],
            "effective": effective or whole["effective"],
            "note": notes[unit],
            **{name: whole.get(name) for name in COPIED},
            "quality": None if quality is None else _decimal(Fraction(quality, BILLION)),
            **{name: part[unit] for name, part in parts.items()},
            "responsible": heads[unit] if whole.get("responsible") is not None else None,
        }
        for unit in parts["amount"]
    ]
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def _decimal(value: Fraction) -> str:
    """Write a weight, which came as a decimal or is a sum of decimals, in full."""
    return f"{(Decimal(value.numerator) / Decimal(value.denominator)).normalize():f}"


def _none_of(name: str, choices: Iterable[str]) -> str:
    choices = list(choices)
    return _("'{name}' is none of {choices}").format(name=name, choices=", ".join(choices)) + _hint(name, choices)


def _hint(name: str, choices: Iterable[str]) -> str:
    near = nearest(name, choices)
    return _(" (nearest: {nearest})").format(nearest=near) if near else ""
