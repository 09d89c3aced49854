"""Cases of one row: what the rules would do, and what indicators would be, for figures that the case gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kpi_rules.cases.shape import Failure
from kpi_rules.cases.values import UnfitValueError, agrees, fen, given, one_of_names, shown_found, shown_raw
from kpi_rules.locale import _
from kpi_rules.model.money import format_amount
from kpi_rules.model.problems import nearest
from kpi_rules.workspace.config_schema import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kpi_rules.cases.coverage import Coverage
    from kpi_rules.cases.files import CaseFile
    from kpi_rules.cases.ground import Ground
    from kpi_rules.cases.shape import Case, EventSection


def check_row(file: CaseFile, case: Case, ground: Ground) -> dict[str, Any]:
    """Read what a case gives; names and values that do not fit are problems of its file."""
    values = _values(file, case, ground)
    _check_names(file, case, ground)
    for number, event in enumerate(case.events or ()):
        _check_event(file, event, ground, (*case.path, "expect", number))
    return values


def _values(file: CaseFile, case: Case, ground: Ground) -> dict[str, Any]:
    values = {}
    for name, raw in (case.section.given or {}).items():
        trail = (*case.path, "given", name)
        if _known(file, name, ground.columns, trail):
            try:
                values[name] = given(raw, ground.columns[name], money=ground.is_money(name))
            except UnfitValueError as unfit:
                file.wrong(trail, "wrong-kind", found=shown(raw), expected=unfit.expected)
    return values


def _check_names(file: CaseFile, case: Case, ground: Ground) -> None:
    section, trail = case.section, case.path
    for part in ("indicators", "differs"):
        for name, raw in getattr(section, part).items():
            if _known(file, name, ground.columns, (*trail, part, name)):
                _comparable(file, raw, ground, name, (*trail, part, name))
    for number, name in enumerate(section.empty):
        _known(file, name, ground.columns, (*trail, "empty", number))
    for number, name in enumerate(section.active):
        _known(file, name, ground.book.rules, (*trail, "active", number), "unknown-rule")
    policies = [plugin.name for plugin in ground.workspace.plugins.plugins]
    if section.policy:
        _known(file, section.policy, policies, (*trail, "policy"), "unknown-plugin")
    groups = ground.workspace.tables.units["group"].drop_nulls().unique().to_list()
    if section.group is not None:
        _known(file, section.group, groups, (*trail, "group"), "unknown-group")


def _check_event(file: CaseFile, event: EventSection, ground: Ground, trail: tuple[str | int, ...]) -> None:
    _known(file, event.rule, ground.book.rules, (*trail, "rule"), "unknown-rule")
    if event.amount is not None and fen(event.amount) is None:
        expected = _('money as a text, such as "1500万" or "30000.50"')
        file.wrong((*trail, "amount"), "wrong-kind", found=shown(event.amount), expected=expected)


def _known(
    file: CaseFile,
    name: str,
    choices: Any,  # noqa: ANN401 (any collection of names)
    trail: tuple[str | int, ...],
    code: str = "unknown-column",
) -> bool:
    if name in choices:
        return True
    expected = one_of_names(sorted(choices)) if choices else _("none, as there are none")
    file.wrong(trail, code, found=shown(name), expected=expected, nearest=nearest(name, choices))
    return False


def _comparable(file: CaseFile, raw: object, ground: Ground, name: str, trail: tuple[str | int, ...]) -> None:
    try:
        agrees(None, raw, ground.columns[name], money=ground.is_money(name))
    except UnfitValueError as unfit:
        file.wrong(trail, "wrong-kind", found=shown(raw), expected=unfit.expected)


def run_row(
    file: CaseFile, case: Case, ground: Ground, values: Mapping[str, Any], coverage: Coverage
) -> tuple[Failure, ...]:
    """Run a case of one row and return what is not as expected.

    The events of all rules count, or those of the case's `policy`; there may be no other events than those expected.
    """
    section = case.section
    day = section.on or ground.book.terms.year.end
    frame = ground.row(values, section.group, day)
    coverage.add_rows(ground, frame)
    row = {name: frame[name][0] for name in (*ground.columns, "group")}
    active = dict.fromkeys(section.active, True)
    events = ground.book.evaluate({**row, **active}, on=day)
    assert isinstance(events, list)  # noqa: S101 (of a dictionary it is one)
    mine = [event for event in events if not section.policy or event["rule"].startswith(f"{section.policy}.")]
    for event in mine:
        coverage.add_event(event["rule"], event["event"])
    failures = list(_events(file, case, mine)) if case.events is not None else []
    for part in ("indicators", "differs"):
        for name, raw in getattr(section, part).items():
            same = agrees(row[name], raw, ground.columns[name], money=ground.is_money(name))
            if same is (part == "differs"):
                found = shown_found(row[name], raw, money=ground.is_money(name))
                text = shown_raw(raw) if part == "indicators" else _("not {value}").format(value=shown_raw(raw))
                failures.append(Failure(name, text, found, file.place((*case.path, part, name))))
    for number, name in enumerate(section.empty):
        if row[name] is not None:
            found = shown_found(row[name], None, money=ground.is_money(name))
            failures.append(Failure(name, _("nothing"), found, file.place((*case.path, "empty", number))))
    return tuple(failures)


def _events(file: CaseFile, case: Case, found: list[dict[str, Any]]) -> list[Failure]:
    """Compare the events, whatever their order."""
    failures = []
    left = [(event["rule"], event["event"], event["amount"]) for event in found]
    for number, event in enumerate(case.events or ()):
        wanted = (event.rule, event.event, None if event.amount is None else fen(event.amount))
        if wanted in left:
            left.remove(wanted)
            continue
        place = file.place((*case.path, "expect", number))
        same = next((each for each in left if each[:2] == wanted[:2]), None)
        if same is not None:
            left.remove(same)
        failures.append(Failure(event.rule, _event(wanted), _event(same) if same else _("no such event"), place))
    place = file.place((*case.path, "expect"))
    failures += [Failure(each[0], _("no further event"), _event(each), place) for each in left]
    return failures


def _event(event: tuple[str, str, int | None]) -> str:
    rule, what, amount = event
    return f"{rule} {what}" + (f" {format_amount(amount)}" if amount is not None else "")
