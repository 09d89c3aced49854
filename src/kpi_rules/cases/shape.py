"""What a file of cases may say: its sections as classes, read strictly and with every problem at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from attrs import define, field

from kpi_rules.model.problems import Place

Event = Literal["started", "ended", "superseded", "issued"]
Decision = Literal["approved", "rejected", "lifted", "reversed"]


@define(frozen=True)
class FileSection:
    """A file of cases.

    `source` stands for cases that name none. `workspace` is a folder beside the file; `config` is what a `kpi.toml`
    would say, for cases that need no evidence. Without either, cases run in the workspace they stand in, those of an
    installed policy in a workspace that has this policy alone.
    """

    source: str = ""
    workspace: str = ""
    config: Mapping[str, Any] = field(factory=dict)
    case: Any = ()


@define(frozen=True)
class DecisionSection:
    """A decision on a proposal, as in a table of decisions."""

    measure: str
    decision: Decision
    on: date
    by: str | None = None
    reason: str | None = None


@define(frozen=True)
class CaseSection:
    """`[[case]]`; with `given` it is a case of one row, with `as_of` one of a workspace."""

    name: str
    source: str = ""
    arithmetic: str = ""
    note: str = ""
    policy: str = ""
    on: date | None = None
    group: str | None = None
    given: Mapping[str, Any] | None = None
    active: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(factory=dict)
    indicators: Mapping[str, Any] = field(factory=dict)
    empty: tuple[str, ...] = ()
    differs: Mapping[str, Any] = field(factory=dict)
    as_of: date | None = None
    known_at: date | None = None
    decisions: tuple[DecisionSection, ...] = ()
    expect: Any = None


@define(frozen=True)
class EventSection:
    """What a rule is expected to do with a row; `amount` is money as people write it, and no amount where left out."""

    rule: str
    event: Event
    amount: Any = None


@define(frozen=True)
class FrameSection:
    """What rows of a result frame are expected to say.

    `where` finds the rows by values of columns, exactly one unless `rows` gives their number; `equals` must hold in
    each of them, `differs` in none, the columns of `empty` must hold nothing; `sums` are sums of columns over them.
    """

    frame: str
    where: Mapping[str, Any] = field(factory=dict)
    rows: Any = None
    equals: Mapping[str, Any] = field(factory=dict)
    differs: Mapping[str, Any] = field(factory=dict)
    empty: tuple[str, ...] = ()
    sums: Mapping[str, Any] = field(factory=dict)


@define(frozen=True)
class Case:
    """A case with its place: the file and the line it begins at, and the path to it in the file."""

    section: CaseSection
    events: tuple[EventSection, ...] | None
    frames: tuple[FrameSection, ...]
    source: str
    place: Place
    path: tuple[str | int, ...]

    @property
    def name(self) -> str:
        """What the case is called."""
        return self.section.name


@define(frozen=True)
class Failure:
    """One thing that is not as expected: what it is about, both as text, and the place in the file."""

    about: str
    expected: str
    found: str
    place: Place


@define(frozen=True)
class CaseResult:
    """How a case ended; without failures it passed."""

    name: str
    policy: str
    source: str
    arithmetic: str
    note: str
    place: Place
    failures: tuple[Failure, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not self.failures
