"""Deposits: who leaves how much, what a quarter without a project costs, and what the year end does to the rest.

`[[pay_withholding.deposit]]` says it role by role. The line that names a person's role and peer group holds, else the
one that names the role, else the group, else the line for everybody; a role that no line covers is a finding, and
nothing of it is forfeited.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal

import polars as pl
from attrs import define

from kpi_rules import (
    N_,
    Check,
    Collect,
    Configured,
    Forfeit,
    Indicator,
    Refund,
    Return,
    Rule,
    Trouble,
    at,
    parse_amount,
    translate,
    unit,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

BILLION: Final = 10**9
AMOUNTS: Final = ("amount", "forfeit", "monthly")


def _(message: str) -> str:
    """Translate a message of this policy."""
    return translate(message, "kpi_pay_withholding")


@define(frozen=True)
class Deposit:
    """A line of `[[pay_withholding.deposit]]`; amounts are texts as people write them, in yuan.

    Attributes:
        role: of the table `deposits`, or for what is collected a grade of `staff`; empty for everybody.
        group: a peer group; empty for all.
        amount: what is owed, paid in and listed in the table `deposits`.
        of_pay: the share of a month's `base` that is kept each month of the year.
        monthly: or the amount that is kept each month.
        base: the pay it is kept from.
        forfeit: what each quarter without a project forfeits, never more than is left.
        unmet: what becomes of the rest where the task is not met by the year end.
        into: the account that forfeited money is booked to, one for all lines.
    """

    role: str = ""
    group: str = ""
    amount: str = "0"
    of_pay: Decimal = Decimal(0)
    monthly: str = "0"
    base: Literal["total_pay", "component"] = "total_pay"
    forfeit: str = "0"
    unmet: Literal["returned", "forfeited"] = "returned"
    into: str = "treasury"

    def fen(self, name: str) -> int:
        """Return one of the amounts in fen; 0 for what is none, which `troubles` tells."""
        return parse_amount(getattr(self, name)) or 0

    @property
    def collected(self) -> bool:
        """Whether it is kept from pay."""
        return self.of_pay > 0 or self.fen("monthly") > 0


def configured(lines: Sequence[Deposit], *, projects: pl.Expr, reward: pl.Expr) -> Configured:
    """Return the rules, indicators and checks that lines ask for, and what is wrong with them.

    Args:
        lines: of `[[pay_withholding.deposit]]`.
        projects: the parameter that says how many projects a quarter needs.
        reward: the parameter that says what a group gets.
    """
    problems = tuple(troubles(lines))
    if not lines or any(each.severity == "error" for each in problems):
        return Configured(problems=problems)
    indicators: list[Indicator] = []
    secured = has_task = unit.completion.is_not_null()
    if not any(line.collected for line in lines):
        secured = unit.deposits_paid > 0
        has_task = has_task & secured
        indicators.append(_deposits_paid())
    rules = [_refund(secured), _close(lines, secured), _reward(reward, secured)]
    if any(line.collected for line in lines):
        rules.append(_collect(lines))
    if any(line.fen("forfeit") for line in lines):
        rules.append(_forfeit(lines, projects, has_task))
        indicators.append(_projects_of_quarter())
    return Configured(rules=rules, indicators=indicators, checks=_checks(lines), problems=problems)


def troubles(lines: Sequence[Deposit]) -> Iterator[Trouble]:
    """Find what is wrong with lines: amounts that are none, lines that say nothing or say it twice."""
    seen: dict[tuple[str, str], int] = {}
    for here, line in enumerate(lines):
        path = ("deposit", here)
        amounts = list(_no_amounts(line, path))
        yield from amounts
        if not amounts:
            yield from _contradictions(line, path)
        if line.into != lines[0].into:
            expected = _("one account for all lines, such as {account}").format(account=lines[0].into)
            yield Trouble((*path, "into"), found=line.into, expected=expected, code="bad-deposit")
        if seen.setdefault((line.role, line.group), here) != here:
            found = _("a second line for role {role} and group {group}").format(
                role=line.role or "*", group=line.group or "*"
            )
            yield Trouble((*path, "role"), found=found, expected=_("one line for each"), code="bad-deposit")


def _no_amounts(line: Deposit, path: tuple[str, int]) -> Iterator[Trouble]:
    for name in AMOUNTS:
        fen = parse_amount(text := getattr(line, name))
        if fen is None or fen < 0:
            expected = _("an amount such as 4000 or 1.5万")
            yield Trouble((*path, name), found=text, expected=expected, code="wrong-kind")
    if not 0 <= line.of_pay <= 1 or line.of_pay * BILLION % 1:
        expected = _("a share from 0 to 1, both inclusive, of at most nine decimals")
        yield Trouble((*path, "of_pay"), found=str(line.of_pay), expected=expected, code="out-of-bounds")


def _contradictions(line: Deposit, path: tuple[str, int]) -> Iterator[Trouble]:
    if line.of_pay > 0 and line.fen("monthly"):
        found, expected = _("both a share and an amount of each month"), _("one of the two")
        yield Trouble((*path, "monthly"), found=found, expected=expected, code="bad-deposit")
    if not line.collected and not line.fen("amount"):
        found, expected = _("a line without a deposit"), _("amount, monthly or of_pay above 0")
        yield Trouble(path, found=found, expected=expected, code="bad-deposit")
    elif not line.collected and line.fen("forfeit") > line.fen("amount"):
        expected = _("at most the deposit itself, {amount}").format(amount=line.amount)
        found = line.forfeit
        yield Trouble((*path, "forfeit"), found=found, expected=expected, code="bad-deposit", severity="warning")


def by_role(lines: Sequence[Deposit], role: str, value: Callable[[Deposit], pl.Expr]) -> pl.Expr:
    """Return what the line that covers a row says, null where none does.

    Args:
        lines: in any order; what names more comes first.
        role: the column that holds the role.
        value: gives a line's value, Int64 or Boolean.
    """
    chain = pl.lit(None)
    for line in sorted(lines, key=lambda each: (bool(each.role), bool(each.group), each.role, each.group)):
        mine = pl.lit(value=True)
        if line.role:
            mine = mine & (pl.col(role) == line.role)
        if line.group:
            mine = mine & (pl.col("group") == line.group)
        chain = pl.when(mine).then(value(line)).otherwise(chain)
    return chain


def _fen(name: str) -> Callable[[Deposit], pl.Expr]:
    return lambda line: pl.lit(line.fen(name), pl.Int64)


def _whole(fen: pl.Expr) -> pl.Expr:
    """Give an expression that may be nothing but null the type of an amount."""
    return fen.cast(pl.Int64)


def _collect(lines: Sequence[Deposit]) -> Rule:
    """Keep a part of each month's pay, all months of the year (Funan county 2006; County A)."""

    def kept(base: str) -> Callable[[Deposit], pl.Expr]:
        def amount(line: Deposit) -> pl.Expr:
            if line.base != base or not line.collected:
                return pl.lit(0, pl.Int64)
            part = int(line.of_pay * BILLION)
            pay = pl.col(base)
            share = pay // BILLION * part + pay % BILLION * part // BILLION
            return share if part else pl.lit(line.fen("monthly"), pl.Int64)

        return amount

    bases = sorted({line.base for line in lines if line.collected})
    return Rule(
        "deposit_collect",
        kind="deposit",
        subject="staff",
        when=at.month_end & (unit.expected < 1) & unit.completion.is_not_null(),
        until=at.year_end,
        deposit=[Collect(_whole(by_role(lines, "grade", kept(base))), base=base) for base in bases],
        label=N_("Deposit kept from pay"),
        reason=N_("a part of each month's pay is kept as a deposit until the year end"),
        sources=("M12", "M17"),
    )


