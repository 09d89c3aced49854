"""Charts fill the room there is, put labels of any script where they belong, and are ASCII without colours."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len
from textual.app import App

from kpi_rules_tui.widgets.charts import Band, Bar, Bars, Chart, Counts, Fan, Histogram, points, step_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

HOSTILE = ["[@click=app.quit]", "a[/b]", "\x1b[31mred", "\u202eback"]


class Stage(App[None]):
    """One chart on the whole screen."""

    def __init__(self, chart: Chart) -> None:
        super().__init__()
        self.chart = chart

    def compose(self) -> ComposeResult:
        yield self.chart


def drawn(chart: Chart, show: Callable[[], None], size: tuple[int, int] = (60, 12)) -> list[str]:
    """Return the lines of a chart; each must be as wide as the screen."""
    found: list[str] = []

    async def look() -> None:
        app = Stage(chart)
        async with app.run_test(size=size) as pilot:
            show()
            await pilot.pause()
            for line in app.screen._compositor.render_strips(app.size):
                text = "".join(segment.text for segment in line)
                assert cell_len(text) == size[0], text
                assert text.isprintable(), ascii(text)
                found.append(text.rstrip())

    asyncio.run(look())
    return found


def bars_of(*rows: Bar, series: tuple[str, ...] = ("A", "B"), size: tuple[int, int] = (60, 12)) -> list[str]:
    chart = Bars()
    return drawn(chart, lambda: chart.show("units hit", series, rows), size)


def test_bars_of_two_series_are_on_one_scale() -> None:
    lines = bars_of(Bar("市财政局", (4, 2), ("4.00", "2.00")), Bar("water", (1, 0), ("1.00", "0.00")))
    assert lines[0] == "units hit"
    assert lines[1].split() == ["A", "B"]
    four, two = (part.count("█") for part in lines[2].split("4.00"))
    assert four - 2 * two in {0, 1}  # a half of a cell is drawn as a half
    assert "4.00" in lines[2]
    assert "2.00" in lines[2]
    first = [cell_len(line[: line.index("█")]) for line in lines[2:4]]
    assert first[0] == first[1]  # a Chinese label takes two cells a character
    assert "█" not in lines[3].split("1.00")[1]  # nothing is no bar


def test_what_is_not_nothing_can_be_seen() -> None:
    lines = bars_of(Bar("much", (1000,), ("1000",)), Bar("little", (1,), ("1",)), series=("A",))
    assert "▏" in lines[2]


def test_more_rows_than_lines_are_counted() -> None:
    lines = bars_of(*(Bar(f"row {n}", (n,), (str(n),)) for n in range(30)), series=("A",), size=(40, 8))
    assert lines[-1] == "and 24 more"
    assert len([line for line in lines if line.startswith("row")]) == 6


def test_where_there_is_no_room_for_bars_the_numbers_stand_alone() -> None:
    lines = bars_of(Bar("a long label", (4, 2), ("4.00", "2.00")), size=(20, 6))
    assert "█" not in "".join(lines)
    assert "4.00" in lines[2]


@pytest.mark.parametrize("name", HOSTILE)
def test_labels_are_data(name: str) -> None:
    lines = bars_of(Bar(name, (1,), ("1",)), series=("A",))
    assert {"[@click=app.quit]": name, "a[/b]": name}.get(name, "\\") in lines[1]


def test_bins_are_the_same_for_both_series_and_hold_all_draws() -> None:
    chart = Histogram()
    a, b = Counts.of([0, 3] * 50), Counts.of([1, 7, 7, 7] * 25)
    lines = drawn(chart, lambda: chart.count("met", [("A", a), ("B", b)]))
    rows = [line.split() for line in lines[2:] if line]
    assert [row[0] for row in rows] == [str(value) for value in range(8)]
    assert [row[-1] for row in rows] == ["0.0%", "25.0%", "0.0%", "0.0%", "0.0%", "0.0%", "0.0%", "75.0%"]


@pytest.mark.parametrize(("low", "high"), [(0, 5), (0, 1_000_003), (-400_123, 38), (7, 7), (-1, 0), (123, 10**12)])
@pytest.mark.parametrize("bins", [2, 3, 9, 20])
def test_bins_fit(low: int, high: int, bins: int) -> None:
    step = step_of(low, high, bins)
    assert high // step - low // step + 1 <= bins
    assert str(step).strip("0") in {"1", "2", "5"}


def test_wide_bins_say_where_they_begin() -> None:
    chart = Histogram()
    lines = drawn(chart, lambda: chart.count("fen", [("A", Counts.of(range(1000)))], lambda fen: f"{fen:,}"))
    assert lines[1].startswith("from 0 ")
    assert [line.split()[-1] for line in lines[1:] if line][:4] == ["10.0%"] * 4


def test_nothing_counted_draws_nothing() -> None:
    chart = Histogram()
    assert drawn(chart, lambda: chart.count("met", []))[:2] == ["met", ""]


def day(month: int) -> date:
    return date(2011, month, 28)


FAN = Fan(
    known=points([(day(1), 0.1), (day(6), 0.5)]),
    pace=points([(day(month), month / 12) for month in range(1, 13)]),
    low=points([(day(6), 0.5), (day(12), 0.6)]),
    median=points([(day(6), 0.5), (day(12), 0.9)]),
    high=points([(day(6), 0.5), (day(12), 1.4)]),
)
LABELS = [(day(month).toordinal(), f"{month:02}") for month in range(1, 13)]


def test_a_band_shows_what_is_known_what_may_come_and_the_pace() -> None:
    chart = Band()
    lines = drawn(chart, lambda: chart.show("市财政局: completion", "median 90%", FAN, LABELS), (70, 20))
    assert lines[0] == "市财政局: completion"
    assert lines[1] == "median 90%"
    text = "\n".join(lines[2:-2])
    assert text.count("●") == 2
    assert all(mark in text for mark in "━╌█")
    assert [line[:5].strip() for line in lines[2:-2] if line[:5].strip()] == ["125%", "100%", "75%", "50%", "25%", "0%"]
    assert lines[-2].split()[0] == "01"
    assert lines[-1].split() == ["●", "known", "━", "median", "█", "80%", "band", "╌", "expected"]
    known = [line for line in lines[2:-2] if "●" in line]
    assert known[0].index("●") > known[1].index("●")  # it rose


def test_the_median_of_b_is_drawn_where_there_is_one() -> None:
    chart = Band()
    fan = Fan(FAN.known, (), FAN.low, FAN.median, FAN.high, points([(day(6), 0.5), (day(12), 1.3)]))
    lines = drawn(chart, lambda: chart.show("unit", "", fan, LABELS), (70, 20))
    assert "╍" in "\n".join(lines[:-2])
    assert "median of B" in lines[-1]


def test_a_band_without_room_is_said_in_words() -> None:
    chart = Band()
    lines = drawn(chart, lambda: chart.show("unit", "median 90%, 80% band 60% to 140%", FAN, LABELS), (50, 4))
    assert lines[:3] == ["unit", "median 90%, 80% band 60% to 140%", ""]


def test_what_is_beyond_the_scale_is_drawn_at_its_edge() -> None:
    chart = Band()
    fan = Fan(high=points([(day(6), 0.5), (day(12), 9.0)]), low=points([(day(6), 0.5), (day(12), 0.5)]))
    lines = drawn(chart, lambda: chart.show("unit", "", fan, LABELS), (50, 12))
    assert "200%" not in lines[-1]
    assert "█" in lines[1]


def test_without_colours_everything_is_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    band, bars = Band(), Bars()
    lines = drawn(band, lambda: band.show("unit", "", FAN, LABELS), (70, 16))
    assert "\n".join(lines).isascii()
    assert all(mark in "\n".join(lines) for mark in "o=:-")
    monkeypatch.setenv("NO_COLOR", "1")  # Textual takes it out of the environment
    lines = drawn(bars, lambda: bars.show("hit", ("A",), [Bar("x", (3,), ("3",)), Bar("y", (1,), ("1",))]))
    assert "\n".join(lines).isascii()
    assert round(lines[1].count("#") / 3) == lines[2].count("#")


def test_it_is_drawn_anew_when_the_size_changes() -> None:
    async def look() -> None:
        chart = Bars()
        app = Stage(chart)
        async with app.run_test(size=(40, 8)) as pilot:
            chart.show("hit", ("A",), [Bar("x", (3,), ("3",))])
            await pilot.pause()
            before = chart.render_line(1).text
            await pilot.resize_terminal(80, 8)
            await pilot.pause()
            after = chart.render_line(1).text
            assert (cell_len(before), cell_len(after)) == (40, 80)
            assert after.count("█") > before.count("█")

    asyncio.run(look())
