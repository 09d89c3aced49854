"""Hypothesis strategies for small valid cases, and for questions to ask of them.

Everything that an assessment can meet is in them; dates crowd at the edges where assessments go wrong (the year's,
months', campaigns' first and last days, the leap day), amounts at the ratios that rules compare with.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.reference.calendar import month_end, month_ends, ticks
from tests.reference.case import (
    Arrival,
    Campaign,
    Case,
    Claim,
    Decision,
    Entry,
    Project,
    Quota,
    Rate,
    Staff,
    Unit,
    Visit,
    Withheld,
)
from tests.reference.evaluator import evaluate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import DrawFn, SearchStrategy

    from tests.reference.case import Value

DAY = timedelta(days=1)
LEAP_DAYS = (date(2012, 2, 28), date(2012, 2, 29), date(2012, 3, 1))
UNITS = ("city", "b", "a", "B", "u10", "u2", "财政局", "é")
"""Ids whose code-point order is neither that of drawing nor that of a dictionary."""
GROUPS = ("economic", "social")
GRADES = ("head", "section", "staff")
WORDS = ("approved", "approved", "approved", "lifted", "rejected", None)
PROJECTS = ("J1", "J2", "J10", "J3", "J4")
PERSONS = ("P1", "P2", "P3", "P10")
SHARES = (
    ("0.7", "0.3"),
    ("0.5", "0.5"),
    ("0.333333333", "0.333333333", "0.333333334"),
    ("0.333333333", "0.333333333", "0.333333333"),
    ("0.5",),
    ("0.25", "0.25"),
    ("0.000000001", "0.999999999"),
    ("0.6", "0.3", "0.05"),
    ("1",),
)
RATES = ("6.5", "0.123456789", "0.5", "7")
PACE_SHARES = ("0", "0.2", "0.25", "0.35", "0.5", "0.125", "0.9", "1")
CAMPAIGN_SHARES = ("0.4", "0.25", "0.125", "0.05", "1")


def examples(count: int) -> settings:
    """Return settings for so many examples, times the environment's KPI_RULES_EXAMPLES: 20 looks long and hard."""
    slow = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture]
    return settings(max_examples=count * int(os.environ.get("KPI_RULES_EXAMPLES", "1")), suppress_health_check=slow)


def decimals(*texts: str) -> SearchStrategy[Decimal]:
    """Draw one of some exact decimals."""
    return st.sampled_from([Decimal(text) for text in texts])


def bounds(low: int, high: int) -> SearchStrategy[Decimal]:
    """Draw a decimal of at most two places, sometimes nine, between two whole percentages, both inclusive."""
    coarse = st.integers(low, high).map(lambda percent: Decimal(percent) / 100)
    fine = st.integers(low * 10**7, high * 10**7).map(lambda billionths: Decimal(billionths) / 10**9)
    return st.one_of(coarse, coarse, coarse, fine)


PARAMETERS: dict[str, SearchStrategy[Value]] = {
    "pay_withholding.section_below": bounds(0, 120),
    "pay_withholding.section_grades": st.lists(st.sampled_from(GRADES), unique=True).map(tuple),
    "pay_withholding.share": bounds(0, 100),
    "field_duty.station_gap": bounds(0, 60),
    "field_duty.off_post_below": bounds(0, 120),
    "field_duty.off_post_at_year_end": bounds(0, 120),
    "field_duty.leave_post_below": bounds(0, 120),
    "rewards.outstanding": bounds(90, 150),
    "rewards.bonus_rate": bounds(0, 100),
    "supervision.talk_after": st.integers(1, 4).map(Decimal),
}

AMOUNTS = st.one_of(
    st.sampled_from([1000, 3000, 500, 300, 333, 999, 1001, 1200, 100, 101, 50, 33, 1, 0]),
    st.integers(0, 4000),
    st.integers(1000, 10**4),
    st.integers(1000, 10**4),
)
"""Fen of vouchers and visits, so that a few of them are about a quota."""
QUOTAS = st.one_of(st.sampled_from([1000, 3000, 300, 100, 3, 1]), st.integers(1, 4000))
SCALES = ((1, 1), (1, 1), (10**7, 10**7), (9_999_991, 10**7))
"""What a case's amounts and quotas are multiplied by; totals stay below 2000亿 yuan, the last makes ratios awkward."""