def _forfeit(lines: Sequence[Deposit], projects: pl.Expr, secured: pl.Expr) -> Rule:
    """Forfeit a part for each quarter without a project (Town D)."""
    return Rule(
        "deposit_forfeit",
        kind="deposit_forfeit",
        subject="staff",
        when=at.quarter_end & (unit.quarter_projects < projects) & secured,
        repeats=True,
        into=lines[0].into,
        deposit=Forfeit(_whole(by_role(lines, "role", _fen("forfeit")))),
        label=N_("Part of the deposits forfeited"),
        reason=N_("{quarter_projects} projects in the quarter, fewer than {pay_withholding.deposit_projects}"),
        sources=("M12",),
    )


def _refund(secured: pl.Expr) -> Rule:
    """Refund what was forfeited and return everything where the task is met by the year end (Town D; Funan)."""
    return Rule(
        "deposit_refund",
        kind="deposit_refund",
        subject="staff",
        when=at.year_end & (unit.completion >= 1) & secured,
        deposit=[Refund(), Return()],
        label=N_("Deposits refunded and returned"),
        reason=N_("completion {completion:.2%}, the annual task is met"),
        sources=("M12", "M18"),
    )


def _close(lines: Sequence[Deposit], secured: pl.Expr) -> Rule:
    """Forfeit or return the rest where the task is not met by the year end (Funan; Town D)."""

    def rest(line: Deposit) -> pl.Expr:
        return pl.col("held") if line.unmet == "forfeited" else pl.lit(0, pl.Int64)

    forfeited = (
        [Forfeit(_whole(by_role(lines, "role", rest)))] if any(line.unmet == "forfeited" for line in lines) else []
    )
    return Rule(
        "deposit_close",
        kind="deposit_close",
        subject="staff",
        when=at.year_end & (unit.completion < 1) & secured,
        into=lines[0].into if forfeited else "",
        deposit=[*forfeited, Return()],
        label=N_("Deposits closed"),
        reason=N_("completion {completion:.2%} at the year end, the annual task is not met"),
        sources=("M12", "M17"),
    )


