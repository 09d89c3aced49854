"""From the tables of `kpi.toml` to indicators and rules; and everything that is wrong with them, all at once."""

from __future__ import annotations

import re
from fractions import Fraction
from string import Formatter
from typing import TYPE_CHECKING, Any, Final, Literal

import polars as pl
from attrs import define, field

import kpi_rules as kr
from kpi_scorecard import checks, scoring, tracks
from kpi_scorecard.columns import column
from kpi_scorecard.conditions import Fault, Term, columns_of, read
from kpi_scorecard.config import Deduction, Item, Minmax, Table
from kpi_scorecard.texts import _
from kpi_scorecard.tracks import Scored, Terms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from kpi_scorecard.config import BlackList, Prize, RedList, Track
    from kpi_scorecard.tracks import Kind

Path = tuple[str | int, ...]

SCORED: Final = ("item", "table", "deduction", "minmax")
"""The tables that give points."""

LISTS: Final[tuple[Kind, ...]] = ("prize", "red_list", "black_list")


@define(eq=False)
class Building:
    """One workspace's scorecards in the making."""

    tables: Mapping[str, tuple[Any, ...]]
    problems: list[kr.Trouble] = field(factory=list)
    indicators: list[kr.Indicator] = field(factory=list)
    rules: list[kr.Rule] = field(factory=list)
    places: dict[str, Path] = field(factory=dict)
    items: dict[str, list[Scored]] = field(factory=dict)
    _names: dict[str, Path] = field(factory=dict)
    _read: list[tuple[Path, str]] = field(factory=list)

    def build(self) -> kr.Configured:
        """Make everything, and note everything that is wrong.

        What is sound is contributed also where something else is wrong, so that the library can check it too; a
        workspace with errors is not assessed.
        """
        tracks = [
            (number, track)
            for number, track in enumerate(self.tables["track"])
            if self._track(("track", number), track)
        ]
        for key in SCORED:
            for number, item in enumerate(self.tables[key]):
                self._scored((key, number), item)
        vetoes = self._vetoes()
        for number, track in tracks:
            self._total(("track", number), track, vetoes.get(track.name, {}))
        for key in LISTS:
            for number, listed in enumerate(self.tables[key]):
                self._listed((key, number), listed, key, vetoes)
        return kr.Configured(self.indicators, self.rules, problems=self.problems, places=self._columns() | self.places)

    def _columns(self) -> dict[str, Path]:
        """Return from where each contribution has the columns it reads: its own table, or else whichever names them."""
        found: dict[str, Path] = {}
        read = [(f"indicator {each.name}", each.value.meta.root_names()) for each in self.indicators]
        for rule in self.rules:
            shown = [name for _text, name, _form, _sign in Formatter().parse(rule.reason) if name]
            expressions = [rule.when] if rule.until is None else [rule.when, rule.until]
            read.append(
                (f"rule {rule.name}", [*shown, *(name for each in expressions for name in each.meta.root_names())])
            )
        for key, names in read:
            own = self.places[key]
            for name in dict.fromkeys(names):
                places = [place for place, column in self._read if name == column or name.startswith(f"{column}_")]
                if places:
                    found[f"{key} {name}"] = min(places, key=lambda place: place[: len(own)] != own)
        return found

    def add(self, path: Path, *contributions: kr.Indicator | kr.Rule) -> None:
        """Contribute something that was made from what stands at a path."""
        for each in contributions:
            if isinstance(each, kr.Rule):
                self.rules.append(each)
                self.places[f"rule {each.name}"] = path
            else:
                self.indicators.append(each)
                self.places[f"indicator {each.name}"] = path

    def trouble(
        self, path: Path, found: str, expected: str, code: str = "bad-scorecard", hint: str | None = None
    ) -> None:
        """Note an error."""
        self.problems.append(kr.Trouble(path, found, expected, code, nearest=hint))

    def _track(self, path: Path, track: Track) -> bool:
        named = self._name(path, "score", track.name)
        self.problems += checks.of_track(path, track)
        return named

    def _name(self, path: Path, kind: str, name: str) -> bool:
        """Check that a name can be part of an indicator's, and is there once."""
        if not re.fullmatch(r"\w+", name):
            self.trouble((*path, "name"), name or '""', _("a word of letters, digits and _"))
            return False
        key = f"{kind} {name}"
        if key in self._names:
            self.trouble((*path, "name"), name, _("a name of its own"), "duplicate-name")
            return False
        self._names[key] = path
        return True

    def _track_of(self, path: Path, name: str) -> Track | None:
        """Return the track that something belongs to; the only one where it names none."""
        known: dict[str, Track] = {track.name: track for track in self.tables["track"]}
        if name in known:
            return known[name]
        if not name and len(known) == 1:
            return next(iter(known.values()))
        expected = _("the name of a [[scorecard.track]]: {names}").format(names=", ".join(known) or "-")
        place = (*path, "track") if name else path
        self.trouble(place, name or _("no track"), expected, "unknown-track", kr.nearest(name, known))
        return None

    def read(self, path: Path, texts: Sequence[str]) -> tuple[Term, ...] | None:
        """Read conditions; None where one of them is none, which is noted."""
        found: list[Term] = []
        sound = True
        for number, text in enumerate(texts):
            try:
                terms = read(text)
                found += terms
                self._read += [((*path, number), term.column.name) for term in terms]
            except Fault as fault:
                self.trouble((*path, number), fault.found, fault.expected, "bad-condition")
                sound = False
        return tuple(found) if sound else None

    def _scored(self, path: Path, item: Item | Table | Deduction | Minmax) -> None:
        track = self._track_of(path, item.track)
        if track is None:
            return
        name = f"{track.name}_{item.name}"
        if not self._name(path, "score", name):  # tracks and items share `score_<name>`
            return
        before = len(self.problems)
        if not isinstance(item, Table):
            self._read.append(((*path, "indicator"), item.indicator))
        label = item.label or item.name
        try:
            scored = self._made(path, item, name, label)
        except Fault as fault:
            self.trouble(path, fault.found, fault.expected)
            return
        if scored is None:
            return
        self.items.setdefault(track.name, []).append(scored)
        gaps = any(each.code == "table-gap" for each in self.problems[before:])
        if gaps or _may_miss(item, scored):
            self.add(path, tracks.uncovered_rule(track, scored, f"uncovered_{name}"))

    def _made(self, path: Path, item: Item | Table | Deduction | Minmax, name: str, label: str) -> Scored | None:
        match item:
            case Item():
                return self._item(path, item, name, label)
            case Table():
                return self._table(path, item, name, label)
            case Deduction():
                return self._deduction(path, item, name, label)
        return self._minmax(path, item, name, label)

    def _item(self, path: Path, item: Item, name: str, label: str) -> Scored | None:
        self.problems += (found := checks.of_item(path, item))
        terms: dict[str, list[tuple[Term, ...]]] = {}
        sound = not any(each.severity == "error" for each in found)
        for side in ("bonus", "malus"):
            rows = [
                self.read((*path, side, number, "when"), step.when) for number, step in enumerate(getattr(item, side))
            ]
            terms[side] = [row for row in rows if row is not None]
            sound = sound and len(terms[side]) == len(rows)
            if sound and rows:
                self.problems += checks.of_steps((*path, side), getattr(item, side), terms[side])
        if not sound:
            return None
        value, inputs = scoring.item_points(item, terms)
        by = [each for rows in terms.values() for each in columns_of(rows)]
        inputs = (*inputs, *(each for each in by if column(each).numeric and each not in inputs))
        self.add(path, kr.Indicator(f"score_{name}", "ratio", value, label, ("M11",)))
        shown = tuple(dict.fromkeys((*inputs, *by)))
        return self._weighed(path, name, label, item.points, scoring.missing(inputs), shown)

    def _table(self, path: Path, table: Table, name: str, label: str) -> Scored | None:
        rows = [self.read((*path, "row", number, "when"), row.when) for number, row in enumerate(table.row)]
        domain = self.read((*path, "domain"), table.domain)
        terms = [row for row in rows if row is not None]
        found = checks.of_table(path, table)
        self.problems += found
        if domain is None or len(terms) < len(rows) or any(each.severity == "error" for each in found):
            return None
        self.problems += checks.of_rows(path, table, terms, domain)
        worth, place, conditions = scoring.table_points(table, terms)
        score = kr.Indicator(f"score_{name}", "ratio", worth, label, ("M19",), rows=conditions)
        row = kr.Indicator(f"row_{name}", "count", place, _("Row of {item}").format(item=label), ("M19",))
        self.add(path, score, row)
        weight = max(each.points for each in table.row)
        shown = tuple(columns_of(terms))
        numbers = [each for each in shown if column(each).numeric]
        absent = scoring.missing(numbers) if numbers else pl.lit(value=False)
        return self._weighed(path, name, label, weight, absent, shown)

    def _deduction(self, path: Path, item: Deduction, name: str, label: str) -> Scored | None:
        self.problems += (found := checks.of_deduction(path, item))
        if found:
            return None
        value, inputs = scoring.deduction_points(item)
        self.add(path, kr.Indicator(f"score_{name}", "ratio", value, label, ("M11",)))
        return self._weighed(path, name, label, item.points, scoring.missing(inputs), inputs)

    def _minmax(self, path: Path, item: Minmax, name: str, label: str) -> Scored | None:
        self.problems += (found := checks.of_minmax(path, item))
        if found:
            return None
        sort = column(item.indicator).sort
        ends: Literal["money", "count", "ratio"] = (
            "money" if sort == "money" else "count" if sort == "whole" else "ratio"
        )
        here = pl.col(item.indicator) if ends != "ratio" else pl.col(item.indicator).cast(pl.Float64)
        least, most = f"least_{name}", f"most_{name}"
        text = {least: _("Least in the peer group, {item}"), most: _("Most in the peer group, {item}")}
        sides: tuple[tuple[str, Literal["least", "most"]], ...] = ((least, "least"), (most, "most"))
        for end, within in sides:
            self.add(path, kr.Indicator(end, ends, here, text[end].format(item=label), ("M11",), within=within))
        value, absent = scoring.minmax_points(item, least, most)
        self.add(path, kr.Indicator(f"score_{name}", "ratio", value, label, ("M11",)))
        return self._weighed(path, name, label, item.points, absent, (item.indicator, least, most))

    def _weighed(
        self, path: Path, name: str, label: str, points: Decimal, absent: pl.Expr, shown: tuple[str, ...]
    ) -> Scored:
        """Return an item as its track reads it; no weight is below 0."""
        without = f"without_{name}"
        self.add(path, kr.Indicator(without, "flag", absent, _("No target, {item}").format(item=label), ("M11",)))
        return Scored(f"score_{name}", label, max(Fraction(points), Fraction(0)), without, shown)

    def _vetoes(self) -> dict[str, dict[str, list[tuple[Term, ...]]]]:
        """Return the conditions of vetoes by track and effect."""
        found: dict[str, dict[str, list[tuple[Term, ...]]]] = {}
        for number, veto in enumerate(self.tables["veto"]):
            path: Path = ("veto", number)
            track = self._track_of(path, veto.track)
            terms = self.read((*path, "when"), veto.when)
            if not veto.when:
                self.trouble((*path, "when"), _("no condition"), _("when the veto applies"))
            if track is not None and terms and self._name(path, "veto", f"{track.name}_{veto.name}"):
                found.setdefault(track.name, {}).setdefault(veto.effect, []).append(tracks.of_track(track, terms))
        return found

    def _total(self, path: Path, track: Track, vetoes: Mapping[str, list[tuple[Term, ...]]]) -> None:
        items = self.items.get(track.name, [])
        if not items:
            if not self._has_items(track):
                self.trouble(path, _("a track without items"), _("an item, table, deduction or minmax of it"))
            return
        zero = tracks.any_of(vetoes["zero"]) if "zero" in vetoes else None
        try:
            value = tracks.total(track, items, zero)
        except Fault as fault:
            self.trouble((*path, "digits"), fault.found, fault.expected)
            return
        label = track.label or track.name
        self.add(path, kr.Indicator(f"score_{track.name}", "ratio", value, label, ("M11",)))
        if vetoes:
            both = tracks.any_of([terms for each in vetoes.values() for terms in each])
            veto = _("Veto, {track}").format(track=label)
            self.add(path, kr.Indicator(f"veto_{track.name}", "flag", both, veto))
        self.add(path, *tracks.ranks(track, vetoed=bool(vetoes)))
        rows = [self.read((*path, "grade", number, "when"), each.when) for number, each in enumerate(track.grade)]
        terms = [row for row in rows if row is not None]
        if rows and len(terms) == len(rows):
            self.problems += checks.of_grades(path, track, terms)
            self.add((*path, "grade"), *tracks.grades(track, terms))

    def _has_items(self, track: Track) -> bool:
        """Whether anything names the track, sound or not."""
        alone = len(self.tables["track"]) == 1
        named = {each.track for key in SCORED for each in self.tables[key]}
        return track.name in named or (alone and "" in named)

    def _listed(
        self, path: Path, listed: Prize | RedList | BlackList, kind: Kind, vetoes: Mapping[str, object]
    ) -> None:
        track = self._track_of(path, listed.track)
        when = self.read((*path, "when"), listed.when)
        until = self.read((*path, "until"), listed.until)
        named = self._name(path, kind, listed.name)
        if track is None or when is None or until is None or not named:
            return
        self.problems += (found := checks.of_list(path, listed, track))
        if found:
            return
        try:
            rule = tracks.named(track, listed, kind, vetoed=track.name in vetoes, terms=Terms(when, until))
        except Fault as fault:
            self.trouble((*path, "amount"), fault.found, fault.expected)
            return
        if track.name in self.items:  # otherwise there is no total to rank by, and why is noted
            self.add(path, rule)


def _may_miss(item: Item | Table | Deduction | Minmax, scored: Scored) -> bool:
    """Say whether a unit with figures may go without points although the analysis found no gap.

    A word may be missing, an input lie outside the domain, a stretch target not above the base.
    """
    match item:
        case Item():
            return item.above == "stretch" or any(not column(each).numeric for each in scored.shown)
        case Table():
            return bool(item.domain) or any(not column(each).numeric for each in scored.shown)
    return False
