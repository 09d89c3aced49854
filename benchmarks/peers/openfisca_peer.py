"""The batch as a tax and benefit system of OpenFisca: one variable per notion, formulas reading last month's state.

The entity is the unit; variables are monthly; parameters are dated, and nodes with one value per peer group where
they differ. A formula begins (`formula_2011_06`) with the month in which its rule looks first and returns at once
outside the rule's moments. Month by month the caller asks for the events, then for the last state, as a user of
OpenFisca would; everything calculated stays in OpenFisca's cache, which is how it works.

Departures from its defaults, all in its favour or for the sake of equal results: money and ratios are 64 bits wide
(its own 32 cannot hold a quota in fen), counters are bytes, and a parameter per group is looked up in an array of the
node's values by the Enum's index (its own "fancy indexing" runs a Python loop over the units). The system is built
before the clock starts; the simulation, with its inputs, inside.
"""

from __future__ import annotations

import operator
from functools import reduce
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from openfisca_core.entities import Entity
from openfisca_core.indexed_enums import Enum, EnumArray
from openfisca_core.parameters import ParameterNode
from openfisca_core.periods import DateUnit
from openfisca_core.simulations import SimulationBuilder
from openfisca_core.taxbenefitsystems import TaxBenefitSystem
from openfisca_core.variables import Variable

