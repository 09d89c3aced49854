"""The shipped rules, their parameters, and how rules start, end and supersede each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from tests.reference.case import Case, Decision, Entry, Staff, Value
from tests.reference.indicators import Figures, as_float

if TYPE_CHECKING:
    from tests.reference.calendar import Tick

DEFAULTS: dict[str, Value] = {
    "pay_withholding.section_below": Decimal("0.50"),
    "pay_withholding.section_grades": ("head", "section"),
    "pay_withholding.share": Decimal("1.0"),
    "field_duty.station_gap": Decimal("0.25"),
    "field_duty.off_post_below": Decimal("0.50"),
    "field_duty.off_post_at_year_end": Decimal("1.00"),
    "field_duty.leave_post_below": Decimal("0.30"),
    "rewards.outstanding": Decimal("1.20"),
    "rewards.bonus_rate": Decimal("0.001"),
    "supervision.talk_after": Decimal(3),
    "safeguards.minimum_wage": Decimal(0),
}


def parameter(case: Case, name: str, group: str | None, day: date) -> Value:
    """Return what is in force: an entry for the unit's group before one for all, then the latest; else the default."""

    def since(entry: Entry) -> date:
        return entry.since or date.min

    in_force = [entry for entry in case.parameters.get(name, ()) if since(entry) <= day]
    own = [entry for entry in in_force if entry.group is not None and entry.group == group]
    general = [entry for entry in in_force if entry.group is None]
    for entries in (own, general):
        if entries:
            return max(entries, key=since).value
    return DEFAULTS[name]


@dataclass(frozen=True)
class Situation:
    """What a rule sees of a unit at a tick: figures, moments, parameters; no other unit, no other tick."""

    case: Case
    tick: Tick
    unit: str
    group: str | None
    figures: Figures

    def number(self, name: str) -> Decimal:
        """Return a parameter that is a number."""
        value = parameter(self.case, name, self.group, self.tick.on)
        assert isinstance(value, Decimal)
        return value

    def below(self, figure: str, name: str) -> bool:
        """Tell whether figure < parameter; a missing figure is not below anything."""
        value = as_float(self.figures[figure])
        return value is not None and value < float(self.number(name))

    def above(self, figure: str, name: str) -> bool:
        """Tell whether figure > parameter; a missing figure is not above anything."""
        value = as_float(self.figures[figure])
        return value is not None and value > float(self.number(name))

    def at_least(self, figure: str, bound: float) -> bool:
        """Tell whether figure >= bound; a missing figure is not at least anything."""
        value = as_float(self.figures[figure])
        return value is not None and value >= bound

    def surplus(self) -> int | None:
        """Return funds - quota in fen; None without a quota."""
        funds, quota = self.figures["funds"], self.figures["funds_quota"]
        return funds - quota if isinstance(funds, int) and isinstance(quota, int) else None


Condition = Callable[[Situation], bool]


@dataclass(frozen=True)
class Rule:
    """A rule; without `until` a one-off. It looks only at some ticks, and there proposes if `when` is true.

    `reads` names the figure without which `when` cannot be told. `scope` is given for holds: whose pay, in the
    situation of the month-end.
    """

    id: str
    at: Callable[[Tick], bool]
    reads: str
    when: Condition
    until: Condition | None = None
    supersedes: tuple[str, ...] = ()
    amount: Callable[[Situation], int] | None = None
    scope: Callable[[Situation, Staff], bool] | None = None

    def proposes(self, s: Situation) -> bool:
        """Tell whether the rule looks at this tick and finds its condition true."""
        return self.at(s.tick) and self.when(s)

    def cannot_tell(self, s: Situation) -> bool:
        """Tell whether the rule looks at this tick and misses the figure it reads."""
        return self.at(s.tick) and s.figures[self.reads] is None


def met(s: Situation) -> bool:
    """Tell whether the task is met: completion >= 1."""
    return s.at_least("completion", 1)


def unmet(s: Situation) -> bool:
    """Tell whether completion < 1, which is not the same as `not met` where there is no completion."""
    return s.figures["completion"] is not None and not met(s)


def section_staff(s: Situation, person: Staff) -> bool:
    """Tell whether a person's grade is one of those the mid-year and campaign reviews withhold."""
    grades = parameter(s.case, "pay_withholding.section_grades", s.group, s.tick.on)
    assert isinstance(grades, tuple)
    return person.grade in grades


