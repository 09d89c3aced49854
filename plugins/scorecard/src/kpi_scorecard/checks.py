"""What can be wrong with what is written, beyond kinds of values: each with its place and what was expected."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

import kpi_rules as kr
from kpi_scorecard.analysis import (
    NEAR,
    Axis,
    Finding,
    TooManyCellsError,
    analyse,
    axes_of,
    cliffs,
    written,
)
from kpi_scorecard.columns import column
from kpi_scorecard.conditions import Fault, columns_of, number
from kpi_scorecard.exact import GREATEST, PLACES
from kpi_scorecard.texts import _, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from decimal import Decimal

    from kpi_scorecard.conditions import Term
    from kpi_scorecard.config import Deduction, Item, Listed, Minmax, Step, Table, Track

Path = tuple[str | int, ...]

MOST_GAPS: Final = 10
"""Gaps of one table that are listed each; the rest is counted."""


def _wrong(path: Path, found: object, expected: str) -> kr.Trouble:
    return kr.Trouble(path, str(found), expected, "bad-scorecard")


def _digits(path: Path, key: str, digits: int | None) -> Iterator[kr.Trouble]:
    if digits is not None and not 0 <= digits <= PLACES:
        yield _wrong((*path, key), digits, _("a number of digits from 0 to {places}").format(places=PLACES))


def _points(path: Path, of: object, keys: Iterable[str], digits: int) -> Iterator[kr.Trouble]:
    """Check points: not too many, and of no more places than they are rounded to."""
    for key in keys:
        value: Decimal | None = getattr(of, key)
        if value is None:
            continue
        if abs(value) > GREATEST:
            yield _wrong((*path, key), value, _("at most {most} points").format(most=GREATEST))
        elif 0 <= digits <= PLACES and (Fraction(value) * 10**digits).denominator != 1:
            expected = _("points of at most {digits} decimal places, to which they are rounded here")
            yield _wrong((*path, key), value, expected.format(digits=digits))


def _order(path: Path, of: object) -> Iterator[kr.Trouble]:
    least, most = getattr(of, "least", None), getattr(of, "most", None)
    if least is not None and most is not None and least > most:
        yield _wrong((*path, "least"), least, _("no more than most, {most}").format(most=shown(most)))


def of_track(path: Path, track: Track) -> list[kr.Trouble]:
    """Check a track by itself."""
    return [
        *_digits(path, "digits", track.digits),
        *_points(path, track, ("least", "most"), track.digits),
        *_order(path, track),
    ]


def of_item(path: Path, item: Item) -> list[kr.Trouble]:
    """Check an item by itself."""
    found = [
        *_digits(path, "digits", item.digits),
        *_digits(path, "ratio_digits", item.ratio_digits),
        *_points(path, item, ("points", "least", "most", "stretch_points"), item.digits),
        *_order(path, item),
        *_sides(path, item),
        *_target(path, item),
    ]
    for side in ("bonus", "malus"):
        for place, step in enumerate(getattr(item, side)):
            found += _step((*path, side, place), step, item.digits)
    return [*found, *_jump(path, item)]


def _sides(path: Path, item: Item) -> Iterator[kr.Trouble]:
    """Check that what is written for a side of the target is what that side asks for."""
    for side, way in (("bonus", item.above), ("malus", item.below)):
        steps, key = getattr(item, side), "above" if side == "bonus" else "below"
        if way == "steps" and not steps:
            found, such = _('"steps" and no {side}'), _('{side} = [{{ points = 1, per = 0.1, count = "whole" }}]')
            yield _wrong((*path, key), found.format(side=side), such.format(side=side))
        if steps and way != "steps":
            yield _wrong((*path, side), _("steps"), _('{key} = "steps", or no {side}').format(key=key, side=side))
    if item.above == "stretch" and (item.stretch_points is None or item.stretch_points < 0):
        yield _wrong((*path, "above"), item.above, _("stretch_points of 0 or more"))
    if item.above == "stretch" and (item.target != "quota" or item.better != "more" or item.ratio_digits is not None):
        yield _wrong((*path, "above"), item.above, _('target = "quota", better = "more" and no ratio_digits'))
    if item.above != "stretch" and item.stretch_points is not None:
        yield _wrong((*path, "stretch_points"), item.stretch_points, _('above = "stretch"'))
    if item.better == "less" and "proportional" in {item.above, item.below}:
        key = "above" if item.above == "proportional" else "below"
        yield _wrong((*path, key), "proportional", _("steps, full or zero where less is better"))
    if item.step_of == "difference" and (item.target == "phased" or item.ratio_digits is not None):
        yield _wrong((*path, "step_of"), item.step_of, _("share, with a phased target or with ratio_digits"))


def _target(path: Path, item: Item) -> Iterator[kr.Trouble]:
    if item.target != "fixed":
        if item.fixed:
            yield _wrong((*path, "fixed"), item.fixed, _('target = "fixed", or no fixed number'))
        if column(item.indicator).sort in {"text", "flag"}:
            yield _wrong((*path, "indicator"), item.indicator, _("an indicator with quotas"))
        return
    try:
        target = number(column(item.indicator), item.fixed)
    except Fault as fault:
        yield _wrong((*path, "fixed"), fault.found or _("nothing"), fault.expected)
        return
    by_ratio = "proportional" in {item.above, item.below} or item.ratio_digits is not None
    by_share = item.step_of == "share" and "steps" in {item.above, item.below}
    if target <= 0 and (by_ratio or by_share):
        yield _wrong((*path, "fixed"), item.fixed, _("a target above 0, of which a share can be taken"))


def _step(path: Path, step: Step, digits: int) -> Iterator[kr.Trouble]:
    yield from _points(path, step, ("most",), digits)
    yield from _points(path, step, ("points",), PLACES)
    for key, least in (("points", 0), ("most", 0)):
        value = getattr(step, key)
        if value is not None and value < least:
            yield _wrong((*path, key), value, _("0 or more"))
    if step.per <= 0:
        yield _wrong((*path, "per"), step.per, _("a step above 0"))


def _jump(path: Path, item: Item) -> Iterator[kr.Trouble]:
    """Report a cliff at the target, where that is asked for."""
    if item.cliff is None or item.below != "zero" or abs(item.points) <= item.cliff:
        return
    found = _("{points} points at the target, 0 just below it, at {ratio} of it").format(
        points=shown(item.points), ratio=shown(1 - NEAR)
    )
    yield _cliff((*path, "cliff"), found, item.cliff)


def _cliff(path: Path, found: str, most: Decimal) -> kr.Trouble:
    expected = _("a jump of at most {most} points").format(most=shown(most))
    return kr.Trouble(path, found, expected, "table-cliff", "note")


def of_table(path: Path, table: Table) -> list[kr.Trouble]:
    """Check a table without its conditions."""
    found = list(_digits(path, "ratio_digits", table.ratio_digits))
    if not table.row:
        found.append(_wrong((*path, "row"), _("no row"), _("a [[scorecard.table.row]]")))
    for place, row in enumerate(table.row):
        found += _points((*path, "row", place), row, ("points",), PLACES)
    return found


def of_deduction(path: Path, item: Deduction) -> list[kr.Trouble]:
    """Check a deduction."""
    found = [*_points(path, item, ("points", "each", "least"), PLACES)]
    if item.each < 0:
        found.append(_wrong((*path, "each"), item.each, _("0 or more")))
    if item.free < 0:
        found.append(_wrong((*path, "free"), item.free, _("0 or more")))
    if item.least > item.points:
        found.append(_wrong((*path, "least"), item.least, _("no more than points, {most}").format(most=item.points)))
    return found


def of_minmax(path: Path, item: Minmax) -> list[kr.Trouble]:
    """Check a place in the group."""
    found = [*_digits(path, "digits", item.digits), *_points(path, item, ("points", "least"), item.digits)]
    if item.least > item.points:
        found.append(_wrong((*path, "least"), item.least, _("no more than points, {most}").format(most=item.points)))
    if not column(item.indicator).numeric:
        found.append(_wrong((*path, "indicator"), item.indicator, _("an indicator that is a number")))
    return found


def of_list(path: Path, listed: Listed, track: Track) -> list[kr.Trouble]:
    """Check whom a prize or list names."""
    found = [
        _wrong((*path, key), getattr(listed, key), _("0 or more"))
        for key in ("top", "last")
        if getattr(listed, key) < 0
    ]
    if not (listed.top or listed.last or listed.grades or listed.when):
        found.append(_wrong(path, _("nobody named"), _("top, last, grades or when")))
    grades = [each.name for each in track.grade]
    for place, grade in enumerate(listed.grades):
        if grade not in grades:
            expected = _("a grade of the track {track}: {grades}").format(
                track=track.name, grades=", ".join(grades) or "-"
            )
            near = kr.nearest(grade, grades)
            found.append(kr.Trouble((*path, "grades", place), grade, expected, "bad-scorecard", nearest=near))
    return found


def of_steps(path: Path, steps: Sequence[Step], terms: Sequence[Sequence[Term]]) -> list[kr.Trouble]:
    """Analyse for which units each of several steps is."""
    results: list[object] = [(step.points, step.per, step.count, step.most) for step in steps]
    return _analysed(path, path, terms, (), {}, results, first=False)


def of_rows(path: Path, table: Table, terms: Sequence[Sequence[Term]], domain: Sequence[Term]) -> list[kr.Trouble]:
    """Analyse the rows of a table."""
    known = {term.column for row in terms for term in row}
    strange = next((term.column.name for term in domain if term.column not in known), None)
    if strange is not None:
        names = list(columns_of(terms))
        expected = _("a column that the rows read, in the way they do: {names}").format(names=", ".join(names) or "-")
        return [kr.Trouble((*path, "domain"), strange, expected, "bad-condition", nearest=kr.nearest(strange, names))]
    digits = table.ratio_digits
    steps = {name: Fraction(1, 10**digits) for name in _ratios(terms, domain)} if digits is not None else {}
    results: list[object] = [row.points for row in table.row]
    cliff = (table.cliff, [Fraction(row.points) for row in table.row]) if table.cliff is not None else None
    return _analysed((*path, "row"), path, terms, domain, steps, results, first=table.match == "first", cliff=cliff)


def of_grades(path: Path, track: Track, terms: Sequence[Sequence[Term]]) -> list[kr.Trouble]:
    """Analyse the grades of a track."""
    results: list[object] = [each.name for each in track.grade]
    domain: list[Term] = []
    for key, op in (("least", ">="), ("most", "<=")):
        value = getattr(track, key)
        if value is not None:
            domain += _terms("score", op, value)
    steps = {"score": Fraction(1, 10**track.digits)}
    return _analysed((*path, "grade"), (*path, "grade"), terms, domain, steps, results, first=track.match == "first")


def _terms(name: str, op: str, value: Decimal) -> Iterator[Term]:
    from kpi_scorecard.conditions import read

    yield from read(f"{name} {op} {value:f}")


def _ratios(terms: Sequence[Sequence[Term]], domain: Sequence[Term]) -> set[str]:
    return {term.column.name for row in (*terms, domain) for term in row if term.column.sort == "ratio"}


def _analysed(  # noqa: PLR0913 (what a table is: its places, its rows, what they give)
    rows_path: Path,
    path: Path,
    terms: Sequence[Sequence[Term]],
    domain: Sequence[Term],
    steps: Mapping[str, Fraction],
    results: Sequence[object],
    *,
    first: bool,
    cliff: tuple[Decimal, Sequence[Fraction]] | None = None,
) -> list[kr.Trouble]:
    """Report what the analysis of rows finds; the domain counts for columns that a row reads (of a track: `score`)."""
    columns = {term.column for row in terms for term in row}
    mixed = [each.name for each in columns if sum(other.name == each.name for other in columns) > 1]
    if mixed:
        both = _("{name} as a number and as a word").format(name=min(mixed))
        return [kr.Trouble(rows_path, both, _("either numbers or words for a column"), "bad-condition")]
    read = set(columns_of(terms))
    of_rows = [term for term in domain if term.column.name in read and term.column in columns]
    step_of = {each.name: Fraction(1) for each in columns if each.sort in {"money", "whole"}} | dict(steps)
    floors = {each.name: Fraction(0) for each in columns if each.numeric and not each.signed}
    axes = axes_of(terms, of_rows, step_of, floors)
    try:
        done = analyse(axes, terms, results, first=first)
    except TooManyCellsError:
        cells = " x ".join(str(len(axis.cells)) for axis in axes)
        expected = _("a table of fewer bounds and columns")
        return [kr.Trouble(path, _("{cells} cases").format(cells=cells), expected, "table-too-large")]
    found = [_told(rows_path, axes, each) for each in done.findings if each.kind != "gap"]
    found += _gaps(path, axes, [each for each in done.findings if each.kind == "gap"])
    if cliff is not None:
        most, points = cliff
        for each in cliffs(done, points, Fraction(most)):
            found.append(_cliff((*rows_path, each.row or 0), each.region, most))
    return found


def _told(path: Path, axes: Sequence[Axis], finding: Finding) -> kr.Trouble:
    """Say what is wrong with a row, with a case that shows it."""
    row, other = finding.row or 0, (finding.other or 0) + 1
    here = (*path, row)
    if finding.kind == "impossible":
        nothing = _("conditions that nothing can meet ({columns})").format(columns=finding.region or "-")
        return kr.Trouble(here, nothing, _("conditions that some case meets"), "row-impossible")
    if finding.kind == "overlap":
        text = _("a row that overlaps row {other} and says otherwise: {region}, for example {example}")
        expected, code = _('rows that exclude each other, or match = "first"'), "rows-overlap"
    else:
        text = _("a row that is never reached, row {other} and others come before it: {region}, for example {example}")
        expected, code = _("a row that counts in some case"), "row-unreachable"
    found = text.format(other=other, region=finding.region, example=_example(axes, finding))
    return kr.Trouble(here, found, expected, code)


def _gaps(path: Path, axes: Sequence[Axis], gaps: Sequence[Finding]) -> Iterator[kr.Trouble]:
    expected = _("a row for every case, or the domain that leaves it out; what no row covers is not scored")
    for gap in gaps[:MOST_GAPS]:
        text = _("no row for {region}, for example {example}").format(region=gap.region, example=_example(axes, gap))
        yield kr.Trouble(path, text, expected, "table-gap", "warning")
    if len(gaps) > MOST_GAPS:
        text = _("{number} more regions without a row").format(number=len(gaps) - MOST_GAPS)
        yield kr.Trouble(path, text, expected, "table-gap", "warning")


def _example(axes: Sequence[Axis], finding: Finding) -> str:
    return ", ".join(written(axes, name, value) for name, value in finding.example.items()) or _("any case")
