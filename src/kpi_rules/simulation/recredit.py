"""Credit once more, of the projects with wrong evidence alone: what a wrong voucher, visit or project takes away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from attrs import define, field

from kpi_rules.pipeline.adjust import applied, project_columns
from kpi_rules.pipeline.credit import (
    HAPPENINGS,
    adjust,
    ancestors,
    assessed_by,
    confirm,
    counted_in,
    day_numbers,
    declared_by,
)
from kpi_rules.pipeline.sharing import Claims, code_point_order, rows_in, split_claims
from kpi_rules.pipeline.task import COUNTED, Task, after_sharing, lift_counts, stages_asked
from kpi_rules.pipeline.verify import Circumstances, of_year, verify, without

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from numpy.typing import NDArray

    from kpi_rules.model.contributions import Credit
    from kpi_rules.pipeline.result import Assessment
    from kpi_rules.workspace.config import Config
    from kpi_rules.workspace.tables import Tables

    Rows = NDArray[np.int64]
    Whole = NDArray[np.int64]
    Flags = NDArray[np.bool_]

PARTS: Final = 65_536
"""What is wrong of an item is whole parts of this; all of them, and the item does not count."""

TABLES: Final = ("arrivals", "visits", "projects")
ARRIVALS, VISITS, PROJECTS = range(len(TABLES))


@define(frozen=True, eq=False)
class Items:
    """The pieces of evidence that count by the last day.

    Attributes:
        kind: of each the number of its table in `TABLES`.
        key: its id.
        project: the row of its project.
        amount: fen; of a project 0.
        first: the number of the first date at which it counts.
    """

    kind: NDArray[np.int8]
    key: tuple[str, ...]
    project: Rows
    amount: Whole
    first: Rows

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.kind)


@define(frozen=True, eq=False)
class Wrong:
    """Projects with wrong evidence, each in one scenario; `item` of `of` is wrong by `parts` of `PARTS`."""

    project: Rows
    of: Rows
    item: Rows
    parts: Whole

    def __len__(self) -> int:
        """Return how many projects there are."""
        return len(self.project)


@define(frozen=True, eq=False)
class Changes:
    """What units have more or less than was recorded: `cell` is scenario x units + unit, ascending; dates x cells."""

    cell: Rows
    amounts: Mapping[str, Whole]

    def less(self, other: Changes) -> Changes:
        """Return what there is more or less than in other changes of the same whole numbers."""
        every, inverse = np.unique(np.concatenate([self.cell, other.cell]), return_inverse=True)
        amounts = {}
        for name, each in self.amounts.items():
            amounts[name] = np.zeros((len(each), len(every)), dtype=np.int64)
            amounts[name][:, inverse[: len(self.cell)]] = each
            amounts[name][:, inverse[len(self.cell) :]] -= other.amounts[name]
        return Changes(every, amounts)


@define(frozen=True, eq=False)
class Part:
    """What becomes of projects: dates x their claims, and dates x projects by name of a whole number."""

    owner: Rows
    claim: Rows
    split: Whole
    of_project: Mapping[str, Whole]


@define(eq=False)
class Recredit:
    """The evidence of an assessment, ready to be credited again with some of it wrong.

    What checks exclude on the last day is excluded. Sums of policies over tables stay as they were recorded.
    """

    assessment: Assessment
    tables: Tables = field(init=False)
    items: Items = field(init=False)
    base: Part = field(init=False)
    totals: Mapping[str, Whole] = field(init=False)
    _days: Rows = field(init=False)
    _assessed: Whole = field(init=False)
    _declared: Whole | None = field(init=False)
    _credits: Mapping[str, Credit] = field(init=False)
    _columns: Callable[[date], pl.DataFrame] = field(init=False)
    _order: Rows = field(init=False)
    _claims: _Grouped = field(init=False)
    _visits: _Grouped = field(init=False)
    _rolled: _Rolled = field(init=False)
    _task: Task | None = field(init=False)

    def __attrs_post_init__(self) -> None:
        workspace, tables = self.assessment.workspace, _counting(self.assessment)
        projects, claims = len(tables.projects), self.assessment.credited.claims
        self.tables, self._order = tables, code_point_order(tables.units)
        self._days = day_numbers(pl.Series(list(self.dates), dtype=pl.Date))
        self._assessed = assessed_by(tables, self._days)
        self._declared = declared_by(tables.projects, self._days) if "declared" in self._config.evidence else None
        self._credits = applied(workspace.plugins.credits, workspace.parameters, tables)
        self._columns = project_columns(self._credits, workspace.parameters, tables)
        self.items = _items(tables, self._days)
        visits = np.flatnonzero(self.items.kind == VISITS)
        order = visits[np.argsort(self.items.project[visits], kind="stable")]  # of a project, in the order made
        self._visits = _Grouped(order, np.searchsorted(self.items.project[order], np.arange(projects + 1)))
        self._claims = _Grouped.of(claims.project, projects)
        self._rolled = _Rolled.of(claims, tables.units, projects)
        terms = (tables.units.select("unit", "group"), self.assessment.quotas_on, *ancestors(tables.units))
        self._task = Task(workspace.parameters, *terms) if stages_asked(workspace.parameters) else None
        none = np.zeros(0, dtype=np.int64)
        base = self.part(Wrong(np.arange(projects), none, none, none))
        in_order = np.argsort(base.claim)  # claims go by project id, projects as the tables have them
        self.base = Part(claims.project, base.claim[in_order], base.split[:, in_order], base.of_project)
        task = self._task
        self.totals = {} if task is None else self._totals(task, self.base.split, self.base.of_project)

    @property
    def dates(self) -> tuple[date, ...]:
        """The dates of the assessment."""
        return self.assessment.credited.dates

    @property
    def units(self) -> int:
        """How many units there are."""
        return len(self.tables.units)

    @property
    def _config(self) -> Config:
        config = self.assessment.workspace.config
        assert config is not None  # noqa: S101 (it was assessed)
        return config

    def part(self, wrong: Wrong) -> Part:
        """Credit projects with wrong evidence."""
        project = wrong.project
        kind, parts = self.items.kind[wrong.item], wrong.parts
        cut = self.items.amount[wrong.item] * parts // PARTS
        vouchers = self.assessment.credited.vouchers[:, project].copy()
        recorded = kind == ARRIVALS
        less = np.zeros_like(vouchers)
        np.add.at(less, (self.items.first[wrong.item[recorded]], wrong.of[recorded]), cut[recorded])
        vouchers -= np.cumsum(less, axis=0)
        assessed = self._assessed[:, project].copy()
        self._visited(wrong, kind == VISITS, cut, assessed)
        recognised = self.assessment.credited.recognised[:, project].copy()
        recognised[:, wrong.of[kind == PROJECTS]] = False
        declared = None if self._declared is None else self._declared[:, project]
        borne_out, by = confirm(self._config.evidence, vouchers, assessed, declared)
        confirmed = np.where(recognised, borne_out, 0)
        frame = self.tables.projects[project]

        def columns(on: date) -> pl.DataFrame:
            return self._columns(on)[project]

        adjusted, _stages = adjust(frame, self.dates, vouchers, confirmed, recognised, by, self._credits, columns)
        owner, claim = self._claims.expanded(project)
        of = self.assessment.credited.claims
        claims = Claims(owner, of.unit[claim], of.share[claim], of.weight[claim], of.whole[claim])
        split = split_claims(adjusted, claims, self._order)
        return Part(owner, claim, split, self._of_projects(frame, vouchers, recognised))

    def _of_projects(self, frame: pl.DataFrame, vouchers: Whole, recognised: Flags) -> dict[str, Whole]:
        """Return what is counted or summed once for each project: dates x projects by name."""
        contracted = frame["contracted"]
        made = {
            "recognised": recognised.astype(np.int64),
            "vouchers": np.where(recognised, vouchers, 0),
            "contracted": np.where(recognised, contracted.fill_null(0).to_numpy(), 0),
            "contracts_unknown": (recognised & contracted.is_null().to_numpy()).astype(np.int64),
        }
        found = {name: each for name, each in made.items() if name in self.assessment.credited.units}
        for name in HAPPENINGS.keys() & self.assessment.credited.units.keys():
            counts = counted_in(frame, name, self._days, self._config.year.start, recognised)
            found[name] = counts.astype(np.int64)
        return found

    def _visited(self, wrong: Wrong, chosen: Flags, cut: Whole, assessed: Whole) -> None:
        """Take, in place, the amounts of the last visits that are left of projects with wrong ones."""
        hit = np.unique(wrong.of[chosen])
        if not len(hit):
            return
        owner, visit = self._visits.expanded(wrong.project[hit])
        amount = self.items.amount[visit].copy()
        code = hit[owner] * len(self.items) + visit
        places = np.argsort(code)
        at = places[np.searchsorted(code, wrong.of[chosen] * len(self.items) + wrong.item[chosen], sorter=places)]
        amount[at] -= cut[chosen]
        stays = np.ones(len(visit), dtype=np.bool_)
        stays[at[wrong.parts[chosen] == PARTS]] = False
        found = np.full((len(self.dates), len(hit)), -1, dtype=np.int64)
        # Of visits that first count at one date the last one made stands: later ones are written over earlier ones.
        for here in range(len(self.dates)):
            if here:
                found[here] = found[here - 1]
            now = stays & (self.items.first[visit] == here)
            found[here, owner[now]] = amount[now]
        assessed[:, hit] = found

    def changes(self, scenario: Rows, wrong: Wrong) -> Changes:
        """Return what units have more or less in the scenarios of wrong projects; no project is twice in one."""
        part = self.part(wrong)
        if self._task is not None:
            return self._with_task(self._task, scenario, wrong, part)
        place, pair = self._rolled.of_claim.expanded(part.claim)
        owner, once = self._rolled.of_project.expanded(wrong.project)
        of_funds = scenario[part.owner][place] * self.units + self._rolled.above[pair]
        of_others = scenario[owner] * self.units + self._rolled.once[once]
        every, inverse = np.unique(np.concatenate([of_funds, of_others]), return_inverse=True)
        more = part.split - self.base.split[:, part.claim]
        found = {"funds": _summed(more[:, place], inverse[: len(place)], len(every))}
        for name, values in part.of_project.items():
            less = values - self.base.of_project[name][:, wrong.project]
            found[name] = _summed(less[:, owner], inverse[len(place) :], len(every))
        return Changes(every, found)

    def _with_task(self, task: Task, scenario: Rows, wrong: Wrong, part: Part) -> Changes:
        """Return the changes where caps and the whole task go over all claims of a unit: scenario by scenario, of all
        units.
        """
        scenarios = np.unique(scenario)
        found: dict[str, list[Whole]] = {name: [] for name in ("funds", *self.base.of_project)}
        for each in scenarios.tolist():
            split, own = self.base.split.copy(), scenario == each
            claims = own[part.owner]
            split[:, part.claim[claims]] = part.split[:, claims]
            values = {name: whole.copy() for name, whole in self.base.of_project.items()}
            for name, of_projects in part.of_project.items():
                values[name][:, wrong.project[own]] = of_projects[:, own]
            totals = self._totals(task, split, values)
            for name, amounts in totals.items():
                found[name].append(amounts - self.totals[name])
        cell = (scenarios[:, None] * self.units + np.arange(self.units)).reshape(-1)
        none = np.zeros((len(self.dates), 0), dtype=np.int64)
        return Changes(cell, {name: np.concatenate([none, *each], axis=1) for name, each in found.items()})

    def _totals(self, task: Task, split: Whole, of_project: Mapping[str, Whole]) -> dict[str, Whole]:
        """Return dates x units of all claims and projects, as `pipeline.credit` makes them."""
        claims, rolled = self.assessment.credited.claims, self._rolled
        left = after_sharing(split, claims, self.dates, task)
        place, pair = rolled.of_claim.expanded(np.arange(len(claims.unit)))
        found = {"funds": _summed(left.credited[:, place], rolled.above[pair], self.units)}
        owner, once = rolled.of_project.expanded(np.arange(len(self.tables.projects)))
        for name, values in of_project.items():
            found[name] = _summed(values[:, owner], rolled.once[once], self.units)
        for name in found.keys() & set(COUNTED):
            counts = left.whole & (of_project[name][:, claims.project] > 0)
            for here, on in enumerate(self.dates):
                lift_counts(found[name][here], counts[here], claims, task, task.quota(name, on))
        return found


@define(frozen=True, eq=False)
class _Grouped:
    """Rows by owner: those of owner i are `rows[start[i]:start[i + 1]]`."""

    rows: Rows
    start: Rows

    @classmethod
    def of(cls, owner: Rows, owners: int) -> _Grouped:
        """Group rows by their owners."""
        rows = np.argsort(owner, kind="stable")
        return cls(rows, np.searchsorted(owner[rows], np.arange(owners + 1)))

    def expanded(self, owners: Rows) -> tuple[Rows, Rows]:
        """Return for each owner, one after the other, its place and its rows."""
        many = self.start[owners + 1] - self.start[owners]
        place = np.repeat(np.arange(len(owners)), many)
        ends = np.cumsum(many)
        within = np.arange(len(place)) - np.repeat(ends - many, many)
        return place, self.rows[self.start[owners][place] + within]


@define(frozen=True, eq=False)
class _Rolled:
    """Who is credited with what a claim brings, and with what is counted once for a project: units' rows, by owner."""

    above: Rows
    of_claim: _Grouped
    once: Rows
    of_project: _Grouped

    @classmethod
    def of(cls, claims: Claims, units: pl.DataFrame, projects: int) -> _Rolled:
        """Roll claims and projects up the tree."""
        unit, above = ancestors(units)
        pairs = (
            pl.DataFrame({"claim": np.arange(len(claims.unit)), "project": claims.project, "unit": claims.unit})
            .join(pl.DataFrame({"unit": unit, "above": above}), on="unit")
            .sort("claim", "above")
        )
        some = pairs.filter(pl.Series(claims.share > 0).gather(pairs["claim"]))
        once = some.unique(["project", "above"]).sort("project", "above")
        return cls(
            pairs["above"].to_numpy(),
            _Grouped.of(pairs["claim"].to_numpy(), len(claims.unit)),
            once["above"].to_numpy(),
            _Grouped.of(once["project"].to_numpy(), projects),
        )


