"""Ask a forecast what it makes of a history, and make sure that it can be drawn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kpi_rules.locale import _
from kpi_rules.model.forecasts import Compound, Curves, Fitted, Levels
from kpi_rules.model.problems import AssessmentError, Place, error
from kpi_rules.simulation.confirming import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kpi_rules.model.contributions import Forecast
    from kpi_rules.model.forecasts import History


def fitted(forecast: Forecast, history: History) -> Fitted:
    """Return what a forecast makes of a history.

    Raises:
        AssessmentError: it raises, or gives what cannot be drawn from.
    """
    place = Place(key=f"forecast {forecast.name}")
    try:
        found: object = forecast.fit(history)
    except AssessmentError:
        raise
    except Exception as problem:
        why = _("forecast {name} failed on {of}: {why}").format(
            name=forecast.name, of=history.name, why=f"{type(problem).__name__}: {problem}"
        )
        raise AssessmentError(
            [error("plugin-failed", place, found=why, expected=_("a policy that works"))]
        ) from problem
    wrong = _wrong(found, history)
    if wrong is not None or not isinstance(found, Fitted):
        expected = _("a Fitted of blocks whose arrays fit the history and each other")
        raise AssessmentError([error("forecast-unfit", place, found=str(wrong), expected=expected)])
    return found


def _wrong(found: object, history: History) -> str | None:
    """Return what is wrong with what a forecast gives."""
    if not isinstance(found, Fitted):
        return repr(found)
    for block in found.blocks:
        if not isinstance(block, (Compound, Curves, Levels)):
            return repr(block)  # type: ignore[unreachable]  # whatever an author gives
        for name, wanted, given in _arrays(block, history):
            if given is not None and given.shape != wanted:
                text = _("{attribute} of a {kind} of shape {shape} instead of {wanted}")
                return text.format(attribute=name, kind=type(block).__name__, shape=given.shape, wanted=wanted)
            if given is not None and not (np.isfinite(given).all() and (given >= 0).all()):
                text = _("{attribute} of a {kind} with a value out of its bounds")
                return text.format(attribute=name, kind=type(block).__name__)
    return None


def _arrays(block: Compound | Curves | Levels, history: History) -> Iterator[tuple[str, tuple[int, ...], Any]]:
    """Return what has to be 0 or more in a block, by attribute, with the shape that it should have."""
    units, ticks = len(history.units), len(history.ticks)
    if isinstance(block, Compound):
        names: tuple[str, ...] = ("shape", "mean", "season", "scale", "size", "common")
        tables = {"season": block.seasons, "size": block.sizes, "common": block.factors}
        yield "seasons", (len(block.seasons), ticks), block.seasons
    elif isinstance(block, Levels):
        names = ("of_year", "of_month")
        tables = {"of_year": block.yearly, "of_month": block.monthly}
        yield "level", (units, ticks), block.level
    else:
        parts = (len(block.project),)
        yield "shares", (*block.shares.shape[:2], ticks), block.shares
        yield "shares", block.shares.shape, PARTS - block.shares
        yield "shares", (*block.shares.shape[:2], ticks - 1), np.diff(block.shares, axis=-1)
        yield "unit", parts, block.unit
        yield "unit", parts, units - 1 - block.unit
        yield "remaining", parts, block.remaining
        yield "age", parts, len(block.shares) - 1 - block.age
        yield "age", parts, block.age
        return
    for name in names:
        yield name, (units,), getattr(block, name)
    for name, table in tables.items():
        rows = getattr(block, name)
        if rows is not None:
            yield name, (units,), (0 if table is None else len(table)) - 1 - rows
        if table is not None:
            yield name, (len(table), max(1, table.shape[-1])), table
