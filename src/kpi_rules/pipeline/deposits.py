"""Deposits: paid in, forfeited in parts, refunded, returned; one balance per deposit, to the cent (M12, M17).

Ticks are gone through in order. At each, in this order: what pay is collected, what reversed measures had forfeited
comes back, then what measures forfeit, refund and return. Rules that do the same at one tick are served by their ids,
so nothing depends on the order of rules, units or rows.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from attrs import define, field

from kpi_rules.model.deposits import Collect, Forfeit, Refund, Return
from kpi_rules.model.expressions import correctly_rounded
from kpi_rules.model.plans import run
from kpi_rules.pipeline.evaluating import evaluating
from kpi_rules.pipeline.measures import event_frame
from kpi_rules.pipeline.panel import with_parameters
from kpi_rules.pipeline.pay import ENTRIES, ORDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from kpi_rules.model.calendar import Tick
    from kpi_rules.model.contributions import Rule
    from kpi_rules.pipeline.decided import Decided
    from kpi_rules.pipeline.decisions import Rulings
    from kpi_rules.pipeline.pay import Payroll

DEPOSITS: Final = {
    "year": pl.Int64,
    "deposit": pl.String,
    "person": pl.String,
    "unit": pl.String,
    "role": pl.String,
    "paid_on": pl.Date,
    "paid": pl.Int64,
    "forfeited": pl.Int64,
    "refunded": pl.Int64,
    "returned": pl.Int64,
    "held": pl.Int64,
}
"""One line per deposit: `paid = forfeited - refunded + returned + held`, all in fen and none below 0.

