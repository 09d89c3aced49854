"""What guards say of an assessment: remarks on its measures, and findings with the figures."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from attrs import define, evolve

from kpi_rules.locale import _, translate
from kpi_rules.model.money import format_amount
from kpi_rules.model.text import render
from kpi_rules.pipeline.guards import Blocking, Scene, judged, missing, taken_from, withholds
from kpi_rules.pipeline.verify import FINDINGS
from kpi_rules.workspace.guards import EVIDENCE, INDICATOR, GuardInForce
from kpi_rules.workspace.schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kpi_rules.model.calendar import Tick
    from kpi_rules.pipeline.decided import Happening
    from kpi_rules.workspace.tables import Tables

ATTACHED: Final = {"guards": pl.List(pl.String), "remarks": pl.List(pl.String)}
"""The columns of measures about guards: ids with their effects, `G12 warn`, and what each of them says, with the legal
basis it was lowered by and the dates by which something is due.
"""

_MOST: Final = 5  # persons named in a text; the others are counted

Row = dict[str, Any]


@define(frozen=True)
class Remark:
    """What a guard says of one measure; `persons` are those concerned, `text` is in the user's language."""

    measure: str
    guard: GuardInForce
    text: str


@define(frozen=True)
class Hit:
    """A guard's hit on one measure: the row of the first person, all `persons`, and of those for whom something is not
    known the first row and all, None and empty where everything is.
    """

    row: Row
    persons: Sequence[str | None]
    doubtful: Row | None
    doubted: Sequence[str | None]


def hits_of(rows: pl.DataFrame, key: str) -> Iterator[Hit]:
    """Give the hits among judged rows of persons, one for each value of `key`, in the order of the rows."""
    rows = rows.filter("hit")
    doubtful = pl.col("unclear") | pl.col("unknown")
    doubts = {row[key]: row for row in rows.filter(doubtful).unique(key, keep="first").iter_rows(named=True)}
    persons = rows.group_by(key, maintain_order=True).agg("person", doubted=pl.col("person").filter(doubtful))
    firsts = rows.unique(key, keep="first", maintain_order=True)
    for row, (of, everybody, doubted) in zip(firsts.iter_rows(named=True), persons.iter_rows(), strict=True):
        yield Hit(row, everybody, doubts.get(of), doubted)


