"""`kpi.toml` as a `Config`: everything of it but the policies' parameters, with all problems in one list.

A problem names the dotted key and the line it stands in. What is wrong is left out and the rest is kept, so that
everything depending on the rest is checked too. Where the year is not usable the rest is read as if every date lay in
it, and nothing is assessed by it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeVar

import tomli
from attrs import define, field

from kpi_rules.hooks.manager import BUILT_INS, installed
from kpi_rules.locale import _
from kpi_rules.model.calendar import Campaign, Year
from kpi_rules.model.problems import Place, Problem, error, nearest
from kpi_rules.workspace.amounts import FIRST_DAY, LAST_DAY
from kpi_rules.workspace.config_checks import (
    Numbered,
    campaign_issues,
    campaign_of,
    credit_issues,
    forecast_issues,
    pace_issues,
    review_issues,
    year_issues,
)
from kpi_rules.workspace.config_lines import Lines, dotted, lines_of
from kpi_rules.workspace.config_parameters import read_entries, read_parameters
from kpi_rules.workspace.config_schema import (
    CORE,
    DECLARED_TABLES,
    UNNAMED,
    CampaignSection,
    CreditSection,
    Effect,
    Evidence,
    ForecastSection,
    Issue,
    PaceSection,
    PaySection,
    PluginsSection,
    PointSection,
    Sharing,
    Unvisited,
    WorkspaceSection,
    YearSection,
    one_of,
    shown,
    structure,
)
from kpi_rules.workspace.config_tables import check_effects, table_sources
from kpi_rules.workspace.guards import GuardSection, guard_sections

if TYPE_CHECKING:
    from datetime import date
    from fractions import Fraction

    from kpi_rules.workspace.tables import TableSource

__all__ = [
    "Config",
    "ReadConfig",
    "config_from_dict",
    "name_problems",
    "off_problems",
    "read_config",
    "read_entries",
    "read_parameters",
]

T = TypeVar("T")

ANY_YEAR: Final = Year(FIRST_DAY, LAST_DAY)
"""Stands for a year that is not usable: every date that can be read lies in it, so that no check faults one."""


@define(frozen=True)
class Config:
    """What `kpi.toml` says, but for the policies' parameters.

    `evidence` is what bears an amount out, in order, and `sharing` how claims without shares share a project;
    `forecasts` are the forecasts whose sum a simulation draws from.
    `pace_points` are the points of the pace curve `table`; `tolerance` is the share of the task a month-end may be
    behind without counting as lagging; `checks` are effects by the name of a check, `guards` what is
    written of each guard; `enabled` the policies in the order
    written, `local` paths of one-file policies relative to the workspace, `off` the rules that are switched off.
    """

    name: str
    currency: str
    primary: str
    year: Year
    campaigns: tuple[Campaign, ...] = ()
    pace_curve: str = "months"
    pace_points: tuple[tuple[date, Fraction], ...] = ()
    tolerance: Decimal = Decimal(0)
    pay_component: str = ""
    unvisited: Unvisited = "none"
    evidence: tuple[Evidence, ...] = ("visits",)
    sharing: Sharing = "agreed"
    forecasts: tuple[str, ...] = ("compound",)
    checks: Mapping[str, Effect] = field(factory=dict)
    guards: Mapping[str, GuardSection] = field(factory=dict)
    tables: tuple[TableSource, ...] = ()
    enabled: tuple[str, ...] = ()
    local: tuple[str, ...] = ()
    off: tuple[str, ...] = ()


@define
class ReadConfig:
    """A `Config` (None where there is no document), the raw sections of policies by name, and all problems found.

    `file` and `lines` serve the later checks, of parameters and of names; `declared` are the tables of rules without
    Python as written; `raw` is everything as written.
    """

    config: Config | None
    sections: Mapping[str, object] = field(factory=dict)
    problems: list[Problem] = field(factory=list)
    file: str = ""
    lines: Lines = field(factory=Lines)
    declared: Mapping[str, object] = field(factory=dict)
    raw: Mapping[str, object] = field(factory=dict)

    @property
    def usable(self) -> Config | None:
        """The `Config` to assess by; None where its year is not usable, and the rest of it is only for checks."""
        return None if self.config is None or self.config.year is ANY_YEAR else self.config


def read_config(text_or_bytes: str | bytes | None, file: str = "kpi.toml") -> ReadConfig:
    """Read `kpi.toml` from its contents; None where there is no such file. `file` is its name in problems."""
    text = _decode(text_or_bytes, file)
    if isinstance(text, Problem):
        return ReadConfig(None, problems=[text], file=file)
    try:
        raw = tomli.loads(text, parse_float=Decimal)
    except tomli.TOMLDecodeError as failure:
        return ReadConfig(None, problems=[_invalid(failure, file)], file=file)
    return _read(raw, file, lines_of(text))


def config_from_dict(raw: Mapping[str, object], file: str = "") -> ReadConfig:
    """Read the same from a dictionary in memory: dates as `date`, shares as `Decimal`, or as `float` as it prints."""
    return _read({str(key): _as_toml(value) for key, value in raw.items()}, file, Lines())


def _as_toml(value: object) -> object:
    """Give data in memory the shapes that TOML has: keys are texts, every sequence is a list."""
    if isinstance(value, Mapping):
        return {str(key): _as_toml(each) for key, each in value.items()}
    return [_as_toml(each) for each in value] if isinstance(value, (list, tuple)) else value


def name_problems(
    read: ReadConfig,
    *,
    plugins: Collection[str],
    pace_curves: Collection[str],
    checks: Collection[str],
    indicators: Collection[str],
    forecasts: Collection[str],
) -> list[Problem]:
    """Check the names in `kpi.toml` that only the policies know, once they are loaded.

    Args:
        read: what was read.
        plugins: the names of all installed and local policies.
        pace_curves: the pace curves of the enabled policies; `months`, `days` and `table` among them.
        checks: the checks, shipped and of the enabled policies.
        indicators: the indicators a quota can be set for.
        forecasts: the forecasts, the library's own and those of the enabled policies.
    """
    config = read.config
    if config is None:
        return []
    plugins = set(plugins) - BUILT_INS.keys()
    issues = [
        *(
            _unknown("unknown-plugin", _("the unknown policy {name}"), name, plugins, ("plugins", "enabled", number))
            for number, name in enumerate(config.enabled)
            if name not in plugins
        ),
        *(
            _unknown("unknown-check", _("the unknown check {name}"), name, checks, ("checks", name))
            for name in config.checks
            if name not in checks
        ),
        *(
            _unknown("unknown-forecast", _("the unknown forecast {name}"), name, forecasts, ("forecast", "models", at))
            for at, name in enumerate(config.forecasts)
            if name not in forecasts
        ),
    ]
    if config.pace_curve not in pace_curves:
        unknown = _("the unknown pace curve {name}")
        issues.append(_unknown("unknown-pace-curve", unknown, config.pace_curve, pace_curves, ("pace", "curve")))
    if config.primary not in indicators:
        unknown = _("the unknown indicator {name}")
        issues.append(_unknown("unknown-indicator", unknown, config.primary, indicators, ("workspace", "primary")))
    return [issue.problem(read.file, read.lines) for issue in issues]


def off_problems(
    read: ReadConfig, rules: Collection[str], active: Collection[str], broken: Collection[str] = ()
) -> list[Problem]:
    """Check the rules that are switched off; those of a policy that is installed and not enabled are not known.

    Args:
        read: what was read.
        rules: the rules of the policies that take part, those that are switched off among them.
        active: the policies that take part.
        broken: those that failed to load, whose rules are not known either.
    """
    off = () if read.config is None else read.config.off
    asleep = (installed().keys() - set(active)) | set(broken) if off else set()
    issues = [
        _unknown("unknown-rule", _("the unknown rule {name}"), name, rules, ("plugins", "off", at))
        for at, name in enumerate(off)
        if name not in rules and name.partition(".")[0] not in asleep
    ]
    return [issue.problem(read.file, read.lines) for issue in issues]


def _unknown(code: str, phrase: str, name: str, valid: Collection[str], path: tuple[str | int, ...]) -> Issue:
    choices = sorted(set(valid))
    expected = one_of(choices) if choices else _("none, as there are none")
    return Issue(path, code, phrase.format(name=shown(name)), expected, nearest(name, choices))


def _decode(data: str | bytes | None, file: str) -> str | Problem:
    expected = _("a file kpi.toml with at least the sections [year] and [tables]")
    if data is None:
        return error("missing-file", Place(file), found=_("no such file"), expected=expected)
    if not data:
        return error("empty-file", Place(file), found=_("a file of 0 bytes"), expected=expected)
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        return _undecodable(failure.object, failure.start, file)
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


def _undecodable(data: bytes, start: int, file: str) -> Problem:
    expected = _("TOML saved as UTF-8")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return error("undecodable", Place(file, line=1), found=_("a file in UTF-16"), expected=expected)
    found = _("the byte 0x{byte:02x}, which is not UTF-8").format(byte=data[start])
    return error("undecodable", Place(file, line=data.count(b"\n", 0, start) + 1), found=found, expected=expected)


def _invalid(failure: tomli.TOMLDecodeError, file: str) -> Problem:
    lines = failure.doc.split("\n")
    line = min(failure.lineno, len(lines))
    text = lines[line - 1].strip()
    found = _("{text} (column {column}: {why})").format(
        text=shown(text) if text else _("an unfinished line"), why=failure.msg, column=failure.colno
    )
    return error("invalid-toml", Place(file, line=line), found=found, expected=_("valid TOML"))


def _read(raw: Mapping[str, object], file: str, lines: Lines) -> ReadConfig:
    issues: list[Issue] = []
    config = _config(raw, issues)
    sections = {name: value for name, value in raw.items() if name not in CORE}
    declared = {name: raw[name] for name in DECLARED_TABLES if name in raw}
    return ReadConfig(config, sections, [issue.problem(file, lines) for issue in issues], file, lines, declared, raw)


def _config(raw: Mapping[str, object], issues: list[Issue]) -> Config:
    workspace = _section(raw, "workspace", WorkspaceSection, issues) or WorkspaceSection()
    year = _year(raw, issues)
    pace = _section(raw, "pace", PaceSection, issues) or PaceSection()
    points = _items(pace.point, ("pace", "point"), PointSection, issues)
    issues += pace_issues(pace, points, year)
    pay = _section(raw, "pay", PaySection, issues) or PaySection()
    credit = _section(raw, "credit", CreditSection, issues) or CreditSection()
    issues += credit_issues(credit, raw.get("credit"))
    forecast = _section(raw, "forecast", ForecastSection, issues) or ForecastSection()
    issues += forecast_issues(forecast)
    waves = _items(raw.get("campaign", []), ("campaign",), CampaignSection, issues, {"id": UNNAMED, "share": 1})
    issues += campaign_issues(waves, year)
    tables, wrong_tables = table_sources(raw.get("tables", {}))
    checks, wrong_checks = check_effects(raw.get("checks", {}))
    guards, wrong_guards = guard_sections(raw.get("guards", {}))
    issues += [*wrong_tables, *wrong_checks, *wrong_guards]
    plugins = _section(raw, "plugins", PluginsSection, issues) or PluginsSection()
    return Config(
        name=workspace.name,
        currency=workspace.currency,
        primary=workspace.primary,
        year=ANY_YEAR if year is None else year,
        campaigns=tuple(campaign_of(each.section) for each in waves),
        pace_curve=pace.curve,
        pace_points=tuple(sorted((each.section.on, each.section.share) for each in points)),
        tolerance=pace.tolerance,
        pay_component=pay.component,
        unvisited=credit.unvisited,
        evidence=credit.order,
        sharing=credit.sharing,
        forecasts=forecast.models,
        checks=checks,
        guards=guards,
        tables=tables,
        enabled=plugins.enabled,
        local=plugins.local,
        off=plugins.off,
    )


def _section(raw: Mapping[str, object], name: str, kind: type[T], issues: list[Issue]) -> T | None:
    found, wrong = structure(raw.get(name, {}), kind)
    issues += [issue.under(name) for issue in wrong]
    return found


def _year(raw: Mapping[str, object], issues: list[Issue]) -> Year | None:
    if "year" not in raw:
        issues.append(Issue(("year",), "missing-section", _("no section [year]"), _("one with start and end")))
        return None
    section = _section(raw, "year", YearSection, issues)
    if section is None:
        return None
    wrong = list(year_issues(section))
    issues += wrong
    if wrong:
        return None
    year = Year(section.start, section.end, section.reviews)
    written = raw["year"]
    issues += review_issues(year, written.get("reviews") if isinstance(written, Mapping) else None)
    return year


def _items(
    raw: object,
    path: tuple[str, ...],
    kind: type[T],
    issues: list[Issue],
    instead: Mapping[str, object] | None = None,
) -> list[Numbered[T]]:
    """Structure an array of tables, keeping those that can be used."""
    if not isinstance(raw, (list, tuple)):
        expected = _("[[{key}]] in double brackets for each").format(key=dotted(path))
        issues.append(Issue(path, "wrong-kind", shown(raw), expected))
        return []
    found = []
    for number, each in enumerate(raw):
        section, wrong = structure(each, kind, instead)
        issues += [issue.under(*path, number) for issue in wrong]
        found += [] if section is None else [Numbered(number, section)]
    return found