A deposit collected from pay is named `measure/person`, and `paid_on` is when its first month was collected.
"""

COMPONENT: Final = "deposit"
"""What the column `component` of `entries` says of deposits."""

_OWN: Final = ("deposit", "person", "unit", "group", "role", "paid_on")
_Amounts = np.ndarray[Any, np.dtype[np.int64]]


@define(frozen=True, eq=False)
class Deposited:
    """What became of deposits: `lines` (`DEPOSITS`), by id, and `entries` (`ENTRIES`), none of them of 0."""

    lines: pl.DataFrame
    entries: pl.DataFrame


@define(frozen=True, eq=False, slots=False)
class Desk:
    """What deposits are kept from: the rules' events, pay and what was paid in, `lines`, the ledger of pay, and what
    the leadership ruled.
    """

    decided: Decided
    ticks: Sequence[Tick]
    units: pl.Series
    rules: Mapping[str, Rule]
    payroll: Payroll
    lines: pl.DataFrame
    rulings: Rulings | None
    year_end: date

    @cached_property
    def concerned(self) -> Mapping[str, Rule]:
        """The rules that do something to deposits."""
        return {name: rule for name, rule in self.rules.items() if rule.deposit}

    @cached_property
    def events(self) -> pl.DataFrame:
        """What happened to their measures: `tick`, `rule`, `unit`, `measure`, `event`, `proposed`."""
        happened = [each for each in self.decided.events if each.rule in self.concerned]
        return event_frame(happened, self.ticks, self.units, self.payroll.year)

    @cached_property
    def lifted(self) -> pl.DataFrame:
        """The measures that decisions ended, lifted or reversed: `measure`, `on`."""
        return self._ruled("lifted")

    @cached_property
    def reversed(self) -> Mapping[date, list[str]]:
        """The measures that decisions reversed, by the tick from which that holds."""
        found: dict[date, list[str]] = {}
        for measure, on in self._ruled("reversed").sort("measure").iter_rows():
            found.setdefault(on, []).append(measure)
        return found

    def _ruled(self, decision: str) -> pl.DataFrame:
        if self.rulings is None:
            return pl.DataFrame(schema={"measure": pl.String, "on": pl.Date})
        return self.rulings.measures(decision, self.ticks, self.units, self.payroll.year)


def keep(desk: Desk) -> Deposited:
    """Return what became of deposits by the last tick.

    Raises:
        AssessmentError: the amount of an effect fails on the data.
    """
    if not desk.concerned and desk.payroll.deposits.is_empty():
        return Deposited(pl.DataFrame(schema=DEPOSITS), pl.DataFrame(schema=ENTRIES))
    return _Keeping(desk).run()


@define(eq=False)
class _Accounts:
    """The deposits there are so far: what each is, and its sums in fen."""

    own: pl.DataFrame
    paid: _Amounts
    forfeited: _Amounts = field(init=False)
    refunded: _Amounts = field(init=False)
    returned: _Amounts = field(init=False)
    closed: NDArray[np.bool_] = field(init=False)

    def __attrs_post_init__(self) -> None:
        for name in ("forfeited", "refunded", "returned"):
            setattr(self, name, np.zeros(len(self.paid), dtype=np.int64))
        self.closed = np.zeros(len(self.paid), dtype=np.bool_)

    @property
    def held(self) -> _Amounts:
        return self.paid - self.forfeited + self.refunded - self.returned

    @property
    def lost(self) -> _Amounts:
        return self.forfeited - self.refunded

    def open(self, new: pl.DataFrame) -> None:
        """Add deposits that nothing was paid into yet."""
        zeros = np.zeros(len(new), dtype=np.int64)
        self.own = pl.concat([self.own, new.select(_OWN)])
        for name in ("paid", "forfeited", "refunded", "returned"):
            setattr(self, name, np.concatenate([getattr(self, name), zeros]))
        self.closed = np.concatenate([self.closed, zeros.astype(np.bool_)])

    def rows(self, on: date, measures: pl.DataFrame) -> pl.DataFrame:
        """Return the deposits that were paid by a day to the units of measures, as effects read them, with `at`."""
        sums = {"amount": self.paid, "held": self.held, "forfeited": self.lost}
        return (
            self.own.with_columns(**{name: pl.Series(amounts) for name, amounts in sums.items()})
            .with_row_index("at")
            .filter(pl.col("paid_on") <= on)
            .join(measures, on="unit", maintain_order="left")
        )


class _Keeping:
    """All ticks, one after the other."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        own = desk.payroll.deposits.filter(pl.col("paid_on") <= desk.ticks[-1].on).sort("deposit")
        own = own.join(desk.payroll.groups, on="unit", how="left", maintain_order="left")
        self.accounts = _Accounts(own.select(_OWN), own["amount"].to_numpy().astype(np.int64))
        self.entries: list[pl.DataFrame] = [pl.DataFrame(schema={**ENTRIES})]
        self.taken: dict[str, dict[int, int]] = {}
        """What each measure forfeited: by the place of a deposit, fen."""
        none = pl.lit(None, pl.String)
        paid_in = own.select("person", "unit", "amount", on="paid_on", measure=none, rule=none)
        self._enter("paid", paid_in)

    def run(self) -> Deposited:
        begun = self.desk.events.filter(pl.col("event").is_in(["started", "issued"]))
        at_tick = {on: frame for (on,), frame in begun.group_by("tick")}
        for tick in self.desk.ticks:
            if tick.interim:
                continue
            if tick.is_month_end and tick.on <= self.desk.year_end:
                self._collect(tick.on)
            for measure in self.desk.reversed.get(tick.on, ()):
                if measure.split("/")[1] in self.desk.concerned:
                    self._undo(measure, tick.on)
            effective = at_tick.get(tick.on)
            if effective is not None:
                for step in (Forfeit, Refund, Return):
                    self._take_effect(step, tick.on, effective)
        return Deposited(self._lines(), self._all_entries())

    def _take_effect(self, step: type[Forfeit | Refund | Return], on: date, effective: pl.DataFrame) -> None:
        for name in sorted(effective["rule"].unique()):
            measures = effective.filter(pl.col("rule") == name).select("unit", "measure").sort("unit")
            for effect in self.desk.concerned[name].deposit:
                if isinstance(effect, step):
                    self._effect(effect, name, on, measures)

    def _effect(self, effect: Forfeit | Refund | Return, rule: str, on: date, measures: pl.DataFrame) -> None:
        accounts = self.accounts
        rows = accounts.rows(on, measures)
        at = rows["at"].to_numpy()
        left = (accounts.lost if isinstance(effect, Refund) else accounts.held)[at]
        amounts = self._amounts(effect.amount, rule, on, rows, left)
        measure = rows["measure"].to_list()
        if isinstance(effect, Forfeit):
            accounts.forfeited[at] += amounts
            for name, place, fen in zip(measure, at.tolist(), amounts.tolist(), strict=True):
                if fen:
                    mine = self.taken.setdefault(name, {})
                    mine[place] = mine.get(place, 0) + fen
            self._book("forfeited", on, at, amounts, measure, rule)
        elif isinstance(effect, Refund):
            self._refund(on, at, amounts, measure, rule)
        else:
            self._return(on, at, amounts, measure, rule)
            if effect.amount is None:
                accounts.closed[at] = True

    def _amounts(self, wanted: pl.Expr | None, rule: str, on: date, rows: pl.DataFrame, left: _Amounts) -> _Amounts:
        """Return what an effect asks of each deposit, never less than 0 nor more than is left."""
        if wanted is None:
            return left
        frame = with_parameters(rows, self.desk.payroll.parameters, on, wanted.meta.root_names())
        with evaluating("rule", rule):
            asked = frame.with_columns(fen=pl.max_horizontal(correctly_rounded(wanted), pl.lit(0)))["fen"]
        fen: _Amounts = np.minimum(asked.to_numpy().astype(np.int64), left)
        return fen

    def _refund(self, on: date, at: NDArray[np.uint32], amounts: _Amounts, measure: list[str], rule: str) -> None:
        """Give back what was forfeited; out of a deposit that was closed it is paid back at once."""
        self.accounts.refunded[at] += amounts
        self._book("refunded", on, at, amounts, measure, rule)
        at_once = np.where(self.accounts.closed[at], amounts, 0)
        self._return(on, at, at_once, measure, rule)

    def _return(self, on: date, at: NDArray[np.uint32], amounts: _Amounts, measure: list[str], rule: str) -> None:
        self.accounts.returned[at] += amounts
        self._book("returned", on, at, amounts, measure, rule)

    def _undo(self, measure: str, on: date) -> None:
        """Give back what a reversed measure forfeited, and pay back what it collected and is still held."""
        rule = measure.split("/")[1]
        taken = self.taken.pop(measure, {})
        lost = np.fromiter(taken, dtype=np.uint32, count=len(taken))
        fen = np.fromiter(taken.values(), dtype=np.int64, count=len(taken))
        self._refund(on, lost, np.minimum(fen, self.accounts.lost[lost]), [measure] * len(taken), rule)
        mine = self.accounts.own["deposit"].str.starts_with(f"{measure}/")
        at = mine.arg_true().to_numpy()
        self._return(on, at, self.accounts.held[at], [measure] * len(at), rule)
        self.accounts.closed[at] = True

    def _collect(self, on: date) -> None:
        """Collect one month's deposits from pay, and open those that are new."""
        wanted = [(rule, effect, units) for rule, effect, units in self._collecting(on) if len(units)]
        if not wanted:
            return
        collected = collected_from_pay(self.desk.payroll, on, wanted, self.desk.lines)
        if collected.is_empty():
            return
        # A rule may collect of two kinds of pay: it is one deposit all the same.
        collected = collected.group_by("measure", "person", maintain_order=True).agg(
            pl.col("amount").sum(), pl.col("unit", "role", "rule").first()
        )
        collected = collected.with_columns(deposit=pl.format("{}/{}", "measure", "person"), paid_on=pl.lit(on))
        new = collected.join(self.accounts.own, on="deposit", how="anti").sort("deposit")
        groups = self.desk.payroll.groups
        self.accounts.open(new.drop("group", strict=False).join(groups, on="unit", how="left", maintain_order="left"))
        places = self.accounts.own.with_row_index("at").select("deposit", "at")
        collected = collected.join(places, on="deposit", maintain_order="left")
        self.accounts.paid[collected["at"].to_numpy()] += collected["amount"].to_numpy()
        self._enter("paid", collected.select("person", "unit", "amount", "measure", "rule", on=pl.lit(on)))

    def _collecting(self, on: date) -> Iterator[tuple[Rule, Collect, pl.DataFrame]]:
        """Find the measures that collect a month: those in force at its end, or that end there by their `until`."""
        lifted = self.desk.lifted.filter(pl.col("on") <= on)
        for name, rule in sorted(self.desk.concerned.items()):
            for effect in rule.deposit:
                if isinstance(effect, Collect):
                    yield rule, effect, self._in_force(name, on).join(lifted, on="measure", how="anti")

    def _in_force(self, rule: str, on: date) -> pl.DataFrame:
        """Return `unit`, `measure`, `started` of the measures of a rule that began by a day and did not end before."""
        of_rule = self.desk.events.filter(pl.col("rule") == rule, pl.col("tick") <= on)
        over = of_rule.filter(pl.col("event").is_in(["ended", "superseded"]), pl.col("tick") < on)
        began = of_rule.filter(pl.col("event") == "started")
        return began.join(over, on="measure", how="anti").select("unit", "measure", started="tick")

    def _book(
        self, entry: str, on: date, at: NDArray[np.uint32], amounts: _Amounts, measure: Iterable[str], rule: str
    ) -> None:
        whose = self.accounts.own.select("person", "unit")[at]
        found = whose.with_columns(
            pl.Series("amount", amounts, dtype=pl.Int64),
            pl.Series("measure", list(measure), dtype=pl.String),
            rule=pl.lit(rule),
            on=pl.lit(on),
        )
        self._enter(entry, found)

    def _enter(self, entry: str, found: pl.DataFrame) -> None:
        found = found.filter(pl.col("amount") > 0).with_columns(
            year=pl.lit(self.desk.payroll.year, pl.Int64),
            entry=pl.lit(entry),
            component=pl.lit(COMPONENT),
            month=pl.col("on").dt.month_end(),
        )
        self.entries.append(found.select(pl.col(name).cast(dtype) for name, dtype in ENTRIES.items()))

    def _lines(self) -> pl.DataFrame:
        accounts = self.accounts
        sums = {name: getattr(accounts, name) for name in ("paid", "forfeited", "refunded", "returned", "held")}
        lines = accounts.own.with_columns(
            *(pl.Series(name, amounts, dtype=pl.Int64) for name, amounts in sums.items()),
            year=pl.lit(self.desk.payroll.year, pl.Int64),
        )
        return lines.select(*DEPOSITS).sort("deposit")

    def _all_entries(self) -> pl.DataFrame:
        return pl.concat(self.entries).sort(*ORDER, "amount")