def _summed(values: Whole, cell: Rows, cells: int) -> Whole:
    sums = [np.bincount(cell, row, minlength=cells) for row in values]
    return np.stack(sums).astype(np.int64)


def _counting(assessment: Assessment) -> Tables:
    """Return the tables as they count on the last day."""
    workspace, config, tables = assessment.workspace, assessment.workspace.config, assessment.evidence.tables
    assert config is not None  # noqa: S101 (it was assessed)
    counting = of_year(tables, config.year, assessment.as_of)
    checks = {name: each for name, each in workspace.plugins.checks.items() if config.checks.get(name) == "exclude"}
    if not checks:
        return counting
    under = Circumstances(config.year, assessment.as_of, workspace.parameters, config.sharing, tables)
    _findings, excluded = verify(counting, checks, config.checks, under)
    return without(counting, excluded)


def _items(tables: Tables, days: Rows) -> Items:
    projects, visits = tables.projects, tables.visits.sort("visited_on", "visit")
    rows = pl.concat(
        [
            tables.arrivals.select("project", "amount", key="voucher", on="arrived_on", kind=pl.lit(ARRIVALS)),
            visits.select("project", amount="assessed_amount", key="visit", on="visited_on", kind=pl.lit(VISITS)),
            projects.select(
                "project", amount=pl.lit(0, pl.Int64), key="project", on="recognised_on", kind=pl.lit(PROJECTS)
            ),
        ],
        how="diagonal",
    )
    rows = rows.with_columns(first=pl.Series(np.searchsorted(days, day_numbers(rows["on"])))).filter(
        pl.col("first") < len(days)
    )
    return Items(
        rows["kind"].cast(pl.Int8).to_numpy(),
        tuple(rows["key"].to_list()),
        rows_in(rows["project"], projects["project"]),
        rows["amount"].to_numpy(),
        rows["first"].to_numpy(),
    )