@define(eq=False)
class Guarded:
    """The guards of one assessment.

    `measures` is the frame without the columns of guards; `blocked` what was not proposed because of a guard; `tables`
    are the workspace's, with evidence that is withdrawn.
    """

    scene: Scene
    ticks: Sequence[Tick]
    year: int
    measures: pl.DataFrame
    blocked: Sequence[Happening]
    tables: Tables
    known_at: date

    def attached(self) -> pl.DataFrame:
        """Return the measures with what guards say of each (`ATTACHED`)."""
        said: dict[str, list[Remark]] = {}
        for remark in self.remarks:
            said.setdefault(remark.measure, []).append(remark)
        ids = self.measures["id"].to_list()
        return self.measures.with_columns(
            pl.Series(
                "guards",
                [[f"{r.guard.name} {r.guard.effect}" for r in said.get(each, ())] for each in ids],
                dtype=ATTACHED["guards"],
            ),
            pl.Series(
                "remarks",
                [[f"{r.guard.name}: {r.text}" for r in said.get(each, ())] for each in ids],
                dtype=ATTACHED["remarks"],
            ),
        )

    @cached_property
    def remarks(self) -> list[Remark]:
        """What guards say of measures that were proposed, in the order of the guards."""
        return [*self._about_measures(), *self._about_pay()] if self.scene.guards else []

    def findings(self) -> pl.DataFrame:
        """Return the findings of guards, as `verify` gives those of checks: `severity` is `block` or `warn`; `effect`
        is `blocked` for what was not proposed or not withheld at all, `reduced` for what was withheld in part,
        `warned` for the rest, `revoke` for a reward to be taken back.
        """
        rows = list(self._findings()) if self.scene.guards else []
        return pl.DataFrame(rows, schema=FINDINGS, orient="row").unique().sort("table", "key", "code", "message")

    def of_unit(self, place: int) -> Guarded:
        """Return what guards say of the measures of one unit, by its row number."""
        unit = self.scene.units["unit"][place]
        blocked = [_of_row(each, place) for each in self.blocked]
        return evolve(
            self,
            measures=self.measures.filter(pl.col("unit") == unit),
            blocked=[each for each in blocked if len(each.rows)],
        )

    def told(self, rule: str, measure: str | None, on: date) -> tuple[str, ...]:
        """Return what guards say by a day of a measure of a rule, or why none is proposed; see `of_unit`."""
        about = [f"{each.guard.name}: {each.text}" for each in self.remarks if each.measure == measure]
        about += [f"{code}: {text}" for of, (code, *_rest, text) in self._limits if of == measure]
        refused = [
            f"{code}: {text}"
            for code, _s, _e, _t, key, text in self._refusals
            if key.split("/")[1] == rule and date.fromisoformat(key[-10:]) <= on
        ]
        return (*about, *(refused if measure is None else []))

    @cached_property
    def _limits(self) -> list[tuple[str, tuple[str, ...]]]:
        return list(self._limited())

    @cached_property
    def _refusals(self) -> list[tuple[str, ...]]:
        return list(self._blocked())

    def _findings(self) -> Iterator[tuple[str, ...]]:
        yield from self._refusals
        for remark in self.remarks:
            if remark.guard.effect == "warn":
                yield remark.guard.name, "warn", "warned", "measures", remark.measure, remark.text
        yield from (finding for _measure, finding in self._limits)
        yield from self._about_rows("quota", "quotas", "unit", self._quotas())
        yield from self._about_rows("indicator", "indicators", "indicator", self._indicators())
        for table, rows in self._evidence():
            yield from self._about_rows("evidence", table, "key", rows)

    def _groups(self) -> Iterator[tuple[str, date, pl.DataFrame]]:
        """Give the measures that stand, by rule and the day they were proposed."""
        standing = self.measures.filter(pl.col("status") != "closed").with_columns(
            proposed=pl.col("id").str.tail(10).str.to_date("%Y-%m-%d")
        )
        for (rule, on), group in standing.group_by("rule", "proposed", maintain_order=True):
            yield str(rule), on, group.select("id", "unit", "amount", begins="started")

    def _about_measures(self) -> Iterator[Remark]:
        guards = self.scene.about("measure")
        for rule, on, group in self._groups() if guards else ():
            concerning = [guard for guard in guards if self.scene.may_hit(guard, self.scene.rules[rule])]
            frame = self.scene.measures(self.scene.rules[rule], group, on) if concerning else group
            for guard in concerning:
                hits = judged(frame, guard, self.scene.parameters, on)
                yield from (self._remark(guard, hit) for hit in hits_of(hits, "id"))

    def _about_pay(self) -> Iterator[Remark]:
        """Say of a measure that it withholds from somebody whom a guard about pay warns of."""
        guards = [guard for guard in self.scene.about("pay") if guard.effect != "block"]
        for rule, on, group in self._groups() if guards else ():
            if withholds(self.scene.rules[rule]):
                reached = self._reached(rule, group, on)
                for guard in guards:
                    hits = judged(reached, guard, self.scene.parameters, on)
                    yield from (self._remark(guard, hit) for hit in hits_of(hits, "id"))

    def _reached(self, rule: str, measures: pl.DataFrame, on: date) -> pl.DataFrame:
        """Return the persons that measures withhold from on a day, `group` being that of the person's own unit."""
        reached = self.scene.reached(self.scene.rules[rule], measures, on)
        own = self.scene.units.select(of="unit", own="group")
        reached = reached.join(own, on="of", how="left", maintain_order="left").with_columns(group="own").drop("own")
        kept = measures.select("id", "unit", "begins")
        return reached.join(kept, on="unit", how="inner", maintain_order="left").sort("id", "person")

    def _remark(self, guard: GuardInForce, hit: Hit) -> Remark:
        parts = [render(guard.text(), hit.row), *self._doubts(guard, hit)]
        if guard.guard.about == "pay":
            parts.append(_("it concerns {persons}").format(persons=named(hit.persons)))
        if guard.basis:
            parts.append(_("legal basis: {basis}").format(basis=guard.basis))
        parts += self._deadlines(guard, hit.row["begins"])
        return Remark(hit.row["id"], guard, "; ".join(parts))

    def _doubts(self, guard: GuardInForce, hit: Hit) -> list[str]:
        """Name what could not be judged, and of whom."""
        if hit.doubtful is None:
            return []
        what, persons = missing(hit.doubtful, guard, hit.doubtful), named(hit.doubted)
        text = _("not known for {persons}: {what}") if persons else _("not known: {what}")
        return [text.format(persons=persons, what=what)]

    def _deadlines(self, guard: GuardInForce, start: date | None) -> Iterator[str]:
        """Write the dates by which something is due: days after the measure starts, which is not counted itself."""
        for each in guard.guard.deadlines:
            label, after = (translate(text, guard.domain) for text in (each.label, each.after))
            if after:
                yield _("{label} within {days} days after {event}").format(label=label, days=each.days, event=after)
            elif start is None:
                yield _("{label} within {days} days after it takes effect").format(label=label, days=each.days)
            else:
                yield _("{label} by {day}").format(label=label, day=start + timedelta(days=each.days))

    def _blocked(self) -> Iterator[tuple[str, ...]]:
        """Give what was not proposed: once for a rule, a unit and a guard, on the first day it would have been."""
        blocking, seen = Blocking(self.scene), set()
        ids = self.scene.units["unit"]
        for each in self.blocked:
            rows = [row for row in each.rows if (each.rule, int(row)) not in seen]
            seen |= {(each.rule, int(row)) for row in rows}
            on = self.ticks[each.tick].on
            new = {int(row) for row in rows}
            fresh = pl.Series([int(row) in new for row in each.rows], dtype=pl.Boolean)
            amounts = each.amounts.filter(fresh) if each.amounts is not None else None
            units = ids.gather([int(row) for row in rows])
            for name, hits in (blocking.by_guard(each.rule, units, on, amounts) if rows else {}).items():
                guard = self.scene.guards[name]
                for hit in hits_of(hits, "unit"):
                    parts = [self._refusal(each.rule, hit.row, guard), *self._doubts(guard, hit)]
                    persons = named(hit.persons) if guard.guard.about == "pay" else ""
                    parts += [_("it would concern {persons}").format(persons=persons)] if persons else []
                    key = f"{self.year}/{each.rule}/{hit.row['unit']}/{on}"
                    yield name, "block", "blocked", "measures", key, "; ".join(parts)

    def _refusal(self, rule: str, row: Row, guard: GuardInForce) -> str:
        about = self.scene.rules[rule]
        label = translate(about.label, about.domain) or rule
        return _("{measure} is not proposed: {why}").format(measure=label, why=render(guard.text(), row))

    def _limited(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Give by measure the persons of whose pay a guard leaves less than it could take, and no other guard less."""
        guards = [guard for guard in self.scene.about("pay") if guard.limit is not None]
        seen: set[tuple[str, str, str]] = set()
        for rule, on, group in self._groups() if guards else ():
            if not withholds(self.scene.rules[rule]):
                continue
            base = taken_from(self.scene.rules[rule])
            for day in self._days(on):
                reached = self._reached(rule, self._standing(group, day), day)
                for guard in guards:
                    hits = judged(reached, guard, self.scene.parameters, day)
                    hits = hits.filter("hit", pl.col("left") < pl.col(base), pl.col("left") == pl.col("limit"))
                    for row in hits.iter_rows(named=True):
                        key = (guard.name, row["id"], row["person"])
                        if key not in seen:
                            seen.add(key)
                            yield row["id"], self._limit(guard, row, day, base)

    def _days(self, on: date) -> list[date]:
        """Return the month-ends after the day of a proposal, or that day where there is none yet."""
        return [tick.on for tick in self.ticks if tick.on > on and tick.is_month_end] or [on]

    def _standing(self, group: pl.DataFrame, day: date) -> pl.DataFrame:
        """Return the measures of a group that have not ended before a day."""
        ends = self.measures.select("id", "ended")
        kept = pl.col("ended").is_null() | (pl.col("ended") >= day)
        return group.join(ends, on="id", how="left", maintain_order="left").filter(kept)

    def _limit(self, guard: GuardInForce, row: Row, day: date, base: str) -> tuple[str, ...]:
        text = _("{why}; of {component} a month at most {left} is withheld from {person} ({measure}, from {day})")
        text = text.format(
            why=render(guard.text(), row),
            component=format_amount(row[base]),
            left=format_amount(row["left"]),
            person=row["person"],
            measure=row["id"],
            day=day,
        )
        what = missing(row, guard, row)
        parts = [text, *([_("not known: {what}").format(what=what)] if what else [])]
        parts += [_("legal basis: {basis}").format(basis=guard.basis)] if guard.basis else []
        effect = "reduced" if row["left"] else "blocked"
        return guard.name, guard.effect, effect, "staff", row["person"], "; ".join(parts)

    def _about_rows(self, about: str, table: str, key: str, rows: pl.DataFrame) -> Iterator[tuple[str, ...]]:
        for guard in self.scene.about(about):
            hits = judged(rows, guard, self.scene.parameters, self.known_at).filter("hit")
            for row in hits.iter_rows(named=True):
                what = missing(row, guard, row) if row["unclear"] else ""
                parts = [render(guard.text(), row), *([_("not known: {what}").format(what=what)] if what else [])]
                yield guard.name, "warn", "warned", table, str(row[key]), "; ".join(parts)

    def _quotas(self) -> pl.DataFrame:
        units = self.tables.units.select("unit", "group", unit_name="name", unit_kind="kind")
        return self.tables.quotas.join(units, on="unit", how="left", maintain_order="left")

    def _indicators(self) -> pl.DataFrame:
        rows = [
            {
                "indicator": each.name,
                "kind": each.kind,
                "label": each.label,
                "reads": " ".join([each.table] * bool(each.table) + sorted(set(each.value.meta.root_names()))),
                "sources": "; ".join(each.sources),
            }
            for each in self.scene.indicators.values()
        ]
        return pl.DataFrame(rows, schema=dict(INDICATOR))

    def _evidence(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """Give the rows of each evidence table that say when they were recorded or revoked, as known by now."""
        for name, schema in SCHEMAS.items():
            rows: pl.DataFrame | None = getattr(self.tables, name, None)
            if rows is None or "revoked_on" not in rows.columns or not self.scene.about("evidence"):
                continue
            told = rows.filter(
                (pl.col("recorded_on").is_null() | (pl.col("recorded_on") <= self.known_at))
                & (pl.col("recorded_on").is_not_null() | (pl.col("revoked_on") <= self.known_at))
            )
            key = schema.key[0] if schema.key else schema.columns[0].name
            named_rows = told.with_columns(
                table=pl.lit(name),
                key=pl.col(key),
                revoked_on=pl.when(pl.col("revoked_on") <= self.known_at).then(pl.col("revoked_on")),
            )
            yield name, named_rows.select(*EVIDENCE)


def _of_row(happening: Happening, place: int) -> Happening:
    """Return what happened to the measures of one unit, with its amount."""
    own = happening.rows == place
    amounts = None if happening.amounts is None else happening.amounts.filter(pl.Series(own))
    return evolve(happening, rows=happening.rows[own], since=happening.since[own], amounts=amounts)


def named(persons: Iterable[str | None]) -> str:
    """Name some persons by their ids, and count the rest."""
    ids = [each for each in dict.fromkeys(persons) if each is not None]
    text = ", ".join(ids[:_MOST])
    rest = len(ids) - _MOST
    return text if rest <= 0 else _("{persons} and {count} more").format(persons=text, count=rest)