def bonus(s: Situation) -> int:
    """Return floor(bonus_rate x (funds - quota)) in fen."""
    exact = Fraction(s.number("rewards.bonus_rate")) * (s.surplus() or 0)
    return exact.numerator // exact.denominator


RULES: tuple[Rule, ...] = (
    Rule(
        "pay_withholding.section",
        at=lambda tick: tick.mid_year or tick.campaign_end,
        reads="completion",
        when=lambda s: s.below("completion", "pay_withholding.section_below"),
        until=met,
        scope=section_staff,
    ),
    Rule(
        "pay_withholding.all_staff",
        at=lambda tick: tick.year_end,
        reads="completion",
        when=unmet,
        until=met,
        supersedes=("pay_withholding.section",),
        scope=lambda _, __: True,
    ),
    Rule(
        "field_duty.station_head",
        at=lambda tick: tick.month_end,
        reads="pace_gap",
        when=lambda s: s.above("pace_gap", "field_duty.station_gap"),
        until=met,
    ),
    Rule(
        "field_duty.off_post",
        at=lambda tick: tick.campaign_end or tick.year_end,
        reads="completion",
        when=lambda s: (
            (s.tick.campaign_end and s.below("completion", "field_duty.off_post_below"))
            or (s.tick.year_end and s.below("completion", "field_duty.off_post_at_year_end"))
        ),
        until=met,
        supersedes=("field_duty.station_head",),
    ),
    Rule(
        "field_duty.leave_post",
        at=lambda tick: tick.year_end,
        reads="completion",
        when=lambda s: s.below("completion", "field_duty.leave_post_below"),
        until=met,
        supersedes=("field_duty.off_post", "field_duty.station_head"),
    ),
    Rule(
        "supervision.talk",
        at=lambda tick: tick.month_end,
        reads="lag",
        when=lambda s: s.at_least("lag", float(s.number("supervision.talk_after"))),
    ),
    Rule(
        "rewards.commendation",
        at=lambda tick: tick.year_end,
        reads="completion",
        when=lambda s: met(s) and s.at_least("completion", float(s.number("rewards.outstanding"))),
    ),
    Rule(
        "rewards.bonus",
        at=lambda tick: tick.year_end,
        reads="funds_quota",
        when=lambda s: (s.surplus() or 0) > 0,
        amount=bonus,
    ),
)

BY_ID = {rule.id: rule for rule in RULES}


@dataclass(frozen=True)
class Event:
    """A transition of a rule."""

    year: int
    tick: date
    rule: str
    unit: str
    measure: str
    event: Literal["started", "ended", "superseded", "issued"]
    amount: int | None = None


@dataclass
class Measure:
    """A measure in force, or proposed and awaiting a decision (`started` None)."""

    id: str
    rule: Rule
    unit: str
    amount: int | None
    started: date | None = None
    ended: date | None = None
    lifted: bool = False


@dataclass
class State:
    """What is remembered of a unit from tick to tick."""

    active: dict[str, Measure] = field(default_factory=dict)
    pending: dict[str, Measure] = field(default_factory=dict)
    issued: set[str] = field(default_factory=set)


def is_true(condition: Condition | None, s: Situation) -> bool:
    """Tell whether a condition is given and true; one that cannot be told (null) is not true."""
    return condition is not None and condition(s)


