"""`kpi.toml` to `Config`: what is read, and what is wrong, all at once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from kpi_rules.workspace.config import ReadConfig, config_from_dict, name_problems, read_config

YEAR = "[year]\nstart = 2011-01-01\nend = 2011-12-31\n"
WORKED_EXAMPLE = Path(__file__).parents[2] / "examples" / "worked-example" / "kpi.toml"


def codes(read: ReadConfig) -> list[tuple[str, str, int | None]]:
    return [(problem.code, problem.place.key, problem.place.line) for problem in read.problems]


def test_worked_example() -> None:
    read = read_config(WORKED_EXAMPLE.read_bytes())
    assert read.problems == []
    config = read.config
    assert config is not None
    assert (config.year.start, config.year.end, config.tolerance) == (
        date(2011, 1, 1),
        date(2011, 12, 31),
        Decimal("0.10"),
    )
    assert [(each.id, each.share) for each in config.campaigns] == [("hundred_days", Fraction(2, 5))]
    assert [source.source for source in config.tables if source.table == "arrivals"] == ["evidence/arrivals.csv"]
    assert config.enabled == ("pay_withholding", "field_duty", "rewards", "supervision")
    assert list(read.sections) == list(config.enabled)


def test_defaults() -> None:
    config = read_config(YEAR).config
    assert config is not None
    assert (config.name, config.currency, config.primary, config.pace_curve) == ("", "CNY", "funds", "months")
    assert (config.tolerance, config.unvisited, config.pay_component) == (Decimal(0), "none", "")


def test_memory_reads_as_the_file_does() -> None:
    raw = {
        "workspace": {"name": "in memory"},
        "year": {"start": date(2011, 1, 1), "end": date(2011, 12, 31), "reviews": (date(2011, 4, 15),)},
        "pace": {"curve": "days", "tolerance": 0.1},
        "campaign": [{"id": "wave", "start": date(2011, 3, 1), "end": date(2011, 3, 31), "share": 0.35}],
    }
    read = config_from_dict(raw)
    assert read.problems == []
    assert read.config is not None
    assert read.config.tolerance == Decimal("0.1")
    assert read.config.campaigns[0].share == Fraction(7, 20)
    assert read.config.campaigns[0].name == "wave"
    assert read.config.year.reviews == (date(2011, 4, 15),)


def test_memory_of_any_shape_is_only_a_problem() -> None:
    for value in (None, 1, float("nan"), b"x", [None], [[]], {1: 2}, {"start": None}, ({},), object()):
        for section in ("workspace", "year", "pace", "campaign", "tables", "checks", "plugins"):
            read = config_from_dict({"year": {"start": date(2011, 1, 1), "end": date(2011, 12, 31)}, section: value})
            assert read.problems
            assert all(problem.message for problem in read.problems)


def test_pace_points() -> None:
    text = (
        YEAR
        + '[pace]\ncurve = "table"\n[[pace.point]]\non = 2011-06-30\nshare = 0.5\n'
        + "[[pace.point]]\non = 2011-03-31\nshare = 0.2\n"
    )
    config = read_config(text).config
    assert config is not None
    assert config.pace_points == ((date(2011, 3, 31), Fraction(1, 5)), (date(2011, 6, 30), Fraction(1, 2)))


def test_sources_of_tables() -> None:
    text = YEAR + (
        '[tables]\narrivals = ["a.csv", {source = "b.csv", encoding = "gb18030", columns = {"到账" = "amount"}}]\n'
        'staff = {source = "sqlite:///hr.db", table = "persons"}\n'
        'units = "units.xlsx#单位"\n'
    )
    read = read_config(text)
    assert read.problems == []
    assert read.config is not None
    found = [(each.table, each.source, dict(each.columns), each.encoding, each.db_table) for each in read.config.tables]
    assert found == [
        ("units", "units.xlsx#单位", {}, None, None),
        ("arrivals", "a.csv", {}, None, None),
        ("arrivals", "b.csv", {"到账": "amount"}, "gb18030", None),
        ("staff", "sqlite:///hr.db", {}, None, "persons"),
    ]


def test_byte_order_mark_and_windows_line_ends() -> None:
    data = b"\xef\xbb\xbf" + (YEAR + "[pace]\r\ntolerance = 2\r\n").encode()
    read = read_config(data)
    assert codes(read) == [("out-of-bounds", "pace.tolerance", 5)]


EDGES = (("start", 2), ("end", 3))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[year]\nstart = 2011-01-02\nend = 2011-12-31", [("year-not-at-month-edge", "year.start", 2)]),
        ("[year]\nstart = 2011-01-01\nend = 2011-12-30", [("year-not-at-month-edge", "year.end", 3)]),
        ("[year]\nstart = 2011-07-01\nend = 2011-06-30", [("end-before-start", "year.end", 3)]),
        ("[year]\nstart = 2011-01-01\nend = 2012-01-31", [("year-too-long", "year.end", 3)]),
        ("[year]\nstart = 9999-01-01\nend = 9999-12-31", [("year-out-of-range", f"year.{k}", n) for k, n in EDGES]),
        ("[year]\nstart = 0001-01-01\nend = 0001-12-31", [("year-out-of-range", f"year.{k}", n) for k, n in EDGES]),
        ("[year]\nstart = 1899-12-01\nend = 1900-11-30", [("year-out-of-range", "year.start", 2)]),
        ("[year]\nstart = 2199-02-01\nend = 2200-01-31", [("year-out-of-range", "year.end", 3)]),
        ("[year]\nstart = 2011-01-01", [("missing-key", "year.end", 1)]),
        (
            '[year]\nstart = "2011-01-01"\nend = 2011-12-31T00:00:00',
            [("wrong-kind", "year.start", 2), ("wrong-kind", "year.end", 3)],
        ),
        ("year = 2011", [("wrong-kind", "year", 1)]),
        ("", [("empty-file", "", None)]),
        ("# nothing", [("missing-section", "year", None)]),
    ],
)
def test_without_a_usable_year_nothing_is_usable(text: str, expected: list[tuple[str, str, int | None]]) -> None:
    read = read_config(text)
    assert read.usable is None
    assert codes(read) == expected


@pytest.mark.parametrize("year", ["", "[year]\nstart = 2011-01-01\n", "[yaer]\nstart = 2011-01-01\nend = 2011-12-31\n"])
def test_without_a_usable_year_the_rest_is_read(year: str) -> None:
    campaign = '[[campaign]]\nid = "c"\nstart = 1890-01-01\nend = 1890-02-01\nshare = 0.3\n'
    read = read_config(f'{year}[pace]\ncurve = "days"\ntolerance = 10\n{campaign}')
    assert read.usable is None
    assert read.config is not None
    assert len(read.config.campaigns) == 1
    keys = [problem.place.key.partition(".")[0] for problem in read.problems]
    assert sorted(keys) == ["pace", "year"]  # no date is outside of a year that is not known


@pytest.mark.parametrize("year", [1900, 2199])
def test_the_first_and_the_last_year(year: int) -> None:
    read = read_config(f"[year]\nstart = {year}-01-01\nend = {year}-12-31")
    assert codes(read) == []
    assert read.usable is read.config is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("reviews = [2011-04-15, 2012-01-01]", [("outside-year", "year.reviews[2]", 4)]),
        ("reviews = [2012-04-15, 3]", [("wrong-kind", "year.reviews[2]", 4), ("outside-year", "year.reviews[1]", 4)]),
        ("[pace]\ntolerance = 1.01", [("out-of-bounds", "pace.tolerance", 5)]),
        ("[pace]\ntolerance = nan", [("wrong-kind", "pace.tolerance", 5)]),
        ("[pace]\ntolerance = 1e999999999", [("wrong-kind", "pace.tolerance", 5)]),
        ("[pace]\ntolerance = true", [("wrong-kind", "pace.tolerance", 5)]),
        ("[pace]\ntolerance = 0.1234567891", [("out-of-bounds", "pace.tolerance", 5)]),
        ('[pace]\ncurve = "table"', [("no-pace-points", "pace.curve", 5)]),
        ("[[pace.point]]\non = 2011-02-01\nshare = 0.5", [("unused-pace-points", "pace.point", 4)]),
        ('[credit]\nunvisited = "voucher"', [("unknown-choice", "credit.unvisited", 5)]),
        ('[checks]\nabove_contract = "exclud"', [("unknown-choice", "checks.above_contract", 5)]),
        ("[workspace]\nnmae = 1", [("unknown-key", "workspace.nmae", 5)]),
        ("campaign = 3", [("unknown-key", "year.campaign", 4)]),
        ('[campaign]\nid = "x"', [("wrong-kind", "campaign", 4)]),
        ('[plugins]\nenabled = "rewards"', [("wrong-kind", "plugins.enabled", 5)]),
        ("[tables]\nunit = 'units.csv'", [("unknown-table", "tables.unit", 5)]),
        ("[tables]\nunits = []", [("wrong-kind", "tables.units", 5)]),
        ("[tables]\nunits = 3", [("wrong-kind", "tables.units", 5)]),
        ("[tables]\nunits = {}", [("missing-key", "tables.units.source", 5)]),
        ("[tables]\nunits = ''", [("empty-text", "tables.units.source", 5)]),
        ("[tables.units]\nsource = 'a.csv'\nencoding = 'gb18031'", [("unknown-encoding", "tables.units.encoding", 6)]),
        ("[tables.units]\nsource = 'a.csv'\nencoding = 'base64'", [("unknown-encoding", "tables.units.encoding", 6)]),
        ("[tables.units]\nsource = 'sqlite:///a'", [("bad-source", "tables.units", 4)]),
        ("[tables.units]\nsource = 'sqlite:///a'\ntable = 'a'\nquery = 'b'", [("bad-source", "tables.units", 4)]),
        ("[tables.units]\nsource = 'a.csv'\ntable = 'b'", [("bad-source", "tables.units.table", 6)]),
    ],
)
def test_every_slip_has_its_code_key_and_line(text: str, expected: list[tuple[str, str, int | None]]) -> None:
    read = read_config(YEAR + text)
    assert read.config is not None
    assert codes(read) == expected


def campaign(identity: str, start: str, end: str, share: str = "0.4") -> str:
    return f'[[campaign]]\nid = "{identity}"\nstart = {start}\nend = {end}\nshare = {share}\n'


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (campaign("a", "2011-02-01", "2011-03-01"), campaign("b", "2011-03-02", "2011-04-01", "1"), []),
        (
            campaign("a", "2011-02-01", "2011-03-01"),
            campaign("b", "2011-03-01", "2011-04-01"),
            [("overlapping-campaigns", "campaign[2].start", 11)],
        ),
        (
            campaign("b", "2011-03-01", "2011-04-01"),
            campaign("a", "2011-02-01", "2011-12-01"),
            [("overlapping-campaigns", "campaign[1].start", 6)],
        ),
        (
            campaign("a", "2011-02-01", "2011-02-01"),
            campaign("a", "2011-03-01", "2011-04-01"),
            [("duplicate-campaign", "campaign[2].id", 10)],
        ),
        (
            campaign("a", "2010-12-01", "2011-03-01", "0"),
            campaign("b", "2011-12-01", "2012-01-01", "1.25"),
            [
                ("out-of-bounds", "campaign[1].share", 8),
                ("outside-year", "campaign[1].start", 6),
                ("out-of-bounds", "campaign[2].share", 13),
                ("outside-year", "campaign[2].end", 12),
            ],
        ),
        (campaign("a", "2011-03-01", "2011-02-01"), "", [("end-before-start", "campaign[1].end", 7)]),
        (campaign(" ", "2011-02-01", "2011-03-01"), "", [("empty-text", "campaign[1].id", 5)]),
        (  # a campaign whose share is wrong is still held against the year
            campaign("a", "2010-12-01", "2011-02-01", "0.123"),
            campaign("a", "2011-02-01", "2011-03-01", '"all"'),
            [
                ("inexact-share", "campaign[1].share", 8),
                ("wrong-kind", "campaign[2].share", 13),
                ("outside-year", "campaign[1].start", 6),
                ("duplicate-campaign", "campaign[2].id", 10),
                ("overlapping-campaigns", "campaign[2].start", 11),
            ],
        ),
    ],
)
def test_campaigns(first: str, second: str, expected: list[tuple[str, str, int | None]]) -> None:
    assert codes(read_config(YEAR + first + second)) == expected


@pytest.mark.parametrize("share", ["0.4", "0.35", "0.125", "0.0025", "1", "1.0", "0.333", "0.001", "0.0001"])
def test_a_share_is_a_fraction_of_at_most_400_parts(share: str) -> None:
    read = read_config(YEAR + campaign("a", "2011-02-01", "2011-03-01", share))
    fine = Fraction(share).denominator <= 400
    assert [problem.code for problem in read.problems] == ([] if fine else ["inexact-share"])


def test_pace_points_fall_or_repeat() -> None:
    points = "".join(
        f"[[pace.point]]\non = {on}\nshare = {share}\n"
        for on, share in [("2011-02-01", "0.5"), ("2011-03-01", "0.25"), ("2011-03-01", "1.25"), ("2012-01-01", "1")]
    )
    read = read_config(YEAR + '[pace]\ncurve = "table"\n' + points)
    assert codes(read) == [
        ("out-of-bounds", "pace.point[3].share", 14),
        ("outside-year", "pace.point[4].on", 16),
        ("falling-pace", "pace.point[2].share", 11),
        ("duplicate-pace-point", "pace.point[3].on", 13),
        ("falling-pace", "pace.point[4].share", 17),
    ]


def test_a_broken_point_is_no_missing_point() -> None:
    read = read_config(YEAR + '[pace]\ncurve = "table"\n[[pace.point]]\non = 2011-02-01\nshare = 0.3333\n')
    assert codes(read) == [("inexact-share", "pace.point[1].share", 8)]


@pytest.mark.parametrize(
    ("data", "code", "line", "found"),
    [
        (None, "missing-file", None, "no such file"),
        (b"", "empty-file", None, "a file of 0 bytes"),
        (
            '[workspace]\nname = "单位"'.encode("gb18030"),
            "undecodable",
            2,
            "the byte 0xb5, which is not UTF-8",
        ),
        ("[year]".encode("utf-16"), "undecodable", 1, "a file in UTF-16"),
        (b"[year]\nstart =", "invalid-toml", 2, '"start =" (column 8: Invalid value)'),
        (b"[year]\n[year]\n", "invalid-toml", 2, "\"[year]\" (column 6: Cannot declare ('year',) twice)"),
    ],
)
def test_a_file_that_is_not_toml(data: bytes | None, code: str, line: int | None, found: str) -> None:
    read = read_config(data)
    assert read.config is None
    assert [(each.code, each.place.line, each.found) for each in read.problems] == [(code, line, found)]


def test_names_that_only_the_policies_know() -> None:
    text = (
        '[workspace]\nprimary = "fund"\n[pace]\ncurve = "month"\n[checks]\nabove_contracts = "off"\n'
        '[plugins]\nenabled = ["rewards", "field_dty"]\n[forecast]\nmodels = ["compound", "seasnal"]\n'
    )
    read = read_config(YEAR + text)
    problems = name_problems(
        read,
        plugins=["rewards", "field_duty"],
        pace_curves=["months", "days", "table"],
        checks=["above_contract"],
        indicators=["funds", "signed"],
        forecasts=["compound", "seasonal"],
    )
    assert [(each.code, each.place.key, each.place.line, each.nearest) for each in problems] == [
        ("unknown-plugin", "plugins.enabled[2]", 11, "field_duty"),
        ("unknown-check", "checks.above_contracts", 9, "above_contract"),
        ("unknown-forecast", "forecast.models[2]", 13, "seasonal"),
        ("unknown-pace-curve", "pace.curve", 7, "months"),
        ("unknown-indicator", "workspace.primary", 5, "funds"),
    ]
