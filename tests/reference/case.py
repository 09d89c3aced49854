"""A case: everything an assessment is made from, as plain values.

Money is a whole number of fen. Shares, rates and parameters are exact decimals. A date that is None is an empty cell.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date

Value = Decimal | tuple[str, ...] | str | bool
"""What a parameter may be: a number, a list of grades, a word, yes or no."""


@dataclass(frozen=True)
class Unit:
    """An assessed organisation or part of one; `head` is a person id."""

    unit: str
    parent: str | None = None
    group: str | None = None
    head: str | None = None


@dataclass(frozen=True)
class Quota:
    """A quota row: fen for `funds`, else a count; in force from `effective` until a later row of unit and indicator."""

    unit: str
    indicator: str
    amount: int
    effective: date


@dataclass(frozen=True)
class Project:
    """A declared project; `revoked_on` withdraws its recognition from that date on, once that is known."""

    project: str
    unit: str
    contracted: int | None = None
    signed_on: date | None = None
    recognised_on: date | None = None
    refused_on: date | None = None
    started_on: date | None = None
    producing_on: date | None = None
    recorded_on: date | None = None
    revoked_on: date | None = None
    sector: str | None = None
    kind: str | None = None
    origin: str | None = None
    host: str | None = None
    introducer: str | None = None
    declared: int | None = None
    declared_on: date | None = None


@dataclass(frozen=True)
class Claim:
    """The share of a project that a unit claims, a decimal of at most nine places; None leaves it to the rule."""

    project: str
    unit: str
    share: Decimal | None
    recorded_on: date | None = None
    revoked_on: date | None = None


@dataclass(frozen=True)
class Arrival:
    """A voucher; `amount` in minor units of `currency`, None meaning the workspace's."""

    voucher: str
    project: str
    amount: int
    arrived_on: date
    currency: str | None = None
    year: int | None = None
    recorded_on: date | None = None
    revoked_on: date | None = None


@dataclass(frozen=True)
class Visit:
    """A site evaluation; its amount is cumulative since the year start."""

    visit: str
    project: str
    visited_on: date
    assessed_amount: int
    recorded_on: date | None = None
    revoked_on: date | None = None


@dataclass(frozen=True)
class Staff:
    """A person's post in a unit, both dates inclusive, None open; `component` is monthly fen of the pay in `[pay]`.

    The last three say what the legal limits need, where a case has them.
    """

    person: str
    unit: str
    grade: str
    component: int
    from_on: date | None = None
    to_on: date | None = None
    category: str | None = None
    performance: int | None = None
    total_pay: int | None = None


@dataclass(frozen=True)
class Rate:
    """Workspace currency for one unit of `currency`, from `on` until a later row."""

    currency: str
    on: date
    rate: Decimal


@dataclass(frozen=True)
class Factor:
    """A conversion factor from a date on, for a sector, a kind, an origin; None meaning any."""

    sector: str | None
    kind: str | None
    origin: str | None
    factor: Decimal
    effective: date | None = None


@dataclass(frozen=True)
class Size:
    """The least contract of a sector from a date on; of any other sector where it is None."""

    sector: str | None
    least: int
    effective: date | None = None


@dataclass(frozen=True)
class Sample:
    """An audited sample: what was reported of it and what of that was confirmed; of a unit, or of all."""

    sample: str
    unit: str | None
    reported: int
    confirmed: int
    audited_on: date
    recorded_on: date | None = None
    revoked_on: date | None = None


@dataclass(frozen=True)
class Withheld:
    """Money already withheld from a person for a month by other years' assessments."""

    person: str
    month: date
    amount: int


@dataclass(frozen=True)
class Campaign:
    """A campaign window, both dates inclusive; `share` of the annual quota."""

    id: str
    start: date
    end: date
    share: Decimal


@dataclass(frozen=True)
class Entry:
    """One entry of a parameter: its value for a group (None: every group) from a date on (None: always)."""

    value: Value
    group: str | None = None
    since: date | None = None


@dataclass(frozen=True)
class Decision:
    """What the authority decided about a measure."""

    measure: str
    decision: Literal["approved", "rejected", "lifted"]
    on: date


@dataclass(frozen=True)
class Case:
    """A whole workspace.

    `decisions` None means every proposal counts as approved on its tick; `lowered` None that there are no legal limits,
    else it names the blocks that have become warnings.
    """

    start: date
    end: date
    units: tuple[Unit, ...]
    quotas: tuple[Quota, ...] = ()
    projects: tuple[Project, ...] = ()
    claims: tuple[Claim, ...] = ()
    arrivals: tuple[Arrival, ...] = ()
    visits: tuple[Visit, ...] = ()
    staff: tuple[Staff, ...] = ()
    rates: tuple[Rate, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    factors: tuple[Factor, ...] = ()
    eligibility: tuple[Size, ...] = ()
    samples: tuple[Sample, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
    reviews: tuple[date, ...] = ()
    pace: Literal["months", "days", "table"] = "months"
    pace_points: tuple[tuple[date, Decimal], ...] = ()
    tolerance: Decimal = Decimal("0.1")
    unvisited: Literal["none", "vouchers"] = "none"
    evidence: tuple[str, ...] = ()
    sharing: str = "agreed"
    currency: str = "CNY"
    primary: str = "funds"
    component: str = "provincial-standard pay"
    parameters: dict[str, tuple[Entry, ...]] = field(default_factory=dict)
    decisions: tuple[Decision, ...] | None = None
    lowered: frozenset[str] | None = None

    @property
    def year(self) -> int:
        """The number of the assessment year: the calendar year of its start."""
        return self.start.year