@dataclass
class Decider:
    """Takes one unit from tick to tick and keeps its measures and events."""

    case: Case
    events: list[Event] = field(default_factory=list)
    measures: list[Measure] = field(default_factory=list)
    states: dict[str, State] = field(default_factory=dict)
    not_assessable: list[tuple[str, str, date]] = field(default_factory=list)

    def decided(self, measure: str, day: date) -> Decision | None:
        """Return the latest decision by `day`; where the case has none, every proposal is approved on its tick."""
        if self.case.decisions is None:
            return Decision(measure, "approved", day)
        found = [d for d in self.case.decisions if d.measure == measure and d.on <= day]
        return max(found, key=lambda d: d.on) if found else None

    def says(self, measure: str, day: date, decision: str) -> bool:
        """Tell whether the latest decision on a measure by `day` is this one."""
        found = self.decided(measure, day)
        return found is not None and found.decision == decision

    def log(self, s: Situation, measure: Measure, event: Literal["started", "ended", "superseded", "issued"]) -> None:
        """Note an event of a measure at the situation's tick."""
        amount = measure.amount if event == "issued" else None
        self.events.append(Event(self.case.year, s.tick.on, measure.rule.id, s.unit, measure.id, event, amount))

    def step(self, s: Situation) -> None:
        """Take a unit through a tick that is not interim."""
        state = self.states.setdefault(s.unit, State())
        self.not_assessable += [(s.unit, rule.id, s.tick.on) for rule in RULES if rule.cannot_tell(s)]
        gone = self.settle(s, state)
        self.propose(s, state, gone)
        self.start(s, state)

    def settle(self, s: Situation, state: State) -> set[str]:
        """End what is over: `until` true, lifted or rejected. What is gone is not proposed anew at this tick."""
        gone = set()
        for rule, measure in list(state.active.items()):
            lifted = self.says(measure.id, s.tick.on, "lifted")
            if is_true(measure.rule.until, s) or lifted:
                del state.active[rule]
                measure.ended, measure.lifted = s.tick.on, lifted
                gone.add(rule)
                self.log(s, measure, "ended")
        for rule, measure in list(state.pending.items()):
            refused = self.says(measure.id, s.tick.on, "rejected") or self.says(measure.id, s.tick.on, "lifted")
            if is_true(measure.rule.until, s) or refused:
                del state.pending[rule]
                gone.add(rule)
        return gone

    def propose(self, s: Situation, state: State, gone: set[str]) -> None:
        """Propose what is due, unless a rule that supersedes it is in force, awaits a decision or is due as well."""
        candidates = {}
        for rule in RULES:
            busy = rule.id in state.active or rule.id in state.pending or rule.id in state.issued or rule.id in gone
            id_ = f"{self.case.year}/{rule.id}/{s.unit}/{s.tick.on.isoformat()}"
            refused = self.says(id_, s.tick.on, "rejected") or self.says(id_, s.tick.on, "lifted")
            due = not busy and not refused and rule.proposes(s) and not is_true(rule.until, s)
            if due and not self.is_barred(rule, s):
                candidates[rule.id] = Measure(id_, rule, s.unit, rule.amount(s) if rule.amount else None)
        blocked = {below for id_ in (*state.active, *state.pending, *candidates) for below in BY_ID[id_].supersedes}
        state.pending |= {id_: measure for id_, measure in candidates.items() if id_ not in blocked}

    def is_barred(self, rule: Rule, s: Situation) -> bool:
        """Tell whether a rule would withhold pay and the law leaves nothing of it from anybody in its scope."""
        from tests.reference.pay import limit, staff_of

        if rule.scope is None:
            return False
        staff = staff_of(self.case, Measure("", rule, s.unit, None), s)
        return bool(staff) and all(limit(self.case, person, s.tick.on) == 0 for person in staff)

    def start(self, s: Situation, state: State) -> None:
        """Start or issue what is approved by now; what it supersedes stops, or is no longer proposed."""
        approved = {id_: m for id_, m in state.pending.items() if self.says(m.id, s.tick.on, "approved")}
        kept_out = {below for id_ in approved for below in BY_ID[id_].supersedes}
        starting = {id_: measure for id_, measure in approved.items() if id_ not in kept_out}
        replaced = {below for id_ in starting for below in BY_ID[id_].supersedes}
        for id_ in sorted(replaced & state.active.keys()):
            measure = state.active.pop(id_)
            measure.ended = s.tick.on
            self.log(s, measure, "superseded")
        state.pending = {id_: m for id_, m in state.pending.items() if id_ not in approved and id_ not in replaced}
        for measure in starting.values():
            self.begin(s, state, measure)

    def begin(self, s: Situation, state: State, measure: Measure) -> None:
        """Put an approved measure into force; a one-off is issued, once."""
        measure.started = s.tick.on
        self.measures.append(measure)
        if measure.rule.until is None:
            state.issued.add(measure.rule.id)
            self.log(s, measure, "issued")
        else:
            state.active[measure.rule.id] = measure
            self.log(s, measure, "started")
