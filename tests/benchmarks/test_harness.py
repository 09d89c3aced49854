"""The clock and the table."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

from rich.console import Console

from benchmarks.harness import Line, Target, compared, human, interleave, ratio, show, write_json

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = {"ours": [1.0, 2.0, 1.0], "peer": [3.0, 6.0, 9.0]}


def test_contenders_take_turns_in_an_order_that_rotates() -> None:
    calls: list[str] = []
    seconds = interleave({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, 2, loops={"b": 2})
    assert "".join(calls) == "ab" + "abb" + "bba"  # warm-up, first round, second round
    assert {name: len(times) for name, times in seconds.items()} == {"a": 2, "b": 2}


def test_a_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    assert ratio(SECONDS, "peer", "ours") == 3.0


def test_lines_say_whether_a_target_is_reached() -> None:
    ours, peer = compared("s", SECONDS, "ours", {"peer": Target(at_least=3.5)})
    assert (ours.value, ours.reached) == (None, None)
    assert (peer.value, peer.reached) == (3.0, False)
    assert Target(at_most=1.0).reached(1.0)
    assert not Target(at_most=1.0).reached(1.1)


def test_figures_have_fitting_units() -> None:
    assert [human(v, "s") for v in (1.5, 0.0123, 4.5e-6)] == ["1.5 s", "12.3 ms", "4.5 µs"]
    assert human(2**31, "bytes") == "2,048 MiB"
    assert human(None, "s") == "-"
    assert Target(at_most=2**31).text("bytes") == "<= 2,048 MiB"
    assert Target(at_least=1 / 3).text("x") == ">= 0.33 x"


def test_the_table_shows_scenario_ratio_and_target() -> None:
    out = io.StringIO()
    show(compared("s", SECONDS, "ours", {"peer": Target(at_least=3.5)}), Console(file=out, width=120))
    assert "3.00 x" in out.getvalue()
    assert ">= 3.50 x" in out.getvalue()
    assert "NO" in out.getvalue()


def test_json_holds_the_lines_and_the_machine(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    write_json([Line("s", "c", 1.0, "s", 2.0, "seconds", Target(at_most=3))], path, quick=True)
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["quick"] is True
    assert content["lines"][0]["target"] == "<= 3 s"
    assert content["lines"][0]["reached"] is True