from benchmarks.year import (
    ALL_STAFF,
    BONUS,
    BONUS_SCALE,
    CAMPAIGN_END,
    COMMENDATION,
    GROUPS,
    LEAVE_POST,
    MID_YEAR,
    MONTHS,
    OFF_POST,
    SECTION,
    STATEFUL,
    STATION_HEAD,
    TALK,
    TOLERANCE,
    YEAR_END,
    Key,
    Outcome,
    number,
    values_at,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from benchmarks.year import Population, Terms

    Formula = Callable[[Any, Any, Any], Any]
    """What OpenFisca calls: population, period, parameters at a date. It is not typed."""

HARSHER: Final = {SECTION: (ALL_STAFF,), OFF_POST: (LEAVE_POST,), STATION_HEAD: (OFF_POST, LEAVE_POST)}
"""By which rules a rule is superseded."""

MOMENTS: Final = {
    SECTION: (MID_YEAR, CAMPAIGN_END),
    ALL_STAFF: (YEAR_END,),
    STATION_HEAD: tuple(range(1, MONTHS + 1)),
    OFF_POST: (CAMPAIGN_END, YEAR_END),
    LEAVE_POST: (YEAR_END,),
}

Groups = Enum("Groups", {name: name for name in GROUPS})


def parameter(node: Any, groups: Any) -> Any:  # noqa: ANN401 (OpenFisca is not typed)
    """Return a parameter for all units: the value where it is one for all, else one per unit by its group."""
    if isinstance(node, float | int):
        return node
    return np.array([getattr(node, name) for name in GROUPS])[groups]


def any_of(flags: Iterable[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Return where any of the flags is set."""
    return reduce(operator.or_, flags)


def looking(rule: str, period: Any) -> list[str]:  # noqa: ANN401 (OpenFisca is not typed)
    """Return the variable names of the harsher rules that look in this month."""
    return [other.replace(".", "_") for other in HARSHER.get(rule, ()) if period.start.month in MOMENTS[other]]


def begun(rule: str, period: Any) -> list[str]:  # noqa: ANN401 (as above)
    """Return the variable names of the harsher rules that may have started in an earlier month."""
    return [other.replace(".", "_") for other in HARSHER.get(rule, ()) if period.start.month > MOMENTS[other][0]]


class System:
    """A tax and benefit system with the eight rules."""

    def __init__(self, terms: Terms) -> None:
        self.unit = Entity("unit", "units", "An assessed unit", "")
        self.system = TaxBenefitSystem([self.unit])
        self.system.parameters = ParameterNode("", data=parameter_data(terms))
        self.inputs()
        self.indicators()
        for rule in STATEFUL:
            self.rule_with_start(rule, CONDITIONS[rule])
            self.rule_with_end(rule)
        self.bookings()
        self.one_offs()

    def variable(
        self, name: str, kind: type, formula: Formula | None = None, *, first: int = 1, width: type | None = None
    ) -> None:
        """Add a monthly variable with a formula from the month `first` on; `width` replaces OpenFisca's 32 bits."""
        attributes: dict[str, object] = {"value_type": kind, "entity": self.unit, "definition_period": DateUnit.MONTH}
        if formula is not None:
            attributes[f"formula_2011_{first:02}"] = formula
        added = self.system.add_variable(type(name, (Variable,), attributes))
        if width is not None:
            added.dtype = np.dtype(width)

    def inputs(self) -> None:
        """Quota and group hold for good, credited amounts are monthly; fen."""
        eternal: dict[str, object] = {"entity": self.unit, "definition_period": DateUnit.ETERNITY}
        quota = self.system.add_variable(type("quota", (Variable,), {"value_type": int, **eternal}))
        quota.dtype = np.dtype(np.int64)
        enum = {"value_type": Enum, "possible_values": Groups, "default_value": Groups.economic}
        self.system.add_variable(type("group", (Variable,), {**enum, **eternal}))
        self.variable("credited", int, width=np.int64)

    def indicators(self) -> None:
        """Completion, pace gap, lag, and whether the task is met."""

        def completion(unit: Any, period: Any, _parameters: Any) -> Any:  # noqa: ANN401 (OpenFisca is not typed)
            return unit("credited", period) / unit("quota", period)

        def pace_gap(unit: Any, period: Any, _parameters: Any) -> Any:  # noqa: ANN401 (as above)
            quota = unit("quota", period)
            return (period.start.month * quota - MONTHS * unit("credited", period)) / (MONTHS * quota)

        def lag(unit: Any, period: Any, _parameters: Any) -> Any:  # noqa: ANN401 (as above)
            return np.where(
                unit("pace_gap", period) > TOLERANCE, unit("lag", period.last_month) + np.uint8(1), np.uint8(0)
            )

        def met(unit: Any, period: Any, _parameters: Any) -> Any:  # noqa: ANN401 (as above)
            return unit("completion", period) >= 1

        self.variable("completion", float, completion, width=np.float64)
        self.variable("pace_gap", float, pace_gap, width=np.float64)
        self.variable("lag", int, lag, width=np.uint8)
        self.variable("met", bool, met)

    def rule_with_start(self, rule: str, condition: Formula) -> None:
        """Add a rule's beginning as variables: whether it is a candidate, whether it started, whether it is active."""
        name = rule.replace(".", "_")

        def candidate(unit: Any, period: Any, parameters: Any) -> Any:  # noqa: ANN401 (as above)
            if period.start.month not in MOMENTS[rule]:
                return unit.filled_array(value=False)
            free = ~unit("met", period) & ~unit(f"{name}_active", period.last_month)
            return condition(unit, period, parameters) & free

        def started(unit: Any, period: Any, _parameters: Any) -> Any:  # noqa: ANN401 (as above)
            above = [unit(f"{other}_candidate", period) for other in looking(rule, period)]
            above += [unit(f"{other}_standing", period) for other in begun(rule, period)]
            wanted = unit(f"{name}_candidate", period)
            return wanted & ~any_of(above) if above else wanted

        def active(unit: Any, period: Any, _parameters: Any) -> Any:  # noqa: ANN401 (as above)
            stays = unit(f"{name}_standing", period) | unit(f"{name}_started", period)
            return stays & ~unit(f"{name}_superseded", period) if looking(rule, period) else stays

        for part in (candidate, started, active):
            self.variable(f"{name}_{part.__name__}", bool, part, first=MOMENTS[rule][0])

    def rule_with_end(self, rule: str) -> None:
        """Add a rule's end as variables: whether it ended, whether it stands after that, whether it is superseded."""
        name = rule.replace(".", "_")

        def ended(unit: Any, period: Any, _parameters: Any) -> Any:  # noqa: ANN401 (as above)
            return unit(f"{name}_active", period.last_month) & unit("met", period)

        def standing(unit: Any, period: Any, _parameters: Any) -> Any:  # noqa: ANN401 (as above)
            return unit(f"{name}_active", period.last_month) & ~unit("met", period)

        def superseded(unit: Any, period: Any, _parameters: Any) -> Any:  # noqa: ANN401 (as above)
            above = [unit(f"{other}_started", period) for other in looking(rule, period)]
            return unit(f"{name}_standing", period) & any_of(above) if above else unit.filled_array(value=False)

        for part in (ended, standing, superseded):
            self.variable(f"{name}_{part.__name__}", bool, part, first=min(MOMENTS[rule][0] + 1, MONTHS))

    def bookings(self) -> None:
        """Whether the hold on section-level pay still holds something, and its releases."""

        def released(unit: Any, period: Any, _parameters: Any) -> Any:  # noqa: ANN401 (as above)
            return unit("section_held", period.last_month) & unit("met", period)

        def held(unit: Any, period: Any, _parameters: Any) -> Any:  # noqa: ANN401 (as above)
            before = unit("section_held", period.last_month) & ~unit("met", period)
            return before | unit("pay_withholding_section_standing", period)

        self.variable("section_released", bool, released, first=MID_YEAR + 1)
        self.variable("section_held", bool, held, first=MID_YEAR + 1)

    def one_offs(self) -> None:
        """Talks once a year; commendations and bonuses at the year end."""

        def talk(unit: Any, period: Any, parameters: Any) -> Any:  # noqa: ANN401 (as above)
            after = parameter(parameters(period).supervision.talk_after, unit("group", period))
            return (unit("lag", period) >= after) & ~unit("talked", period.last_month)

        def talked(unit: Any, period: Any, _parameters: Any) -> Any:  # noqa: ANN401 (as above)
            return unit("talked", period.last_month) | unit("talk", period)

        def commendation(unit: Any, period: Any, parameters: Any) -> Any:  # noqa: ANN401 (as above)
            outstanding = parameter(parameters(period).rewards.outstanding, unit("group", period))
            return unit("met", period) & (unit("completion", period) >= outstanding)

        def bonus(unit: Any, period: Any, _parameters: Any) -> Any:  # noqa: ANN401 (as above)
            return unit("credited", period) > unit("quota", period)

        def bonus_amount(unit: Any, period: Any, parameters: Any) -> Any:  # noqa: ANN401 (as above)
            rate = parameter(parameters(period).rewards.bonus_rate, unit("group", period))
            thousandths = np.rint(np.asarray(rate) * BONUS_SCALE).astype(np.int64)
            above = unit("credited", period) - unit("quota", period)
            return np.where(unit("bonus", period), above * thousandths // BONUS_SCALE, 0)

        self.variable("talk", bool, talk)
        self.variable("talked", bool, talked)
        self.variable("commendation", bool, commendation, first=YEAR_END)
        self.variable("bonus", bool, bonus, first=YEAR_END)
        self.variable("bonus_amount", int, bonus_amount, first=YEAR_END, width=np.int64)


def section(unit: Any, period: Any, parameters: Any) -> Any:  # noqa: ANN401 (OpenFisca is not typed)
    """Withhold section-level pay at mid-year and at the campaign's end."""
    below = parameter(parameters(period).pay_withholding.section_below, unit("group", period))
    return unit("completion", period) < below


def all_staff(unit: Any, period: Any, _parameters: Any) -> Any:  # noqa: ANN401 (as above)
    """Withhold everybody's pay at the year end."""
    return unit("completion", period) < 1


def station_head(unit: Any, period: Any, parameters: Any) -> Any:  # noqa: ANN401 (as above)
    """Station the head in the field at any month-end."""
    return unit("pace_gap", period) > parameter(parameters(period).field_duty.station_gap, unit("group", period))


def off_post(unit: Any, period: Any, parameters: Any) -> Any:  # noqa: ANN401 (as above)
    """Put the head off post at the campaign's end or the year end."""
    duty = parameters(period).field_duty
    below = duty.off_post_below if period.start.month == CAMPAIGN_END else duty.off_post_at_year_end
    return unit("completion", period) < parameter(below, unit("group", period))


def leave_post(unit: Any, period: Any, parameters: Any) -> Any:  # noqa: ANN401 (as above)
    """Make the head leave the post at the year end."""
    return unit("completion", period) < parameter(parameters(period).field_duty.leave_post_below, unit("group", period))


CONDITIONS: Final = {
    SECTION: section,
    ALL_STAFF: all_staff,
    STATION_HEAD: station_head,
    OFF_POST: off_post,
    LEAVE_POST: leave_post,
}


def parameter_data(terms: Terms) -> dict[str, Any]:
    """Return the parameters as the data of an OpenFisca parameter tree, dated by month."""
    tree: dict[str, Any] = {}
    for full_name in terms:
        plugin, _, name = full_name.partition(".")
        by_month = {f"2011-{month:02}-01": values_at(terms, full_name, month) for month in range(1, MONTHS + 1)}
        groups: dict[str, Any] = {
            group: {"values": {day: {"value": number(values[place])} for day, values in by_month.items()}}
            for place, group in enumerate(GROUPS)
        }
        one_for_all = all(len(set(values)) == 1 for values in by_month.values())
        tree.setdefault(plugin, {})[name] = groups[GROUPS[0]] if one_for_all else groups
    return tree


EVENTS: Final = (
    *(
        (rule, event, rule.replace(".", "_") + f"_{event}")
        for rule in STATEFUL
        for event in ("started", "ended", "superseded")
    ),
    (SECTION, "withheld", "pay_withholding_section_standing"),
    (SECTION, "released", "section_released"),
    (TALK, "issued", "talk"),
    (COMMENDATION, "issued", "commendation"),
    (BONUS, "issued", "bonus"),
)


def looks(rule: str, event: str, month: int) -> bool:
    """Say whether an event is possible in a month, so that nobody asks for it in vain."""
    if rule == TALK:
        return True
    if rule in (COMMENDATION, BONUS):
        return month == YEAR_END
    if event == "started":
        return month in MOMENTS[rule]
    if event in ("ended", "withheld", "released"):
        return month > MOMENTS[rule][0]
    return any(month in MOMENTS[other] for other in HARSHER.get(rule, ()))


def run(population: Population, system: System) -> Outcome:
    """Compute the batch."""
    simulation = SimulationBuilder().build_default_simulation(system.system, count=len(population))
    simulation.max_spiral_loops = MONTHS  # last month's state is no cycle
    simulation.set_input("quota", "eternity", population.quota)
    simulation.set_input("group", "eternity", EnumArray(population.group, Groups))
    for month, credited in enumerate(population.credited, start=1):
        simulation.set_input("credited", f"2011-{month:02}", credited)
    events: dict[Key, NDArray[np.int64]] = {}
    for month in range(1, MONTHS + 1):
        period = f"2011-{month:02}"
        for rule, event, name in EVENTS:
            if looks(rule, event, month):
                events[month, rule, event] = np.flatnonzero(simulation.calculate(name, period))
    last = f"2011-{YEAR_END}"
    return Outcome(
        events,
        simulation.calculate("bonus_amount", last)[events[YEAR_END, BONUS, "issued"]],
        simulation.calculate("section_held", last),
        simulation.calculate("completion", last),
        simulation.calculate("pace_gap", last),
        simulation.calculate("lag", last),
        {rule: simulation.calculate(rule.replace(".", "_") + "_active", last) for rule in STATEFUL},
    )
