"""What `kpi.toml` may say about scorecards: one attrs class for each kind of table.

Points are decimals of at most nine places. A key without a default must be written: where published rules leave
something open (whole steps or pro rata, what a missing target does to the other weights), the workspace says it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from attrs import define

Rounding = Literal["half_up", "half_even", "down", "up"]
"""As in Python's `decimal`: ties away from zero, ties to the even neighbour, towards zero, away from zero."""

Moment = Literal["month_end", "quarter_end", "half_year_end", "mid_year", "campaign_end", "review", "year_end"]
"""When prizes, lists and reports of what no row covers are looked at."""


@define(frozen=True)
class Grade:
    """A grade of a track: its conditions read `score`, the track's total, and may read any indicator."""

    name: str
    when: tuple[str, ...] = ()


@define(frozen=True)
class Track:
    """A scorecard: a sum of items under one name (M11).

    `missing` says what an item without a target does: with `rescale` the total of the others is stretched to the
    weight of all, with `leave` it is not. `least` and `most` bound the total, both inclusive.
    """

    name: str
    missing: Literal["rescale", "leave"]
    label: str = ""
    digits: int = 9
    rounding: Rounding = "half_up"
    least: Decimal | None = None
    most: Decimal | None = None
    at: Moment = "year_end"
    match: Literal["one", "first"] = "one"
    grade: tuple[Grade, ...] = ()


@define(frozen=True)
class Step:
    """Points for every step over or short of a target: `points` for each `per`.

    `count` says what counts as a step: `whole` steps only, a `started` step as a whole one, or `pro_rata` any part of
    one. `most` is the most points in all. `when` says for which units, where the step differs between them.
    """

    points: Decimal
    per: Decimal
    count: Literal["whole", "started", "pro_rata"]
    most: Decimal | None = None
    when: tuple[str, ...] = ()


@define(frozen=True)
class Item:
    """Points for an indicator against a target; exactly at the target it is worth `points`.

    Attributes:
        name: the item's name in its track; its points are the indicator `score_<track>_<name>`.
        indicator: what is measured.
        points: what meeting the target is worth, which is also the item's weight in its track.
        below: short of the target `proportional` points, `zero`, `steps` of malus, or the `full` points.
        above: over it the `full` points, `proportional` ones, `steps` of bonus, or up to `stretch_points` more,
            growing evenly up to the stretch target.
        target: the quota in force, the `original` one, the `phased` one (quota times the share expected by the day),
            the `stretch` one, or a `fixed` number.
        fixed: the number for `target = "fixed"`, such as `0.6`, `60%`, `1000万`.
        better: whether `more` or `less` of the indicator is better.
        step_of: steps are a `share` of the target, or a `difference` in the indicator's own unit (money: yuan).
        ratio_digits: the ratio to the target is rounded to so many digits before anything is computed from it.
        least, most: bounds of the item's points, both inclusive.
        digits, rounding: of the item's points.
        cliff: report a jump of more points than this.
    """

    name: str
    indicator: str
    points: Decimal
    below: Literal["proportional", "zero", "steps", "full"]
    above: Literal["full", "proportional", "steps", "stretch"]
    track: str = ""
    label: str = ""
    target: Literal["quota", "original", "phased", "stretch", "fixed"] = "quota"
    fixed: str = ""
    better: Literal["more", "less"] = "more"
    step_of: Literal["share", "difference"] = "share"
    bonus: tuple[Step, ...] = ()
    malus: tuple[Step, ...] = ()
    stretch_points: Decimal | None = None
    ratio_digits: int | None = None
    least: Decimal | None = None
    most: Decimal | None = None
    digits: int = 9
    rounding: Rounding = "half_up"
    cliff: Decimal | None = None


@define(frozen=True)
class Row:
    """A row of a table: what it is worth where all of its conditions hold."""

    points: Decimal
    when: tuple[str, ...] = ()


@define(frozen=True)
class Table:
    """Points by tiers, of one column or of several jointly; the greatest points of a row are its weight.

    Attributes:
        match: with `one` rows may not overlap unless they say the same; with `first` the first that holds counts.
        row: the rows, in order.
        domain: what the inputs can be, as conditions; gaps outside of it are not reported.
        ratio_digits, rounding: ratios are rounded to so many digits before they are compared.
        cliff: report neighbouring rows that differ by more points than this.
    """

    name: str
    row: tuple[Row, ...]
    track: str = ""
    label: str = ""
    match: Literal["one", "first"] = "one"
    domain: tuple[str, ...] = ()
    ratio_digits: int | None = None
    rounding: Rounding = "half_up"
    cliff: Decimal | None = None


@define(frozen=True)
class Deduction:
    """Points off for each of something counted: `points` less `each` for every one beyond the first `free`.

    Nothing goes below `least`. The weight is `points`.
    """

    name: str
    indicator: str
    points: Decimal
    each: Decimal
    least: Decimal
    track: str = ""
    label: str = ""
    free: int = 0


@define(frozen=True)
class Minmax:
    """Points by place between the least and the most of the peer group: `least` there, `points` at the best.

    `equal` says what everybody gets where all are equal: `full` points, the `least`, or nothing to assess (`na`).
    """

    name: str
    indicator: str
    points: Decimal
    equal: Literal["full", "least", "na"]
    track: str = ""
    label: str = ""
    better: Literal["more", "less"] = "more"
    least: Decimal = Decimal(0)
    digits: int = 9
    rounding: Rounding = "half_up"


@define(frozen=True)
class Veto:
    """A condition that shuts a unit out of the ranking and prizes of a track (`exclude`), or sets its total to 0."""

    name: str
    when: tuple[str, ...]
    effect: Literal["exclude", "zero"]
    track: str = ""


@define(frozen=True)
class Listed:
    """Who is named: the `top` ranks, the `last` ranks, some `grades`, all with further conditions.

    With `until` the measure is a state that ends when all of its conditions hold, else a one-off. `at` is the track's
    moment unless said otherwise. Ties share a rank, so more units than `top` may be named.
    """

    name: str
    track: str = ""
    label: str = ""
    top: int = 0
    last: int = 0
    grades: tuple[str, ...] = ()
    when: tuple[str, ...] = ()
    until: tuple[str, ...] = ()
    at: Literal["", Moment] = ""


@define(frozen=True)
class Prize(Listed):
    """A prize; `amount` is money, such as `5万`, or empty."""

    amount: str = ""


@define(frozen=True)
class RedList(Listed):
    """A place on the red list, for units that do well."""


@define(frozen=True)
class BlackList(Listed):
    """A place on the black list, for units that do badly."""
