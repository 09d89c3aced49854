"""The check of a pace curve, which a plugin may have written: what it gives at the ticks of the year."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from kpi_rules.locale import _
from kpi_rules.model.calendar import ticks
from kpi_rules.model.problems import Place, Problem, error

if TYPE_CHECKING:
    from kpi_rules.hooks.manager import Plugins
    from kpi_rules.workspace.config import Config

DENOMINATOR: Final = 400
"""The greatest denominator of an expected share, inclusive: times the greatest amount it stays below 2**53."""


def pace_problems(plugins: Plugins, config: Config, file: str) -> list[Problem]:
    """Check that the pace curve gives an exact share of 0 or more at every tick of the year.

    A share is a fraction of a denominator of at most 400, so that the pace gap is one correctly rounded division. A
    curve that does not exist is another check's finding.
    """
    curve = plugins.pace_curves.get(config.pace_curve)
    if curve is None:
        return []
    plugin = plugins.provenance("pace_curve", curve.name)
    place = Place(file=file, key=f"pace_curve {curve.name}")
    for tick in ticks(config.year, config.campaigns, config.year.end):
        try:
            share: object = curve.expected(config.year, tick.on, config.pace_points)
        except Exception as problem:  # noqa: BLE001 (a plugin may raise anything; it is named and reported)
            why = _("policy {name} failed on {day}: {why}").format(
                name=plugin.name if plugin else "", day=tick.on, why=f"{type(problem).__name__}: {problem}"
            )
            return [error("plugin-failed", place, found=why, expected=_("a policy that works"))]
        if not isinstance(share, Fraction) or share < 0 or share.denominator > DENOMINATOR:
            found = _("{share} on {day}").format(share=share, day=tick.on)
            expected = _("a fraction of 0 or more with a denominator of at most {most}").format(most=DENOMINATOR)
            return [error("inexact-pace", place, found=found, expected=expected)]
    return []
