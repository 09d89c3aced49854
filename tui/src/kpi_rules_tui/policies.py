"""The policies of a workspace as rows: each with its parameters and its rules, with what is not saved marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import kpi_rules as kr
from kpi_rules_tui.desk import hits
from kpi_rules_tui.texts import _, label_of, setting_label

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    import polars as pl

    from kpi_rules_tui.amounts import Scale


def rows(
    current: kr.Workspace, saved: kr.Workspace, before: kr.Assessment | None, after: kr.Assessment | None
) -> pl.DataFrame:
    """Return one row for each policy, parameter value and rule: `row` (a key), `kind` (`policy`, `parameter`, `rule`),
    `name`, `label`, `value` as it is typed and `fen` where it is an amount, `from_on`, `group`, `state` (empty,
    `changed`, `new`, `removed`), and of rules how many units they hit at any time, with what is saved (`before`) and
    with what is not (`after`).
    """
    import polars as pl

    old, new = (hits(each) if each is not None else {} for each in (before, after))
    found = [row for name in _policies(current) for row in _policy(name, current, saved, old, new)]
    schema = {
        **dict.fromkeys(("row", "kind", "name", "label", "value"), pl.String),
        "fen": pl.Int64,
        "from_on": pl.Date,
        "group": pl.String,
        "state": pl.String,
        "before": pl.Int64,
        "after": pl.Int64,
    }
    return pl.DataFrame(found, schema=schema)


def _policies(current: kr.Workspace) -> list[str]:
    """Return the policies in force, then those that could be switched on."""
    on = [plugin.name for plugin in current.plugins.plugins if plugin.origin != "built in"]
    return [*on, *(name for name in kr.installed_policies() if name not in on)]


def _policy(
    name: str, current: kr.Workspace, saved: kr.Workspace, old: dict[str, Any], new: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    on, was = (any(plugin.name == name for plugin in each.plugins.plugins) for each in (current, saved))
    yield {
        "row": f"policy:{name}",
        "kind": "policy",
        "name": name,
        "label": name,
        "value": _("on") if on else _("off"),
        "state": "" if on == was else "changed",
    }
    if not on:
        return
    for setting in current.parameters.declared.values():
        if setting.plugin == name:
            yield from _parameter(setting.name, current, saved)
    ids = dict.fromkeys(rule.id for each in (current, saved) for rule in each.plugins.rules.values())
    off = current.config.off if current.config is not None else ()
    for rule in sorted({*ids, *off}):
        if rule.partition(".")[0] == name:
            yield _rule(rule, current, saved, old, new)


def _parameter(name: str, current: kr.Workspace, saved: kr.Workspace) -> Iterator[dict[str, Any]]:
    """Give a row for each value of a parameter, in the order of dates and groups; its default where it has none."""
    setting = current.parameters.declared[name]
    label = setting_label(setting, current)
    now = {(each.from_on, each.group): each.value for each in current.parameters.entries.get(name, ())}
    was = {(each.from_on, each.group): each.value for each in saved.parameters.entries.get(name, ())}
    if (None, None) not in now and (None, None) not in was:
        yield _value(setting, label, None, None, setting.default, "default")
    for on, group in sorted({*now, *was}, key=lambda key: (key[1] or "", str(key[0] or ""))):
        key = (on, group)
        state = ""
        if key not in now:
            state = "removed"
        elif key not in was:
            state = "new"
        elif now[key] != was[key]:
            state = "changed"
        yield _value(setting, label, on, group, now.get(key, was.get(key, setting.default)), state)


def _value(
    setting: kr.Setting,
    label: str,
    on: date | None,
    group: str | None,
    value: Any,  # noqa: ANN401 (of the setting's kind)
    state: str,
) -> dict[str, Any]:
    return {
        "row": f"parameter:{setting.name}|{on or ''}|{group or ''}",
        "kind": "parameter",
        "name": setting.name,
        "label": label,
        "value": setting.show(value),
        "fen": value if setting.kind == "money" else None,
        "from_on": on,
        "group": group,
        "state": state,
    }


def _rule(
    rule: str, current: kr.Workspace, saved: kr.Workspace, old: dict[str, Any], new: dict[str, Any]
) -> dict[str, Any]:
    held = current.plugins.rules.get(rule) or saved.plugins.rules.get(rule)
    on, was = rule in current.plugins.rules, rule in saved.plugins.rules
    return {
        "row": f"rule:{rule}",
        "kind": "rule",
        "name": rule,
        "label": label_of(held) if held is not None else rule,
        "value": _("on") if on else _("off"),
        "state": "" if on == was else "changed",
        "before": len(set(old.get(rule, ()))),
        "after": len(set(new.get(rule, ()))),
    }


def expected(setting: kr.Setting) -> str:
    """Say what a value must be, and how it is typed where that is not plain to see."""
    if setting.kind != "texts":
        return setting.expected
    how = _('one with a comma in quotation marks: [head, "a, b"]')
    return f"{setting.expected}; {how}"


def _default(setting: kr.Setting, scale: Scale) -> str:
    held = setting.default
    return scale.said(held) if setting.kind == "money" and isinstance(held, int) else setting.show(held)


def about(row: dict[str, Any], current: kr.Workspace, saved: kr.Workspace, scale: Scale) -> list[tuple[str, str]]:
    """Return what there is to say about a row: pairs of what it is (may be empty) and the text."""
    if row["kind"] == "parameter":
        setting = current.parameters.declared.get(row["name"]) or saved.parameters.declared.get(row["name"])
        if setting is None:
            return [("", row["name"])]
        domain = current.plugins.domains.get(setting.plugin, "kpi_rules")
        told = kr.translate(setting.help, domain)
        return [
            ("", row["name"]),
            *([("", told)] if told else []),
            (_("expected"), expected(setting)),
            (_("default"), _default(setting, scale)),
        ]
    if row["kind"] == "rule":
        rule = current.plugins.rules.get(row["name"]) or saved.plugins.rules.get(row["name"])
        if rule is None:
            return [("", row["name"]), ("", _("switched off in kpi.toml"))]
        called = kr.columns_called({**saved.plugins.indicators, **current.plugins.indicators})
        return [
            ("", f"{rule.id}  {rule.kind}, {rule.subject}"),
            (_("when"), kr.in_words(rule.when, called)),
            *([(_("until"), kr.in_words(rule.until, called))] if rule.until is not None else []),
            *([(_("supersedes"), ", ".join(rule.supersedes))] if rule.supersedes else []),
            *([(_("sources"), ", ".join(rule.sources))] if rule.sources else []),
        ]
    plugin = next((each for each in current.plugins.plugins if each.name == row["name"]), None)
    if plugin is None:
        return [("", row["name"]), ("", _("installed, and not in use; o switches it on"))]
    return [("", row["name"]), (_("from"), f"{plugin.distribution} {plugin.version}"), (_("origin"), plugin.origin)]