def _reward(reward: pl.Expr, secured: pl.Expr) -> Rule:
    """Reward the group that met its task (Town D: 50,000 yuan)."""
    return Rule(
        "deposit_reward",
        kind="bonus",
        subject="unit",
        when=at.year_end & (unit.completion >= 1) & (reward > 0) & secured,
        amount=reward,
        label=N_("Reward of the group"),
        reason=N_("completion {completion:.2%}, the annual task is met"),
        sources=("M16",),
    )


def _deposits_paid() -> Indicator:
    """Sum the deposits paid in for a unit itself: where there are none, nothing is proposed about them."""
    return Indicator(
        "deposits_paid",
        kind="money",
        value=pl.col("amount"),
        table="deposits",
        own=True,
        label=N_("Deposits paid in"),
        sources=("M12",),
    )


def _projects_of_quarter() -> Indicator:
    """Count the projects recognised in the month of a tick and the two before it: at a quarter's end, its own."""
    months = pl.col("tick").dt.year() * 12 + pl.col("tick").dt.month()
    since = pl.col("recognised_on").dt.year() * 12 + pl.col("recognised_on").dt.month()
    return Indicator(
        "quarter_projects",
        kind="count",
        value=months - since < 3,  # noqa: PLR2004 (the months of a quarter)
        table="projects",
        label=N_("Projects recognised in three months"),
        sources=("M12",),
    )


def _checks(lines: Sequence[Deposit]) -> Iterator[Check]:
    paid_in = [line for line in lines if not line.collected]
    if not any(not line.role and not line.group for line in lines):
        roles = sorted({line.role for line in lines if line.role})
        yield Check(
            "deposit_role",
            table="deposits",
            when=~pl.col("role").is_in(roles) | pl.col("role").is_null(),
            message=N_("deposit {deposit} of {person}: role {role} has no line in [[pay_withholding.deposit]]"),
            sources=("M12",),
        )
    if paid_in and not any(line.group for line in lines):
        paid = pl.col("amount").sum().over("person", "unit", "role")
        yield Check(
            "deposit_short",
            table="deposits",
            when=paid < _whole(by_role(lines, "role", _fen("amount"))),
            message=N_("deposit {deposit} of {person}: less was paid in than role {role} owes"),
            sources=("M12",),
        )
