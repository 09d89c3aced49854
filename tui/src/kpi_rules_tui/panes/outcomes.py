"""What a trial found, as the tables of the pane Simulate: A alone, or A and B beside each other with the difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from attrs import define

import kpi_rules as kr
from kpi_rules_tui.amounts import percent
from kpi_rules_tui.texts import N_, _, label_of
from kpi_rules_tui.widgets.table import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl

    from kpi_rules_tui.amounts import Scale
    from kpi_rules_tui.trial import Trial
    from kpi_rules_tui.widgets.table import Tone

NOTHING: Final = "0"


# -- how estimates are written ---------------------------------------------------------------------------------------


def chance(share: float | None) -> str:
    """Write a chance; 0% and 100% are what no and every draw has."""
    if share is None:
        return ""
    text = percent(share)
    if text == "0.0%":
        return "<0.1%" if share > 0 else "0%"
    if text == "100.0%":
        return ">99.9%" if share < 1 else "100%"
    return text


def signed(value: float | None, places: int = 2) -> str:
    """Write a difference with its sign; `0` where there is none in any draw."""
    if value is None:
        return ""
    text = f"{value:+.{places}f}"
    if value and not text.strip("+-0."):
        return f"{text[0]}<{text[1:-1]}1"
    return text if value else NOTHING


def points(difference: float | None) -> str:
    """Write a difference of chances in percentage points with its sign."""
    return "" if difference is None else signed(difference * 100, 1)


def number(value: float | None) -> str:
    """Write a mean number."""
    return "" if value is None else f"{value:.2f}"


# -- the views -------------------------------------------------------------------------------------------------------


@define(frozen=True)
class View:
    """A table: its title, the column that a row is known by, the frame, and the columns that there is room for."""

    title: str
    key: str
    frame: Callable[[Trial], pl.DataFrame]
    columns: Callable[[Trial, Scale, bool], list[Column]]
    empty: str = N_("nothing")


def _names(trial: Trial) -> pl.DataFrame:
    """Return what units are called, by id."""
    import polars as pl

    units = trial.saved.tables.units
    return units.select("unit", shown=pl.coalesce("name", "unit"))


def _labels(trial: Trial) -> Mapping[str, str]:
    """Return what the rules of both variants are called, by id."""
    rules: dict[str, kr.Rule] = {}
    for _letter, each in reversed(trial.variants):
        rules.update(each.past.workspace.plugins.rules)
    return {name: label_of(rule) for name, rule in rules.items()}


def _labelled(frame: pl.DataFrame, trial: Trial, of: str = "rule") -> pl.DataFrame:
    import polars as pl

    labels = {**_labels(trial), "": _("meets the task")}
    return frame.with_columns(called=pl.col(of).replace(labels))


def _with_key(frame: pl.DataFrame, *parts: str) -> pl.DataFrame:
    """Add a column that a row is known by."""
    import polars as pl

    return frame.with_columns(pl.concat_str(parts, separator="\t", ignore_nulls=True).alias("line"))


def _band(row: Mapping[str, Any], of: str = "") -> str:
    """Write the band of completion, of A or of B."""
    return kr.span(row[f"q10{of}"], row[f"q90{of}"], percent)


def _unit(*, wide: bool) -> Column:
    return Column("shown", _("unit"), most=26 if wide else 14)


def _differs(row: dict[str, Any]) -> Tone:
    return "mark" if row["low"] or row["high"] else "dim"


def _difference(write: Callable[[float | None], str], title: str, *, wide: bool) -> list[Column]:
    """Return the columns of a difference: the number with its sign, and its interval."""
    return [
        Column("difference", title, lambda row: write(row["difference"]), _differs, right=True, whole=True),
        Column(
            "low",
            _("95% interval") if wide else _("95% int."),
            lambda row: kr.span(row["low"], row["high"], write),
            lambda _row: "dim",
            right=True,
            whole=True,
        ),
    ]


def _interval(row: dict[str, Any]) -> str:
    return kr.span(row["chance_low"], row["chance_high"], chance)


def units_frame(trial: Trial) -> pl.DataFrame:
    """Return a row for each unit with a task at the last day: chances, their interval or difference, completion."""
    import polars as pl

    last = pl.col("tick") == trial.until
    found = trial.a.units.filter(last).join(_names(trial), on="unit", how="left", maintain_order="left")
    if trial.b is None or trial.comparison is None:
        return found
    compared = trial.comparison.units.filter(last).select("unit", "chance_b", "difference", "low", "high")
    quantiles = trial.b.units.filter(last).select("unit", q10_b="q10", q50_b="q50", q90_b="q90", quota_b="quota")
    return found.join(compared, on="unit", how="left", maintain_order="left").join(
        quantiles, on="unit", how="left", maintain_order="left"
    )


def _units_columns(trial: Trial, scale: Scale, wide: bool) -> list[Column]:  # noqa: FBT001 (one shape for all views)
    band = Column("q10", _("80% band"), _band, right=True, whole=True)
    quota = Column("quota", _("quota") + scale.beside, scale.show, right=True)
    if trial.b is None:
        return [
            _unit(wide=wide),
            Column("chance", _("chance"), chance, _likely, right=True),
            Column("chance_low", _("95% interval"), _interval, lambda _row: "dim", right=True, whole=True),
            Column("q50", _("median"), percent, right=True),
            band,
            *([quota] if wide and _money(trial) else []),
        ]
    both = [
        Column("q10", _("80% band A"), _band, right=True, whole=True),
        Column("q10_b", _("80% band B"), lambda row: _band(row, "_b"), right=True, whole=True),
    ]
    return [
        _unit(wide=wide),
        Column("chance", "A", chance, _likely, right=True),
        Column("chance_b", "B", chance, _likely, right=True),
        *_difference(points, _("B less A"), wide=wide),
        Column("q50", _("median A"), percent, right=True),
        Column("q50_b", _("median B"), percent, right=True),
        *(both if wide else []),
    ]


def _money(trial: Trial) -> bool:
    """Say whether the task is money."""
    config = trial.saved.config
    return config is not None and config.primary == "funds"


def _likely(share: float | None) -> Tone:
    if share is None:
        return "dim"
    return "good" if share >= 0.8 else "bad" if share < 0.2 else ""  # noqa: PLR2004 (four out of five draws)


def rules_frame(trial: Trial) -> pl.DataFrame:
    """Return a row for each rule: how many units it hits on average, surely and possibly, in each variant."""
    import polars as pl

    found: pl.DataFrame | None = None
    for letter, each in trial.variants:
        counted = each.rules.group_by("rule").agg(
            pl.col("chance").sum().alias(f"units_{letter}"),
            (pl.col("chance") == 1).sum().alias(f"sure_{letter}"),
            pl.len().alias(f"possible_{letter}"),
            pl.when(pl.col("months").is_not_null().any()).then(pl.col("months").sum()).alias(f"months_{letter}"),
        )
        found = counted if found is None else found.join(counted, on="rule", how="full", coalesce=True)
    assert found is not None  # noqa: S101 (there is an A)
    counts = [pl.col(f"{name}_{letter}").fill_null(0) for letter, _s in trial.variants for name in COUNTS]
    found = found.with_columns(counts)
    if trial.b is not None:
        found = found.with_columns(difference=pl.col("units_B") - pl.col("units_A"))
    return _labelled(found.sort("units_A", "rule", descending=[True, False]), trial)


COUNTS: Final = ("units", "sure", "possible")


def _rules_columns(trial: Trial, scale: Scale, wide: bool) -> list[Column]:  # noqa: FBT001 (one shape for all views)
    del scale
    measure = Column("called", _("measure"), most=40 if wide else 26)
    if trial.b is None:
        return [
            measure,
            Column("units_A", _("units hit, mean"), number, right=True),
            Column("sure_A", _("surely"), right=True),
            Column("possible_A", _("possibly"), right=True),
            Column("months_A", _("months, mean"), number, right=True),
        ]
    both: list[tuple[str, str, Callable[[Any], str]]] = [
        (_("units hit"), "units", number),
        *([(_("surely"), "sure", str), (_("possibly"), "possible", str)] if wide else []),
        (_("months"), "months", number),
    ]
    hit, *rest = (
        [Column(f"{name}_{letter}", f"{title} {letter}", write, right=True) for letter in "AB"]
        for title, name, write in both
    )
    differ = Column("difference", _("B less A"), signed, lambda value: "mark" if value else "dim", right=True)
    return [measure, *hit, differ, *(column for pair in rest for column in pair)]


def measures_frame(trial: Trial) -> pl.DataFrame:
    """Return a row for each unit and rule that hits it in some draw."""
    found = trial.a.rules if trial.comparison is None else trial.comparison.rules
    named = found.join(_names(trial), on="unit", how="left", maintain_order="left")
    return _with_key(_labelled(named, trial), "unit", "rule")


def _measures_columns(trial: Trial, scale: Scale, wide: bool) -> list[Column]:  # noqa: FBT001 (one shape for all views)
    del scale
    measure = Column("called", _("measure"), most=40 if wide else 22)
    if trial.comparison is None:
        return [
            _unit(wide=wide),
            measure,
            Column("chance", _("chance"), chance, right=True),
            Column("chance_low", _("95% interval"), _interval, lambda _row: "dim", right=True, whole=True),
            Column("months", _("months, mean"), number, right=True),
        ]
    months = [
        Column("months", _("months"), signed, right=True),
        Column(
            "months_low",
            _("95% interval"),
            lambda row: kr.span(row["months_low"], row["months_high"], signed),
            right=True,
            whole=True,
        ),
    ]
    return [
        _unit(wide=wide),
        measure,
        Column("chance_a", "A", chance, right=True),
        Column("chance_b", "B", chance, right=True),
        *_difference(points, _("B less A"), wide=wide),
        *(months if wide else []),
    ]


def money_frame(trial: Trial) -> pl.DataFrame:
    """Return the totals of A, of B, and of B less A in a draw, with the 95% interval of its mean."""
    import polars as pl

    frames = [each.totals.select(pl.lit(letter).alias("variant"), pl.all()) for letter, each in trial.variants]
    if trial.comparison is not None:
        quantiles = [pl.col(name).cast(pl.Float64) for name in frames[0].columns if name.startswith("q")]
        differ = trial.comparison.totals.select(
            pl.lit("B-A").alias("variant"), "what", pl.col("difference").alias("mean"), *quantiles, "low", "high"
        )
        frames.append(differ)
    found = pl.concat(frames, how="diagonal")
    order = {what: place for place, what in enumerate(kr.totals_called())}
    words = kr.totals_called()
    found = found.with_columns(
        called=pl.Series([words.get(what, what) for what in found["what"]], dtype=pl.String),
        place=pl.Series([order.get(what, len(order)) for what in found["what"]], dtype=pl.Int64),
    )
    return _with_key(found.sort("place", "variant", maintain_order=True), "what", "variant")


def _money_columns(trial: Trial, scale: Scale, wide: bool) -> list[Column]:  # noqa: FBT001 (one shape for all views)
    def write(row: dict[str, Any], name: str) -> str:
        value = row[name]
        if value is None:
            return ""
        differs = row["variant"] == "B-A"
        if row["what"] == "met":
            mean = name in {"mean", "low", "high"}
            return signed(value, 2 if mean else 0) if differs else f"{value:.{2 if mean else 0}f}"
        return scale.signed(round(value)) if differs else scale.show(round(value))

    def quantile(name: str, title: str) -> Column:
        return Column(name, title, lambda row: write(row, name), right=True, whole=True)

    def between(row: dict[str, Any], low: str, high: str) -> str:
        ends = (write(row, low), write(row, high))
        return _("{low} to {high}").format(low=ends[0], high=ends[1]) if all(ends) else ""

    band = Column("q10", _("80% band"), lambda row: between(row, "q10", "q90"), right=True, whole=True)
    interval = Column(
        "low", _("95% of mean"), lambda row: between(row, "low", "high"), lambda _row: "dim", right=True, whole=True
    )
    apart = trial.comparison is not None
    more = [quantile("q05", "5%"), quantile("q25", "25%"), quantile("q75", "75%"), quantile("q95", "95%")]
    return [
        Column("called", _("what") + scale.beside, most=32 if wide else 25),
        *([Column("variant", "", _variant, lambda value: "mark" if value == "B-A" else "")] if apart else []),
        quantile("mean", _("mean")),
        *([interval] if apart else []),
        quantile("q50", _("median")),
        band,
        *(more if wide else []),
    ]


def _variant(value: str) -> str:
    return _("B less A") if value == "B-A" else value


def changed_frame(trial: Trial) -> pl.DataFrame:
    """Return who changes: a row for each unit and each thing that is otherwise in some draw."""
    import polars as pl

    if trial.comparison is None:
        return pl.DataFrame(schema=dict.fromkeys(("unit", "what", "line", "shown", "called"), pl.String))
    named = trial.comparison.changed.join(_names(trial), on="unit", how="left", maintain_order="left")
    return _with_key(_labelled(named, trial, "what"), "unit", "what")


def _changed_columns(trial: Trial, scale: Scale, wide: bool) -> list[Column]:  # noqa: FBT001 (one shape for all views)
    del trial, scale
    return [
        _unit(wide=wide),
        Column("called", _("what"), most=40 if wide else 26),
        Column("a_only", _("in A alone"), chance, right=True),
        Column("b_only", _("in B alone"), chance, right=True),
    ]


def assumptions_frame(trial: Trial) -> pl.DataFrame:
    """Return what is assumed, of B too where it assumes something else."""
    import polars as pl

    frames = [trial.a.assumptions.with_columns(variant=pl.lit("A" if trial.b is not None else ""))]
    if trial.b is not None and not trial.b.assumptions.equals(trial.a.assumptions):
        frames.append(trial.b.assumptions.with_columns(variant=pl.lit("B")))
    elif trial.b is not None:
        frames = [frames[0].with_columns(variant=pl.lit("A, B"))]
    found = pl.concat(frames)
    words = [_("too little to rely on: widened") if each else _("enough") for each in found["little"]]
    return _with_key(
        found.with_columns(enough=pl.Series(words, dtype=pl.String)),
        "variant",
        "model",
        "indicator",
        "what",
        "about",
        "value",
    )


def _assumptions_columns(
    trial: Trial,
    scale: Scale,
    wide: bool,  # noqa: FBT001 (one shape for all views)
) -> list[Column]:
    del scale
    return [
        *([Column("variant", "")] if trial.b is not None else []),
        Column("what", _("what"), most=44 if wide else 24),
        Column("about", _("about"), lambda text: text or _("all"), most=16),
        Column(
            "enough", _("rests on enough?"), lambda row: row["enough"], _little, whole=True, most=32 if wide else 30
        ),
        Column("indicator", _("indicator"), lambda text: text or _("all"), most=16),
        Column("value", _("value"), most=60),
        Column("basis", _("rests on"), most=80),
        Column("model", _("forecast")),
    ]


def _little(row: dict[str, Any]) -> Tone:
    return "warn" if row["little"] else ""


VIEWS: Final[Mapping[str, View]] = {
    "units": View(N_("Units"), "unit", units_frame, _units_columns, N_("no unit has a task to come")),
    "rules": View(N_("Rules"), "rule", rules_frame, _rules_columns, N_("no measure in any draw")),
    "measures": View(N_("Measures"), "line", measures_frame, _measures_columns, N_("no measure in any draw")),
    "money": View(N_("Money"), "line", money_frame, _money_columns),
    "changed": View(N_("Who changes"), "line", changed_frame, _changed_columns, N_("nothing differs in any draw")),
    "assumptions": View(N_("Assumptions"), "line", assumptions_frame, _assumptions_columns),
}
"""The views by id, in the order in which they follow each other."""


def fan_words(row: Mapping[str, Any], day: object) -> str:
    """Say where a unit's completion ends."""
    return _("{day}: median {median}, 80% band {band}").format(day=day, median=percent(row["q50"]), band=_band(row))