@dataclass(frozen=True)
class Calendar:
    """The dates of a case, and those worth drawing."""

    start: date
    end: date
    campaigns: tuple[Campaign, ...]
    reviews: tuple[date, ...]

    @cached_property
    def edges(self) -> list[date]:
        """Dates at an edge of something, and the days beside them, the year's start first."""
        edges = {*month_ends(self.start, self.end), *self.reviews}
        edges |= {day for campaign in self.campaigns for day in (campaign.start, campaign.end)}
        edges |= {day for day in LEAP_DAYS if self.start <= day <= self.end}
        after = month_ends(self.end + DAY, self.end + 100 * DAY)
        beside = {day + step for day in (self.start, *edges, *after) for step in (-DAY, 0 * DAY, DAY)}
        return [self.start, *sorted(beside - {self.start})]

    @cached_property
    def dates(self) -> list[date]:
        """Dates to draw from: half of them edges, the others in the year, some before it and after it."""
        inside = [self.start + n * DAY for n in range((self.end - self.start).days + 1)]
        outside = [self.start - n * DAY for n in range(2, 40, 7)] + [self.end + n * DAY for n in range(2, 100, 5)]
        others = [*inside[:: max(1, len(inside) // 50)], *outside]
        return self.edges * max(1, len(others) // len(self.edges)) + others

    def days(self) -> SearchStrategy[date]:
        """Draw a date."""
        return st.sampled_from(self.dates)

    def maybe(self) -> SearchStrategy[date | None]:
        """Draw a date, or none in one of four cases."""
        return st.sampled_from([*self.dates, *[None] * (len(self.dates) // 3)])

    def early(self) -> SearchStrategy[date]:
        """Draw a date: in half of the cases the year's start or a day beside it."""
        near = [self.start, self.start, self.start - DAY, self.start + DAY]
        return st.sampled_from(near * (len(self.dates) // 4) + self.dates)


def rarely(draw: DrawFn) -> bool:
    """Draw whether to do what is done in one of six cases."""
    return draw(st.sampled_from(range(6))) == 5


@st.composite
def calendars(draw: DrawFn) -> Calendar:
    """Draw a year of 1 to 12 months, campaigns in it that do not overlap, and reviews."""
    start = draw(
        st.sampled_from([date(2011, 1, 1), date(2012, 1, 1), date(2011, 4, 1), date(2011, 9, 1), date(2012, 2, 1)])
    )
    months = draw(st.sampled_from([12, 12, 12, 12, 6, 3, 1, 5, 11]))
    end = month_ends(start, start + 480 * DAY)[months - 1]
    last_days = month_ends(start, end)
    inside = st.sampled_from([*last_days * 4, *(start + n * DAY for n in range(0, (end - start).days, 5))])
    size = draw(st.sampled_from((2, 4, 0)))
    corners = sorted(draw(st.sets(inside, min_size=size, max_size=size)))
    pairs = list(zip(corners[::2], corners[1::2], strict=False))
    campaigns = tuple(
        Campaign(f"c{i}", first, last, draw(decimals(*CAMPAIGN_SHARES))) for i, (first, last) in enumerate(pairs)
    )
    reviews = draw(st.lists(inside, max_size=2, unique=True))
    return Calendar(start, end, campaigns, tuple(reviews))


@st.composite
def unit_trees(draw: DrawFn) -> tuple[Unit, ...]:
    """Draw up to six units, each under an earlier one or under none, in peer groups or not."""
    names = draw(st.permutations(UNITS))[: draw(st.sampled_from((3, 4, 2, 6, 1)))]
    groups = st.sampled_from([None, *GROUPS, GROUPS[0]])
    heads = st.sampled_from([None, *PERSONS])
    return tuple(
        Unit(name, draw(st.none() | st.sampled_from(names[:i])) if i else None, draw(groups), draw(heads))
        for i, name in enumerate(names)
    )


@st.composite
def quota_tables(draw: DrawFn, units: Sequence[str], calendar: Calendar) -> tuple[Quota, ...]:
    """Draw quotas: most units have one for funds, some revise it, some have quotas of counts, some none."""
    found = []
    for unit in units:
        size = draw(st.sampled_from((1, 1, 2, 3, 0)))
        dates = draw(st.lists(calendar.early(), min_size=size, max_size=size, unique=True))
        found += [Quota(unit, "funds", draw(QUOTAS), day) for day in dates]
        for indicator in draw(st.lists(st.sampled_from(["signed", "started", "producing"]), max_size=2, unique=True)):
            found.append(Quota(unit, indicator, draw(st.integers(1, 3)), draw(calendar.early())))
    return tuple(found)


@st.composite
def lives(draw: DrawFn, calendar: Calendar) -> tuple[date | None, date | None]:
    """Draw when a row was recorded and revoked: mostly always known and never revoked."""
    if not rarely(draw):
        return None, None
    recorded, revoked = draw(calendar.maybe()), draw(calendar.maybe())
    if recorded is not None and revoked is not None:
        return min(recorded, revoked), max(recorded, revoked)
    return recorded, revoked


@st.composite
def projects(draw: DrawFn, project: str, units: Sequence[str], calendar: Calendar) -> Project:
    """Draw a project: mostly recognised early, sometimes never, refused, revoked."""
    days, life = calendar.maybe(), draw(lives(calendar))
    if rarely(draw):
        life = (None, draw(st.sampled_from(calendar.edges)))
    recognised = draw(days if rarely(draw) else calendar.early())
    return Project(
        project,
        draw(st.sampled_from(units)),
        draw(st.none() | AMOUNTS),
        signed_on=draw(days),
        recognised_on=recognised,
        refused_on=draw(st.sampled_from(calendar.edges)) if rarely(draw) else None,
        started_on=draw(days),
        producing_on=draw(days),
        recorded_on=life[0],
        revoked_on=life[1],
    )


@st.composite
def claim_tables(draw: DrawFn, ids: Sequence[str], units: Sequence[str], calendar: Calendar) -> tuple[Claim, ...]:
    """Draw the claims of some projects, of 100% or less in all."""
    found = []
    for project in draw(st.lists(st.sampled_from(ids), unique=True)):
        shares = draw(st.sampled_from([shares for shares in SHARES if len(shares) <= len(units)]))
        claimants = draw(st.permutations(units))
        for unit, share in zip(claimants, shares, strict=False):
            found.append(Claim(project, unit, Decimal(share), *draw(lives(calendar))))
    return tuple(found)


@st.composite
def arrival_tables(draw: DrawFn, ids: Sequence[str], calendar: Calendar) -> tuple[Arrival, ...]:
    """Draw the vouchers of each project, some in foreign money, some booked to a year by name."""
    year = calendar.start.year
    years = st.sampled_from([*[None] * 8, year, year - 1, year + 1])
    currencies = st.sampled_from([*[None] * 8, "CNY", "USD", "HKD"])
    owners = [project for project in ids for _ in range(draw(st.sampled_from((2, 3, 1, 0))))]
    return tuple(
        Arrival(
            f"V1{i}",
            project,
            draw(AMOUNTS),
            draw(calendar.days()),
            draw(currencies),
            draw(years),
            *draw(lives(calendar)),
        )
        for i, project in enumerate(owners)
    )


@st.composite
def visit_tables(draw: DrawFn, ids: Sequence[str], calendar: Calendar) -> tuple[Visit, ...]:
    """Draw the visits of each project; ids are not in the order of drawing, several may fall on one day."""
    owners = [project for project in ids for _ in range(draw(st.sampled_from((2, 1, 3, 0))))]
    numbers = draw(st.permutations(range(len(owners))))
    days = draw(st.lists(calendar.days(), min_size=1, max_size=6))
    return tuple(
        Visit(f"S1{number}", project, draw(st.sampled_from(days)), draw(AMOUNTS), *draw(lives(calendar)))
        for project, number in zip(owners, numbers, strict=True)
    )


@st.composite
def completions(draw: DrawFn, ids: Sequence[str], calendar: Calendar) -> tuple[tuple[Arrival, ...], tuple[Visit, ...]]:
    """Draw, in most cases, great vouchers and visits about the year's end, so that holds end and money is released."""
    together = draw(st.sampled_from((45, None, 1, None)))
    steps = st.sampled_from((None, 1, 45, 20, 0, -40)) if together is None else st.just(together)
    days = {project: draw(steps) for project in ids}
    late = [
        (i, project, calendar.end + step * DAY) for i, (project, step) in enumerate(days.items()) if step is not None
    ]
    amount = draw(st.sampled_from((10**4, 3000)))
    arrivals = tuple(Arrival(f"V9{i}", project, amount, day) for i, project, day in late)
    visits = tuple(Visit(f"S9{i}", project, day, amount) for i, project, day in late)
    return arrivals, visits


@st.composite
def staff_tables(draw: DrawFn, units: Sequence[str], calendar: Calendar) -> tuple[Staff, ...]:
    """Draw people with up to three posts one after the other, the first and the last open-ended or not."""
    found = []
    for person in PERSONS[: draw(st.sampled_from((4, 3, 0)))]:
        changes = sorted(draw(st.sets(calendar.days(), max_size=2)))
        begins: list[date | None] = [draw(st.none() | st.just(calendar.start)), *changes]
        ends: list[date | None] = [*(day - DAY for day in changes), draw(st.none() | st.just(calendar.end))]
        for first, last in zip(begins, ends, strict=True):
            if first is None or last is None or first <= last:
                pay = draw(st.sampled_from([61510, 63333, 80000, 1, 0]) | st.integers(1, 10**6))
                found.append(
                    Staff(
                        person,
                        draw(st.sampled_from([*units[:2], *units])),
                        draw(st.sampled_from(GRADES)),
                        pay,
                        first,
                        last,
                    )
                )
    return tuple(found)


def withheld_tables(calendar: Calendar) -> SearchStrategy[tuple[Withheld, ...]]:
    """Draw what other years have withheld: whole or part of a person's month."""
    months = st.sampled_from(month_ends(calendar.start, calendar.end + 100 * DAY))
    row = st.builds(Withheld, st.sampled_from(PERSONS), months, st.sampled_from([30000, 61510, 80000, 1]))
    return st.lists(row, max_size=3).map(tuple) | st.lists(row, min_size=6, max_size=8).map(tuple)


def rate_tables(calendar: Calendar) -> SearchStrategy[tuple[Rate, ...]]:
    """Draw exchange rates, not for every date a voucher may have."""
    row = st.builds(Rate, st.sampled_from(["USD", "HKD"]), calendar.early(), decimals(*RATES))
    return st.lists(row, max_size=4, unique_by=lambda row: (row.currency, row.on)).map(tuple)


@st.composite
def parameter_tables(draw: DrawFn, groups: Sequence[str], calendar: Calendar) -> dict[str, tuple[Entry, ...]]:
    """Draw the entries of some parameters: one value, or several by date and group."""
    found = {}
    since = st.sampled_from([None, *month_ends(calendar.start, calendar.end) * 2, *calendar.edges])
    for name in draw(st.permutations(sorted(PARAMETERS)))[: draw(st.sampled_from((4, 6, 2, 0)))]:
        row = st.builds(Entry, PARAMETERS[name], st.sampled_from([None, *groups]), since)
        rows = st.lists(row, min_size=1, max_size=4, unique_by=lambda entry: (entry.group, entry.since))
        found[name] = draw(st.one_of(PARAMETERS[name].map(lambda value: (Entry(value),)), rows.map(tuple)))
    return found


@st.composite
def pace_points(draw: DrawFn, calendar: Calendar) -> tuple[tuple[date, Decimal], ...]:
    """Draw a plan of rising shares."""
    days = sorted(draw(st.sets(st.dates(calendar.start, calendar.end), min_size=1, max_size=4)))
    shares = sorted(draw(st.lists(decimals(*PACE_SHARES), min_size=len(days), max_size=len(days))))
    return tuple(zip(days, shares, strict=True))


@st.composite
def cases(draw: DrawFn) -> Case:
    """Draw a small valid case."""
    calendar = draw(calendars())
    tree = draw(unit_trees())
    units = [unit.unit for unit in tree]
    groups = sorted({unit.group for unit in tree if unit.group is not None})
    ids = draw(st.permutations(PROJECTS))[: draw(st.sampled_from((2, 3, 1, 4)))]
    late_arrivals, late_visits = draw(completions(ids, calendar))
    pace: Literal["months", "days", "table"] = draw(st.sampled_from(("months", "months", "days", "table")))
    case = Case(
        start=calendar.start,
        end=calendar.end,
        units=tree,
        quotas=draw(quota_tables(units, calendar)),
        projects=tuple(draw(projects(project, units, calendar)) for project in ids),
        claims=draw(claim_tables(ids, units, calendar)),
        arrivals=draw(arrival_tables(ids, calendar)) + late_arrivals,
        visits=draw(visit_tables(ids, calendar)) + late_visits,
        staff=draw(staff_tables(units, calendar)),
        rates=draw(rate_tables(calendar)),
        withheld=draw(withheld_tables(calendar)),
        campaigns=calendar.campaigns,
        reviews=calendar.reviews,
        pace=pace,
        pace_points=draw(pace_points(calendar)) if pace == "table" else (),
        tolerance=draw(decimals("0", "0.1", "0.05", "0.333333333")),
        unvisited=draw(st.sampled_from(("none", "vouchers"))),
        primary=draw(st.sampled_from((*["funds"] * 6, "signed", "started", "producing"))),
        parameters=draw(parameter_tables(groups, calendar)),
    )
    return scaled(case, *draw(st.sampled_from(SCALES)))


def scaled(case: Case, amounts: int, quotas: int) -> Case:
    """Multiply the money of a case: contracts, vouchers and visits by one factor, the quotas of funds by another."""
    return replace(
        case,
        quotas=tuple(replace(q, amount=q.amount * quotas) if q.indicator == "funds" else q for q in case.quotas),
        projects=tuple(
            replace(p, contracted=None if p.contracted is None else p.contracted * amounts) for p in case.projects
        ),
        arrivals=tuple(replace(a, amount=a.amount * amounts) for a in case.arrivals),
        visits=tuple(replace(v, assessed_amount=v.assessed_amount * amounts) for v in case.visits),
    )


@dataclass(frozen=True)
class Question:
    """What is asked of a case: as of when, as known when (None: as of)."""

    case: Case
    as_of: date
    known_at: date | None = None


@st.composite
def questions(draw: DrawFn, of: SearchStrategy[Case] | None = None) -> Question:
    """Draw a case and dates to assess it at: mostly after its end, some between ticks, some known otherwise."""
    case = draw(of if of is not None else cases())
    calendar = Calendar(case.start, case.end, case.campaigns, case.reviews)
    last = month_end(case.end + 70 * DAY)
    after = [last, last, last, case.end, month_end(case.end + DAY), case.end + 20 * DAY]
    as_of = draw(st.sampled_from([day for day in calendar.edges if day >= case.start] if rarely(draw) else after))
    recorded = [
        day
        for rows in (case.projects, case.claims, case.arrivals, case.visits)
        for row in rows
        for day in (row.recorded_on, row.revoked_on)
        if day is not None
    ]
    if recorded and not rarely(draw):
        days = [day - step for day in recorded for step in (0 * DAY, 0 * DAY, DAY)]
        return Question(case, as_of, draw(st.sampled_from(days)))
    return Question(case, as_of, draw(calendar.days()) if rarely(draw) else None)


@st.composite
def limited(draw: DrawFn) -> Question:
    """Draw a question under legal limits: staff of all categories, figures stated or not, some blocks lowered."""
    question = draw(st.one_of(questions(), decided()))
    money = st.sampled_from([None, 0, 30000, 61510, 63333]) | st.integers(10**4, 10**5)
    category = st.sampled_from(["contract", "institution", "civil_servant", "contract", "institution", None, "guest"])
    staff = tuple(
        replace(row, category=draw(category), performance=draw(money), total_pay=draw(money))
        for row in question.case.staff
    )
    groups = sorted({unit.group for unit in question.case.units if unit.group is not None})
    wages = st.sampled_from([Decimal(20000), Decimal(61000), Decimal(0)])
    wage = st.builds(Entry, wages, st.sampled_from([None, *groups]))
    parameters = dict(question.case.parameters)
    parameters["safeguards.minimum_wage"] = tuple(
        draw(st.lists(wage, min_size=1, max_size=2, unique_by=lambda entry: entry.group))
    )
    lowered = draw(st.just(frozenset({"G12"})) | st.frozensets(st.sampled_from(["G1", "G2", "G12", "G14"])))
    return replace(question, case=replace(question.case, staff=staff, parameters=parameters, lowered=lowered))


@st.composite
def decided(draw: DrawFn) -> Question:
    """Draw a question whose case has decisions on most of the measures that would be proposed without any."""
    question = draw(questions())
    events = evaluate(question.case, question.as_of, question.known_at).events
    proposed = {event.measure: event.tick for event in events if event.event in ("started", "issued")}
    days = [tick.on + step for tick in ticks(question.case, question.as_of) for step in (-3 * DAY, 0 * DAY)]
    decisions: list[Decision] = []
    for measure, day in proposed.items():
        word = draw(st.sampled_from(WORDS))
        when = st.sampled_from([later for later in days if later >= day] * 3 + days)
        first, second = sorted((draw(when), draw(when)))
        if word == "rejected":
            decisions.append(Decision(measure, "rejected", first))
        elif word is not None:
            decisions.append(Decision(measure, "approved", first))
        if word == "lifted" and second > first:
            decisions.append(Decision(measure, "lifted", second))
    return replace(question, case=replace(question.case, decisions=tuple(decisions)))
