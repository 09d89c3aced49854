"""Sensitivity: how many measures would be wrong if some verified evidence is, and what to inspect again first."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from kpi_rules.locale import _
from kpi_rules.model.problems import AssessmentError, Place, error, nearest
from kpi_rules.pipeline.assess import assess
from kpi_rules.pipeline.derived import Derived
from kpi_rules.simulation.asked import check_numbers
from kpi_rules.simulation.doubts import KINDS, MONEY, Doubting, Errors
from kpi_rules.simulation.intervals import wilson
from kpi_rules.simulation.recredit import PARTS, TABLES, Recredit
from kpi_rules.simulation.run import Progress, Running, run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from numpy.typing import NDArray

    from kpi_rules.simulation.doubts import Counted
    from kpi_rules.workspace.workspace import Workspace

    Whole = NDArray[np.int64]
    Share = Decimal | float

DRAWS: Final = 1_000
TURNED: Final = 40


_SPREAD: Final = [f"{kind}{end}" for kind in KINDS for end in ("", "_low", "_high")]
_DOUBTED: Final = {
    "rule": pl.String,
    "unit": pl.String,
    **dict.fromkeys(("chance", "chance_low", "chance_high"), pl.Float64),
}


class Sensitivity:
    """What errors of verification would change; every attribute is a polars frame made at its first use, money is fen.

    `workspace`, `as_of`, `error_rate` (by table), `size`, `draws`, `turned` and `seed` say what was asked; `kept` names
    what stays as recorded.
    """

    def __init__(
        self,
        doubting: Doubting,
        counted: Counted,
        *,
        error_rate: Mapping[str, float],
        size: tuple[float, float],
        draws: int,
        seed: int,
    ) -> None:
        """Keep what was counted; `kpi_rules.sensitivity` is the way to make one."""
        self._recredit, self._counted = doubting.recredit, counted
        self.workspace, self.as_of = self._recredit.assessment.workspace, self._recredit.assessment.as_of
        self.error_rate, self.size, self.draws, self.seed = dict(error_rate), size, draws, seed
        self.turned = doubting.turned

    def __repr__(self) -> str:
        """Name the workspace and what was asked, on one line."""
        rates = ", ".join(f"{table} {rate:g}" for table, rate in self.error_rate.items())
        return f"<Sensitivity of {self.workspace.name!r} as of {self.as_of}: {rates}; {self.draws} draws>"

    @property
    def kept(self) -> list[str]:
        """The sums of policies over tables that rules read: they stay as recorded, whatever is wrong."""
        assessment = self._recredit.assessment
        indicators = assessment.rulebook.terms.indicators
        read = Derived(indicators).closure(assessment.rulebook.columns)
        return sorted(name for name, each in indicators.items() if each.table and name in read)

    @cached_property
    def rules(self) -> pl.DataFrame:
        """`rule, recorded`, and of each kind of wrong measure the mean number in a draw with the 2.5% and 97.5%
        quantiles of draws: `proposed` (on record, and would not have been), `spared` (not on record, and would have
        been), `moved` (would have started or ended on another day), each with `_low` and `_high`.

        A measure is what a rule says of a unit in the year, however often. Another amount is no other measure: it is
        among the fen of `totals`.
        """
        recorded = self._recorded.group_by("rule").len("recorded").cast({"recorded": pl.Int64})
        rows = []
        for rule in self._rules:
            row: dict[str, object] = {"rule": rule}
            for kind in KINDS:
                row |= self._spread(kind, self._counted.in_order(self._counted.measures[rule, kind]))
            rows.append(row)
        frame = (
            pl.DataFrame(rows, {"rule": pl.String, **dict.fromkeys(_SPREAD, pl.Float64)})
            .join(recorded, on="rule", how="left")
            .with_columns(pl.col("recorded").fill_null(0))
        )
        return frame.select("rule", "recorded", pl.exclude("rule", "recorded")).sort("rule")

    @cached_property
    def totals(self) -> pl.DataFrame:
        """`what, mean, low, high`: over all rules the number of measures wrong in a draw, by kind, and fen: `withheld`
        and ought not to be, `withholding_spared`, the reverse, and `issued`, `issue_missed` of what rules issue.
        """
        kinds = {kind: np.zeros(self.draws, dtype=np.int64) for kind in KINDS}
        for (_rule, kind), parts in self._counted.measures.items():
            kinds[kind] += self._counted.in_order(parts)
        names = ("withheld", "withholding_spared", "issued", "issue_missed")
        fen = {name: self._counted.in_order(self._counted.money[kind]) for name, kind in zip(names, MONEY, strict=True)}
        rows = [{"what": name, **_renamed(self._spread("", each))} for name, each in {**kinds, **fen}.items()]
        return pl.DataFrame(rows)

    @cached_property
    def measures(self) -> pl.DataFrame:
        """`rule, unit, recorded, chance, chance_low, chance_high`: the chance that what the rule says of the unit in
        the year is wrong, with its 95% interval; the most doubtful first. Where it never is, there is no row.
        """
        units = self._recredit.assessment.panel.units["unit"]
        frames = [pl.DataFrame(schema=_DOUBTED)]
        for rule in self._rules:
            rows = np.flatnonzero(self._counted.wrong[rule])
            chance, low, high = wilson(self._counted.wrong[rule][rows], self.draws)
            columns = {"unit": units.gather(rows), "chance": chance, "chance_low": low, "chance_high": high}
            frames.append(pl.DataFrame(columns).select(pl.lit(rule).alias("rule"), pl.all()))
        found = pl.concat(frames).join(
            self._recorded.with_columns(recorded=pl.lit(value=True)), on=["rule", "unit"], how="left"
        )
        ordered = found.sort("chance", "rule", "unit", descending=[True, False, False])
        return ordered.with_columns(pl.col("recorded").fill_null(value=False)).select(
            "rule", "unit", "recorded", "chance", "chance_low", "chance_high"
        )

    @cached_property
    def items(self) -> pl.DataFrame:
        """`table, key, project, amount, measures, fen, chance, chance_low, chance_high, alone`: the pieces of evidence,
        what hangs most on them first.

        `measures` and `fen` are the expected number of measures, and fen withheld or issued, that the item's error
        changes: its error rate times what turning it from right to wrong, or back, changes in a draw of everybody's
        errors, over the first `turned` draws. `chance` is that of changing anything, with its 95% interval. `alone` is
        how many measures change where it alone does not count and all else is as recorded; exact.
        """
        items, counted = self._recredit.items, self._counted
        rate = np.array([self.error_rate[table] for table in TABLES])[items.kind]
        chance, low, high = wilson(counted.changed, self.turned)
        frame = pl.DataFrame(
            {
                "table": pl.Series(list(TABLES)).gather(items.kind.astype(np.int64)),
                "key": pl.Series(items.key, dtype=pl.String),
                "project": self._recredit.tables.projects["project"].gather(items.project),
                "amount": items.amount,
                "measures": rate * counted.moved / self.turned,
                "fen": rate * counted.fen / self.turned,
                "chance": rate * chance,
                "chance_low": rate * low,
                "chance_high": rate * high,
                "alone": counted.alone,
            }
        )
        return frame.sort("measures", "fen", "alone", "table", "key", descending=[True, True, True, False, False])

    @property
    def _rules(self) -> list[str]:
        return list(self._recredit.assessment.rulebook.rules)

    @property
    def _recorded(self) -> pl.DataFrame:
        """`rule, unit` of the measures on record."""
        return self._recredit.assessment.measures.select("rule", "unit").unique()

    def _spread(self, name: str, values: Whole) -> dict[str, float]:
        """Return the mean and the quantiles of 2.5% and 97.5% over draws."""
        ordered = np.sort(values)
        places = [max(-(-part * self.draws // 1000) - 1, 0) for part in (25, 975)]
        low, high = (float(ordered[place]) for place in places)
        return {name: int(values.sum()) / self.draws, f"{name}_low": low, f"{name}_high": high}


def sensitivity(  # noqa: PLR0913 (what is asked, and who is told; all but two by name)
    workspace: Workspace,
    as_of: date | None = None,
    *,
    error_rate: Share | Mapping[str, Share],
    size: Share | tuple[Share, Share] = 1,
    draws: int = DRAWS,
    turned: int = TURNED,
    seed: int = 1,
    known_at: date | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Sensitivity:
    """Say what errors of verification would change, and which evidence to inspect again first (M15).

    In each draw every voucher, visit and project that counts by `as_of` is wrong by itself with the error rate. The
    rules are run on what is left, and the measures held against those on record. Errors only take away: what was not
    recorded is no error. Findings of checks stay those of the record, sums of policies over tables too, and every
    proposal counts as approved on its tick.

    Args:
        workspace: without errors.
        as_of: as in `kpi_rules.assess`.
        error_rate: the chance of each item to be wrong, 0 to 1; or by table (`arrivals`, `visits`, `projects`), 0 for
            those left out.
        size: by what share a wrong voucher or visit is overstated; 1: it does not count at all, so that of visits the
            one before counts. Of two shares it is drawn evenly between them for each item and draw. A wrong project is
            always one that does not count.
        draws: how many.
        turned: in how many of the draws each item is turned from right to wrong or back, for what hangs on it.
        seed: a whole number from 0; an item's errors depend on the seed, its table, its id and the draw alone.
        known_at: as in `kpi_rules.assess`.
        progress: called with a `Progress` after each chunk.
        cancelled: asked ten times a second; true gives up.

    Returns:
        The sensitivity.

    Raises:
        AssessmentError: as `kpi_rules.assess` has it, or a rate or size is none.
        CancelledError: `cancelled` said so.
    """
    check_numbers(draws=(draws, 1), turned=(turned, 1), seed=(seed, 0))
    rates, (low, high) = _rates(error_rate), _size(size)
    assessment = assess(workspace, as_of, known_at, indicators=["completion"], whole_panel=False)
    recredit = Recredit(assessment)
    exact = tuple(max(round(share * PARTS), 1) for share in (low, high))
    errors = Errors.of(recredit, seed, rates, (exact[0], exact[1]))
    doubting = Doubting(recredit, errors, min(turned, draws))
    counted = run(doubting, draws, Running(progress=progress, cancelled=cancelled))
    return Sensitivity(doubting, counted, error_rate=rates, size=(float(low), float(high)), draws=draws, seed=seed)


def _rates(given: object) -> dict[str, float]:
    by_table = dict(given) if isinstance(given, dict) else dict.fromkeys(TABLES, given)
    for name in by_table.keys() - set(TABLES):
        expected = _("one of {choices}").format(choices=", ".join(TABLES))
        hint = nearest(str(name), TABLES)
        raise AssessmentError(
            [error("unknown-table", Place(key="error_rate"), found=repr(name), expected=expected, nearest=hint)]
        )
    return {table: float(_share("error_rate", by_table.get(table, 0), least=0)) for table in TABLES}


def _size(given: object) -> tuple[Fraction, Fraction]:
    pair = given if isinstance(given, tuple) and len(given) == 2 else (given, given)  # noqa: PLR2004 (two ends)
    low, high = (_share("size", each) for each in pair)
    if low > high:
        found, expected = f"{pair[0]}, {pair[1]}", _("the lower share first")
        raise AssessmentError([error("bad-number", Place(key="size"), found=found, expected=expected)])
    return low, high


def _share(key: str, given: object, least: float = 2**-17) -> Fraction:
    """Return a share exactly as it prints."""
    is_number = isinstance(given, (int, float, Decimal)) and not isinstance(given, bool)
    if is_number and Decimal(str(given)).is_finite() and least <= (exact := Fraction(str(given))) <= 1:
        return exact
    expected = _("a share from 0 to 1") if least == 0 else _("a share above 0, at most 1")
    raise AssessmentError([error("bad-number", Place(key=key), found=repr(given), expected=expected)])


def _renamed(spread: Mapping[str, float]) -> dict[str, float]:
    return {name.removeprefix("_") or "mean": value for name, value in spread.items()}
