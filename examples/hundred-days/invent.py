"""Invent the municipality of the example: units, quotas, projects, vouchers, visits, staff.

`make.py` adds the dirt and writes the files. Only `random.Random.random()` is drawn from, the one method whose
sequence Python promises to keep. Amounts inside are whole numbers of hundred yuan, so 100 of them are one 万.
Nobody and nothing here exists.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, TypeVar

from names import DEPARTMENTS, FAMILY, FIRM, GIVEN, PRODUCTS, REASONS, SECTION_NAMES, SECTORS, Department

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")
Row = dict[str, object]

VOUCHERS, PROJECTS, VISITS, STAFF = 3000, 400, 1200, 2500
YEAR_START, YEAR_END, HALF = dt.date(2011, 1, 1), dt.date(2011, 12, 31), dt.date(2011, 7, 1)
WAN = 100
FIRST_REFUSED, FIRST_PARTLY = 11, 3
LARGE, MEDIUM = 4000, 1500  # a department's quota in 万

# How a unit fares: the share (percent) of its plan that arrives in each month from January 2011 to March 2012, and
# between what percentages of its quota the plan lies.
KINDS: dict[str, tuple[list[int], int, int]] = {
    "early": ([5, 7, 13, 14, 14, 10, 7, 9, 8, 7, 4, 2, 0, 0, 0], 125, 185),
    "steady": ([3, 4, 9, 10, 11, 8, 7, 10, 12, 13, 8, 5, 0, 0, 0], 112, 135),
    "comeback": ([1, 1, 3, 4, 5, 5, 7, 14, 19, 21, 13, 7, 0, 0, 0], 108, 135),
    "late": ([2, 2, 6, 6, 7, 6, 5, 8, 11, 11, 7, 6, 8, 8, 7], 112, 135),
    "never": ([3, 4, 9, 10, 11, 8, 6, 10, 12, 13, 8, 4, 1, 1, 0], 25, 85),
    "nothing": ([0] * 15, 0, 0),
}
ODDS = {  # of the kinds above, in their order
    "经济管理组": [4, 4, 3, 3, 2, 0],
    "社会事业组": [3, 3, 3, 4, 4, 1],
    "党群综合组": [2, 2, 3, 4, 6, 1],
    "园区执法组": [5, 4, 2, 2, 2, 0],
}
SPLIT = {
    "commerce",
    "finance",
    "industry",
    "transport",
    "development-zone",
    "high-tech",
    "logistics-park",
    "harbour",
    "education",
    "office",
}
RATES = {"USD": 66227, "HKD": 8509, "EUR": 88065}  # end of 2010, ten-thousandths of a yuan; the months after are drawn
VISIT_DAYS = [
    dt.date(2011, 3, 26),
    dt.date(2011, 6, 4),
    dt.date(2011, 6, 26),
    dt.date(2011, 9, 17),
    dt.date(2011, 11, 4),
]


class Draw:
    """Draws that use `Random.random()` alone."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 - an example, not a secret

    def below(self, n: int) -> int:
        """A whole number from 0 to n - 1."""
        return int(self._random.random() * n)

    def between(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + self.below(high - low + 1)

    def chance(self, percent: int) -> bool:
        """True with this chance."""
        return self.below(100) < percent

    def one(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self.below(len(items))]

    def weighted(self, items: Sequence[T], weights: Sequence[int]) -> T:
        """One of the items, by whole weights."""
        left = self.below(sum(weights))
        for item, weight in zip(items, weights, strict=True):
            left -= weight
            if left < 0:
                return item
        raise AssertionError

    def parts(self, total: int, n: int) -> list[int]:
        """Cut a whole total into n uneven whole parts that sum to it."""
        weights = [self.between(20, 100) for _ in range(n)]
        parts = [total * weight // sum(weights) for weight in weights]
        return [*parts[:-1], total - sum(parts[:-1])]


@dataclass
class Project:
    """A project: who leads it, and what arrives for it."""

    id: str
    unit: str
    weight: int
    signed: dt.date
    claims: list[tuple[str, str]] = field(default_factory=list)
    vouchers: list[tuple[dt.date, int]] = field(default_factory=list)
    state: str = "recognised"

    def by(self, day: dt.date) -> int:
        """What arrived from the year start to the day."""
        return sum(amount for on, amount in self.vouchers if YEAR_START <= on <= day)


@dataclass
class Holder:
    """A unit with a quota of its own that is not split further."""

    unit: str
    owners: list[str]
    quota: int
    kind: str
    projects: list[Project] = field(default_factory=list)


@dataclass(frozen=True)
class Dirt:
    """One planted fault: where, what stands there, and in which frame of the result it is to be found (`reported`).

    `row` is the line of the file as an administrator counts it; `key` the id by which a finding or the waterfall
    names it.
    """

    file: str
    table: str
    row: int | str
    column: str
    value: str
    key: str
    reported: str
    what: str


class Table:
    """Rows to be written, with faults set between them; knows the line of each once all are in."""

    def __init__(self, file: str, table: str, columns: list[str]) -> None:
        self.file, self.table, self.columns = file, table, columns
        self.rows: list[Row] = []
        self._faults: list[tuple[Row, str, str, str]] = []

    def add(self, *values: object) -> Row:
        """Append a row; its values in the order of the columns."""
        row = dict(zip(self.columns, values, strict=True))
        self.rows.append(row)
        return row

    def plant(self, draw: Draw, row: Row, column: str, what: str, key: str = "") -> None:
        """Put a faulty row at some place after the first ten, to be reported in the quarantine."""
        self.rows.insert(draw.between(min(10, len(self.rows)), len(self.rows)), row)
        self.blame(row, column, what, key)

    def repeat(self, draw: Draw, row: Row, column: str, what: str) -> None:
        """Put a copy of a row at some place after it; the first counts, the copy is to be reported."""
        at = next(number for number, other in enumerate(self.rows, start=1) if other is row)
        copy = dict(row)
        self.rows.insert(draw.between(at, len(self.rows)), copy)
        self.blame(copy, column, what, text(row[column]))

    def blame(self, row: Row, column: str, what: str, key: str = "") -> None:
        """Say that a row that is here already will be quarantined."""
        self._faults.append((row, column, what, key))

    def dirt(self) -> list[Dirt]:
        """The planted faults with their lines."""
        line = {id(row): number for number, row in enumerate(self.rows, start=2)}
        return [
            Dirt(self.file, self.table, line[id(row)], column, text(row[column]), key, "quarantine", what)
            for row, column, what, key in self._faults
        ]


def text(value: object) -> str:
    """A cell as text."""
    return "" if value is None else str(value)


def wan(amount: int) -> str:
    """`123456` hundreds of yuan as `1234.56万`."""
    whole, rest = divmod(amount, WAN)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + "万"


def yuan(amount: int) -> str:
    """`123456` hundreds of yuan as `12345600.00`."""
    return f"{amount * 100}.00"


def month_day(draw: Draw, month: int) -> dt.date:
    """Some day of a month counted from January 2011 (0)."""
    return dt.date(2011 + month // 12, month % 12 + 1, draw.between(1, 28))


# Units and quotas


def sections(department: Department) -> list[str]:
    """The sections of a department: more where the quota is larger."""
    n = 4 if department.quota >= LARGE else 3 if department.quota >= MEDIUM else 2
    return [f"{department.unit}-{i}" for i in range(1, n + 1)]


def make_units(heads: dict[str, str]) -> Table:
    """Three levels: the city, its departments, their sections."""
    table = Table("units.csv", "units", ["unit", "name", "parent", "group", "head", "kind", "telephone"])
    table.add("city", "云岫市", "", "", "", "city", "")
    for number, department in enumerate(DEPARTMENTS):
        unit = department.unit
        table.add(unit, department.name, "city", department.group, heads[unit], "department", f"0000-{6000 + number}")
        for section, name in zip(sections(department), SECTION_NAMES, strict=False):
            table.add(section, department.name + name, unit, "", heads.get(section, ""), "section", "")
    return table


def make_holders(draw: Draw) -> list[Holder]:
    """The units whose quota is split no further: sections of a department that splits its own, or the department."""
    holders = []
    for department in DEPARTMENTS:
        odds = ODDS[department.group]
        names = list(KINDS)
        if department.unit in SPLIT:
            parts = [part * 10 for part in draw.parts(department.quota // 10, len(sections(department)))]
            for section, quota in zip(sections(department), parts, strict=True):
                holders.append(Holder(section, [section], quota, draw.weighted(names, odds)))
        else:
            owners = [department.unit] * 3 + sections(department)
            holders.append(Holder(department.unit, owners, department.quota, draw.weighted(names, odds)))
    return holders


def make_quotas(holders: list[Holder]) -> Table:
    """Funds for the city, departments, some sections; signed projects for departments; producing for the largest."""
    table = Table("quotas.csv", "quotas", ["unit", "indicator", "amount", "effective", "note"])
    total = sum(department.quota for department in DEPARTMENTS)
    table.add(
        "city",
        "funds",
        f"{total * 100 // 115 // 100 * 100}万",
        YEAR_START,
        "the departments carry about 15% more in all",
    )
    for department in DEPARTMENTS:
        # The parks' quota was set before the year began: a warning, not an error.
        effective = dt.date(2010, 12, 20) if department.unit == "parks" else YEAR_START
        table.add(department.unit, "funds", f"{department.quota}万", effective, "")
        table.add(department.unit, "signed", max(1, round(department.quota / 600)), YEAR_START, "")
        if department.quota >= LARGE:
            table.add(department.unit, "producing", round(department.quota / 2500), YEAR_START, "")
    for holder in holders:
        if "-" in holder.unit and holder.unit.rsplit("-", 1)[0] in SPLIT:
            table.add(holder.unit, "funds", f"{holder.quota}万", YEAR_START, "split by the department")
    revise(table)
    return table


def revise(table: Table) -> None:
    """Revisions in mid-year; the two of housing stand in the wrong order."""
    for unit, percent, day, note in [
        ("commerce", 85, HALF, "two projects moved to the development zone"),
        ("development-zone", 106, HALF, "two projects taken over from commerce"),
        ("housing", 80, dt.date(2011, 9, 1), "land freeze"),
        ("housing", 90, dt.date(2011, 5, 1), "land freeze announced"),
        ("tourism", 125, dt.date(2011, 4, 1), "old town project won"),
        ("archives", 75, HALF, "hardship"),
        ("weather", 80, HALF, "hardship"),
    ]:
        quota = next(department.quota for department in DEPARTMENTS if department.unit == unit)
        table.add(unit, "funds", f"{quota * percent // 100}万", day, note)
    table.add("harbour", "signed", 8, HALF, "third berth postponed")


# Projects, vouchers, visits


def make_projects(draw: Draw, holders: list[Holder]) -> list[Project]:
    """About as many projects as PROJECTS, more for larger quotas; some shared, refused or revoked."""
    root = [round(holder.quota**0.5) for holder in holders]
    projects: list[Project] = []
    for holder, weight in zip(holders, root, strict=True):
        for number in range(max(2, round(PROJECTS * weight / sum(root)))):
            # The first is signed before the year, so that there is always one for a voucher.
            early = number == 0
            signed = dt.date(2010, 9, 1) + dt.timedelta(days=draw.below(110) if early else 110 + draw.below(290))
            project = Project(f"J{len(projects) + 1:04d}", draw.one(holder.owners), draw.between(1, 9), signed)
            holder.projects.append(project)
            projects.append(project)
    share(draw, projects)
    for number, project in enumerate(projects):
        if number % 47 == FIRST_REFUSED and not project.claims:
            project.state = "refused"
    for project in [p for p in projects if p.state == "recognised" and not p.claims][5:200:90]:
        project.state = "revoked"
    return projects


def share(draw: Draw, projects: list[Project]) -> None:
    """Every thirteenth project is shared by two or three units, two of them not to the full."""
    for number, project in enumerate(projects[6::13]):
        others = [department.unit for department in DEPARTMENTS if not project.unit.startswith(department.unit)]
        second, third = draw.one(others[:30]), draw.one(others[30:])
        if number % 5 == 0:
            project.claims = [(project.unit, "0.3334"), (second, "0.3333"), (third, "0.3333")]
        elif number % 13 == FIRST_PARTLY:
            project.claims = [(project.unit, "0.5"), (second, "0.3")]
        else:
            first = draw.one([5, 6, 7])
            project.claims = [(project.unit, f"0.{first}"), (second, f"0.{10 - first}")]


def make_vouchers(draw: Draw, holders: list[Holder]) -> None:
    """Spread each holder's plan over months and projects, about VOUCHERS in all."""
    root = [round(holder.quota**0.5) if holder.kind != "nothing" else 0 for holder in holders]
    for holder, weight in zip(holders, root, strict=True):
        months, low, high = KINDS[holder.kind]
        plan = holder.quota * WAN * draw.between(low, high) // 100
        for month, percent in enumerate(months):
            amount = plan * percent // 100
            if not amount:
                continue
            n = max(1, round(VOUCHERS * weight / sum(root) * percent / 100))
            for part in draw.parts(amount, n):
                day = month_day(draw, month)
                ready = [project for project in holder.projects if project.signed < day]
                draw.weighted(ready, [project.weight for project in ready]).vouchers.append((day, part))


def new_name(draw: Draw, sector: str, used: set[object]) -> str:
    """Make up a name no other project has; where it is taken, it is the second phase, the third, and so on."""
    name = draw.one(FIRM) + draw.one(PRODUCTS[sector])
    phases = (name + phase + "项目" for phase in ("", "二期", "三期", "四期", "五期", "六期", "七期", "八期", "九期"))
    return next(each for each in phases if each not in used)


def project_row(draw: Draw, project: Project, used: set[object], *, over: bool) -> list[object]:
    """One line of the sheet of projects; `used` has the names of the others."""
    sector = draw.one(SECTORS)
    arrived = sum(amount for _, amount in project.vouchers)
    # Some contracts are below what arrived: found by a check. The rest are above it, in round figures of 50万.
    contracted = arrived * 4 // 5 // WAN if over else (arrived * draw.between(105, 240) // 100 // (50 * WAN) + 1) * 50
    declared = project.signed + dt.timedelta(days=draw.between(2, 12))
    decided = declared + dt.timedelta(days=draw.between(10, 40))
    started = known(project.signed, draw.between(40, 160)) if draw.chance(75) else None
    producing = known(started, draw.between(120, 300)) if started and draw.chance(60) else None
    refused = project.state == "refused"
    return [
        project.id,
        new_name(draw, sector, used),
        project.unit,
        sector,
        contracted,
        project.signed,
        declared,
        None if refused else decided,
        decided if refused else None,
        draw.one(REASONS) if refused else None,
        started,
        producing,
        dt.date(2011, 10, 20) if project.state == "revoked" else None,
    ]


def known(day: dt.date, later: int) -> dt.date | None:
    """So many days later; nothing if that is after the file was closed, on 31 March 2012."""
    on = day + dt.timedelta(days=later)
    return on if on <= dt.date(2012, 3, 31) else None


def visits_of(draw: Draw, project: Project) -> list[tuple[dt.date, int]]:
    """Visits at a few of the usual times once money arrived, at the year end, and in 2012 where more came.

    One project in twenty has none.
    """
    if not project.vouchers or draw.chance(5):
        return []
    first, last = min(project.vouchers)[0], max(project.vouchers)[0]
    days = [day for day in VISIT_DAYS if day > first and draw.chance(55)]
    days += [dt.date(2011, 12, 27)] if first < dt.date(2011, 12, 20) else []
    days += [dt.date(2012, 2, 26), dt.date(2012, 3, 29)] if last > YEAR_END else []
    visits = []
    for day in days:
        on = day + dt.timedelta(days=draw.between(-9, 2))
        # What stands on the site mostly bears out the vouchers; at one visit in six it does not.
        percent = draw.between(80, 97) if draw.chance(17) else draw.between(100, 103)
        visits.append((on, project.by(on) * percent // 100))
    return visits


def make_rates(draw: Draw) -> Table:
    """Month-end rates of three currencies, and one line that cannot be read."""
    table = Table("evidence/rates.csv", "rates", ["currency", "on", "rate"])
    for currency, start in RATES.items():
        rate = start
        for month in range(15):
            first = dt.date(2011 + month // 12, month % 12 + 1, 1)
            table.add(currency, first - dt.timedelta(days=1), f"{rate // 10000}.{rate % 10000:04d}")
            rate = rate * draw.between(9900, 10025) // 10000
    table.plant(draw, row_of(table, "USD", dt.date(2011, 5, 15), "6,49x"), "rate", "a rate that is no number")
    return table


def row_of(table: Table, *values: object) -> Row:
    """A row of a table, not yet in it."""
    return dict(zip(table.columns, values, strict=True))


# Staff


def make_staff(draw: Draw) -> tuple[Table, dict[str, str]]:
    """STAFF people by the unit that answers for them, and who heads what.

    That unit is the department, or its sections where it splits its quota.
    """
    columns = ["person", "name", "unit", "grade", "category", "component", "total_pay", "from_on", "to_on"]
    table = Table("evidence/staff.csv", "staff", columns)
    heads: dict[str, str] = {}
    scale = STAFF / sum(department.people for department in DEPARTMENTS)
    for department in DEPARTMENTS:
        people = round(department.people * scale)
        deputies, officers = 2 + people // 30, 2 + people // 8
        for number in range(people):
            grade = (
                "head"
                if number == 0
                else "deputy"
                if number <= deputies
                else "section"
                if number <= deputies + officers
                else "staff"
            )
            unit = department.unit
            if unit in SPLIT and grade in ("section", "staff"):
                unit = sections(department)[number % len(sections(department))]
            person = f"P{len(table.rows) + 1:04d}"
            if grade == "head" or (grade == "section" and unit != department.unit and unit not in heads):
                heads[unit] = person
            add_person(draw, table, person, unit, grade, department.category)
    return table, heads


def add_person(draw: Draw, table: Table, person: str, unit: str, grade: str, category: str) -> None:
    """One person's line."""
    base = {"head": 790, "deputy": 700, "section": 600, "staff": 460}[grade]
    component = base * 10 + draw.below(1200)  # tenths of a yuan
    if grade == "staff" and draw.chance(25):
        category = "contract"
    elif draw.chance(8):
        category = "institution"
    name = draw.one(FAMILY) + draw.one(GIVEN) + (draw.one(GIVEN) if draw.chance(60) else "")
    since = YEAR_START if grade == "head" or draw.chance(93) else month_day(draw, draw.between(1, 9))
    until = month_day(draw, draw.between(10, 11)) if grade == "staff" and draw.chance(2) else None
    total = component * draw.between(36, 42) // 10
    table.add(person, name, unit, grade, category, tenths(component), tenths(total), since, until)


def tenths(amount: int) -> str:
    """Tenths of a yuan as yuan."""
    return f"{amount // 10}.{amount % 10}0"


def move_staff(draw: Draw, table: Table) -> None:
    """Thirty people change the department during the year: the old line ends the day before the new one begins."""
    stay = [
        row for row in table.rows if row["grade"] != "head" and row["from_on"] == YEAR_START and row["to_on"] is None
    ]
    chiefs = {row["unit"]: row["person"] for row in reversed(stay) if row["grade"] == "section"}
    movable = [row for row in stay if chiefs.get(row["unit"]) != row["person"]]
    for row in movable[17 : 17 + 30 * 60 : 60]:
        on = month_day(draw, draw.between(2, 11))
        target = draw.one(
            [
                department.unit
                for department in DEPARTMENTS
                if department.unit not in SPLIT and department.unit != row["unit"]
            ]
        )
        table.rows.insert(table.rows.index(row) + 1, {**row, "unit": target, "from_on": on})
        row["to_on"] = on - dt.timedelta(days=1)
