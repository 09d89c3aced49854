from __future__ import annotations

from kpi_rules_tui.panes.outcomes import chance, points, signed


def test_estimates_are_written_as_what_they_are_worth() -> None:
    assert [chance(share) for share in (0.0, 0.0001, 0.5, 0.99999, 1.0, None)] == [
        "0%",
        "<0.1%",
        "50.0%",
        ">99.9%",
        "100%",
        "",
    ]
    assert [points(share) for share in (0.0, 0.0123, -1.0, 0.0001, -0.0001)] == [
        "0",
        "+1.2",
        "-100.0",
        "+<0.1",
        "-<0.1",
    ]
    assert signed(0.5) == "+0.50"
