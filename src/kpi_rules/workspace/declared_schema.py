"""The tables of rules without Python in `kpi.toml`: `[[rule]]`, `[[indicator]]`, `[[parameter]]`, as classes."""

from __future__ import annotations

from typing import Any, Literal

from attrs import define

from kpi_rules.model.contributions import Counting, IndicatorKind, Subject, Within
from kpi_rules.model.deposits import Base
from kpi_rules.model.settings import Kind

Effect = Literal["collect", "forfeit", "refund", "return"]


@define(frozen=True)
class HoldTable:
    """`hold = {share = 0.2, grades = ["head"]}`: values, or names of parameters."""

    share: Any
    grades: Any = None
    subtree: bool = False


@define(frozen=True)
class DepositTable:
    """`deposit = {effect = "forfeit", amount = "..."}`."""

    effect: Effect
    amount: str | None = None
    base: Base = "total_pay"
    subtree: bool = False


@define(frozen=True)
class RuleTable:
    """`[[rule]]`; its fields are those of `kpi_rules.Rule`."""

    name: str
    kind: str
    subject: Subject
    when: str
    reason: str
    until: str | None = None
    amount: str | None = None
    supersedes: tuple[str, ...] = ()
    hold: HoldTable | None = None
    deposit: tuple[DepositTable, ...] = ()
    repeats: bool = False
    label: str = ""
    sources: tuple[str, ...] = ()
    months: int | None = None
    into: str = ""


@define(frozen=True)
class IndicatorTable:
    """`[[indicator]]`; its fields are those of `kpi_rules.Indicator`."""

    name: str
    kind: IndicatorKind
    value: str
    label: str = ""
    sources: tuple[str, ...] = ()
    table: str = ""
    within: Within = ""
    counting: Counting = ""
    at: str | None = None
    own: bool = False


@define(frozen=True)
class ParameterTable:
    """`[[parameter]]`: a threshold of such rules; `value` is plain, or a list of dated and per-group values."""

    name: str
    kind: Kind
    value: Any
    label: str = ""
    help: str = ""
    minimum: Any = None
    maximum: Any = None
    choices: tuple[str, ...] = ()
