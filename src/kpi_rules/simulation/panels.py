"""Panels of charts: bars with intervals, signed bars, histograms, each made from rows that it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from kpi_rules.locale import _
from kpi_rules.model.text import safe
from kpi_rules.simulation.drawing import FONTS
from kpi_rules.simulation.result import quantiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import altair as alt
    from numpy.typing import NDArray

    from kpi_rules.workspace.workspace import Workspace

    Chart: TypeAlias = alt.LayerChart | alt.VConcatChart

MOST: Final = 120
"""Bars in one panel; of more the first are drawn, and how many there are is said."""

WIDTH: Final = 480
FEN: Final = 1_000_000
"""In 10,000 yuan, the unit of axes of money."""

BAR: Final = 15
"""Height of a bar with its gap."""

INK: Final = "#1f4e79"
LIGHT: Final = "#9dbcd8"
LESS: Final = "#b5483a"
QUIET: Final = "#8a8a8a"


def bars(rows: Sequence[Mapping[str, object]], title: str) -> alt.LayerChart:
    """Draw chances as bars in the order given, each with its interval: `unit, chance, low, high`."""
    import altair as alt

    base = alt.Chart(alt.InlineData(values=list(rows[:MOST]))).encode(y=_units())
    x = alt.X("chance:Q", title=None, axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1]))
    interval = base.mark_rule(color="black").encode(x="low:Q", x2="high:Q")
    return _bars([base.mark_bar(color=LIGHT).encode(x=x), interval], rows, title)


def signed(rows: Sequence[Mapping[str, object]], title: str) -> alt.LayerChart:
    """Draw differences of chances as bars to the right or left of 0: `unit, difference, low, high`."""
    import altair as alt

    base = alt.Chart(alt.InlineData(values=list(rows[:MOST]))).encode(y=_units())
    x = alt.X("difference:Q", title=None, axis=alt.Axis(format="+%"))
    color = alt.condition("datum.difference < 0", alt.value(LESS), alt.value(INK))
    interval = base.mark_rule(color="black").encode(x="low:Q", x2="high:Q")
    return _bars([base.mark_bar().encode(x=x, color=color), interval], rows, title)


def histogram(values: NDArray[np.int64], title: str) -> alt.LayerChart:
    """Draw how a whole number, one a draw, is distributed; the line is the median, the shade the band of 80%."""
    import altair as alt

    low, median, high = quantiles(values, (10, 50, 90))
    distinct, counts = np.unique(values, return_counts=True)
    shares = zip(distinct.tolist(), (counts / len(values)).tolist(), strict=True)
    rows = [{"value": value, "from": value - 0.45, "to": value + 0.45, "share": share} for value, share in shares]
    x = alt.X("from:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(tickMinStep=1, format="d"))
    y = alt.Y("share:Q", title=_("share of draws"), axis=alt.Axis(format="%"))
    columns = alt.Chart(alt.InlineData(values=rows)).mark_bar(color=LIGHT).encode(x=x, x2="to:Q", y=y, y2=alt.datum(0))
    band = alt.Chart(alt.InlineData(values=[{"from": low - 0.5, "to": high + 0.5}]))
    middle = alt.Chart(alt.InlineData(values=[{"median": median}])).mark_rule(color=INK, size=2).encode(x="median:Q")
    shade = band.mark_rect(color=QUIET, opacity=0.15).encode(x="from:Q", x2="to:Q")
    return alt.LayerChart(layer=[shade, columns, middle]).properties(width=WIDTH, height=160, title=title)


def _units() -> alt.Y:
    import altair as alt

    return alt.Y("unit:N", sort=None, title=None, axis=alt.Axis(labelLimit=240))


def _bars(layers: list[alt.Chart], rows: Sequence[object], title: str) -> alt.LayerChart:
    import altair as alt

    if len(rows) > MOST:
        title = _("{title}; {shown} of {count} units").format(title=title, shown=MOST, count=len(rows))
    height = BAR * max(min(len(rows), MOST), 2)
    return alt.LayerChart(layer=layers).properties(width=WIDTH, height=height, title=title)


def page(chart: Chart, title: str, lines: Sequence[str]) -> Chart:
    """Put a title and lines of text above a chart."""
    import altair as alt

    heading = alt.TitleParams(safe(title), subtitle=list(lines), anchor="start")
    shown: Chart = chart.properties(title=heading).configure(font=", ".join(FONTS))
    return shown


def labels(workspace: Workspace, units: Iterable[str]) -> dict[str, str]:
    """Return ids and names of units as one text each, no control character in it."""
    named = dict(workspace.tables.units.select("unit", "name").iter_rows())
    return {unit: safe(" ".join(filter(None, (unit, named.get(unit))))) for unit in units}