def collected_from_pay(
    payroll: Payroll,
    month: date,
    wanted: Sequence[tuple[Rule, Collect, pl.DataFrame]],
    lines: pl.DataFrame,
) -> pl.DataFrame:
    """Return what a month's pay leaves to be collected, rule by rule in the order of their ids.

    Args:
        payroll: whose pay, and what guards leave of it.
        month: its last day.
        wanted: rules, what they collect, and the measures that do: `unit`, `measure`, `started`.
        lines: the ledger of pay; what holds withhold that month comes off first.

    Returns:
        `person`, `unit` (of the measure), `role` (the grade), `measure`, `rule`, `amount` above 0.
    """
    staff = payroll.present(month)
    held = lines.filter(pl.col("month") == month).group_by("person").agg(held=pl.col("withheld").sum())
    staff = staff.join(held, on="person", how="left").join(payroll.elsewhere(month), on="person", how="left")
    staff = staff.with_columns(gone=pl.sum_horizontal("held", "elsewhere"))
    taken = pl.DataFrame(schema={"person": pl.String, "amount": pl.Int64, "base": pl.String})
    found = [
        pl.DataFrame(schema=dict.fromkeys(("person", "unit", "role", "measure", "rule"), pl.String)).with_columns(
            amount=pl.lit(None, pl.Int64)
        )
    ]
    for rule, effect, measures in wanted:
        rows = run(payroll.scope(measures, staff, subtree=effect.subtree))
        rows = with_parameters(rows, payroll.parameters, month, effect.amount.meta.root_names())
        with evaluating("rule", rule.id):
            rows = rows.with_columns(wanted=pl.max_horizontal(correctly_rounded(effect.amount), pl.lit(0)))
        every = taken.group_by("person").agg(every=pl.col("amount").sum())
        same = taken if effect.base == "total_pay" else taken.filter(pl.col("base") == effect.base)
        same = same.group_by("person").agg(same=pl.col("amount").sum())
        rows = rows.join(every, on="person", how="left").join(same, on="person", how="left")
        of_base = pl.col(effect.base) - pl.col("gone") - pl.col("same").fill_null(0)
        of_guards = pl.col("limit") - pl.col("gone") - pl.col("every").fill_null(0)
        most = pl.max_horizontal(pl.min_horizontal(of_base, of_guards), pl.lit(0))
        before = (pl.col("wanted").cum_sum() - pl.col("wanted")).over("person", order_by="unit")
        rows = rows.filter(pl.col(effect.base).is_not_null()).with_columns(most=most, before=before)
        left = pl.max_horizontal(pl.col("most") - pl.col("before"), pl.lit(0))
        rows = rows.with_columns(amount=pl.min_horizontal("wanted", left)).filter(pl.col("amount") > 0)
        found.append(
            rows.select(
                "person", "unit", pl.col("grade").alias("role"), "measure", pl.lit(rule.id).alias("rule"), "amount"
            )
        )
        taken = pl.concat([taken, rows.select("person", "amount", base=pl.lit(effect.base))])
    return pl.concat(found).sort("rule", "unit", "person")
