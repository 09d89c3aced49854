"""Conditions as text: `0.5 <= completion < 0.8`, `funds >= 1000万`, `kind = department`, `kind in (a, b)`.

Each bound says by its sign whether it includes the number itself. A condition is read into terms, one comparison of
one column each; from the terms come both the expression that is evaluated and the analysis of a table, so that the
two cannot differ.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal

import polars as pl
from attrs import define

import kpi_rules as kr
from kpi_scorecard.columns import Column, column
from kpi_scorecard.exact import PARTS, rounded
from kpi_scorecard.texts import _

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kpi_scorecard.config import Rounding

Op = Literal["<", "<=", ">", ">=", "=", "in", "not in"]
Value = Fraction | frozenset[str] | bool
Example = Fraction | str | bool | None
"""A value of a column; None stands for a word that no condition names."""

_SIGNS: Final[Mapping[str, Op]] = {
    "<": "<",
    "<=": "<=",
    "≤": "<=",
    "＜": "<",
    ">": ">",
    ">=": ">=",
    "≥": ">=",
    "＞": ">",
    "=": "=",
    "==": "=",
    "＝": "=",
    "is": "=",
    "in": "in",
    "not in": "not in",
    "!=": "not in",
    "≠": "not in",
    "is not": "not in",
}
_TURNED: Final[Mapping[Op, Op]] = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}
_NUMBER = r"(?P<{0}>[-+]?(?:\d[\d,]*(?:\.\d+)?|\.\d+))\s*(?P<{0}_unit>%|％|千元|万元|亿元|千|万|亿|元)?"
_ORDER = r"<=|>=|<|>|≤|≥|＜|＞"
_NAME = r"(?P<name>[^\W\d]\w*)"
_BETWEEN = re.compile(
    rf"{_NUMBER.format('low')}\s*(?P<first>{_ORDER})\s*{_NAME}(?:\s*(?P<second>{_ORDER})\s*{_NUMBER.format('high')})?"
)
_WORDS = r"\bis\s+not\b|\bis\b|\bnot\s+in\b|\bin\b"
_PLAIN = re.compile(rf"{_NAME}\s*(?P<sign>{_ORDER}|==|=|＝|!=|≠|{_WORDS})\s*(?P<rest>.+)")
_ONLY_NUMBER = re.compile(_NUMBER.format("number"))


@define(frozen=True)
class Fault(Exception):  # noqa: N818 (it is raised only to be turned into a `Trouble`)
    """Why a text is no condition."""

    found: str
    expected: str


@define(frozen=True)
class Term:
    """One comparison of one column with a number, words, or true and false."""

    column: Column
    op: Op
    value: Value

    def holds(self, example: Example) -> bool:
        """Say whether it holds for a value of the column."""
        if isinstance(self.value, frozenset):
            return (example in self.value) is (self.op == "in")
        if isinstance(self.value, bool) or not isinstance(example, (Fraction, int)):
            return example == self.value
        return {
            "<": example < self.value,
            "<=": example <= self.value,
            ">": example > self.value,
            ">=": example >= self.value,
            "=": example == self.value,
        }[self.op]

    def expression(self, digits: int | None = None, rounding: Rounding = "half_up") -> pl.Expr:
        """Return it as an expression; with `digits` a ratio is rounded before it is compared."""
        here = pl.col(self.column.name)
        if isinstance(self.value, frozenset):
            found = pl.any_horizontal([here == word for word in sorted(self.value)])
            return found if self.op == "in" else ~found
        if isinstance(self.value, bool):
            return here if self.value else ~here
        if digits is not None and self.column.sort == "ratio":
            here = rounded(here, digits, rounding)
            return _compared(here, self.op, self.value * 10**digits)
        return _compared(here, self.op, self.value)


def _compared(here: pl.Expr, op: Op, value: Fraction) -> pl.Expr:
    bound = pl.lit(value.numerator if value.denominator == 1 else value.numerator / value.denominator)
    match op:
        case "<":
            return here < bound
        case "<=":
            return here <= bound
        case ">":
            return here > bound
        case ">=":
            return here >= bound
    return here == bound


def read(text: str) -> tuple[Term, ...]:
    """Read a condition.

    Raises:
        Fault: it is none; it says what was found and what was expected.
    """
    text = text.strip()
    if (match := _BETWEEN.fullmatch(text)) is not None:
        here, first = column(match["name"]), _TURNED[_SIGNS[match["first"]]]
        terms = [_numeric(here, first, match["low"], match["low_unit"])]
        if match["second"]:
            second = _SIGNS[match["second"]]
            if second[0] == first[0]:
                expected = _("two bounds that face each other, such as 0.5 <= {name} < 0.8")
                raise Fault(text, expected.format(name=here.name))
            terms.append(_numeric(here, second, match["high"], match["high_unit"]))
        return tuple(terms)
    if (match := _PLAIN.fullmatch(text)) is not None:
        return (_term(text, column(match["name"]), _SIGNS[" ".join(match["sign"].split())], match["rest"].strip()),)
    expected = _("a condition such as 0.5 <= completion < 0.8, funds >= 1000万 or kind = department")
    raise Fault(text, expected)


def _term(text: str, here: Column, op: Op, rest: str) -> Term:
    number = _ONLY_NUMBER.fullmatch(rest)
    if here.sort != "text" and number is not None and op not in {"in", "not in"}:
        return _numeric(here, op, number["number"], number["number_unit"])
    if here.sort != "text" and number is not None:
        raise Fault(text, _("<, <=, >, >= or = for a number"))
    if op in {"<", "<=", ">", ">="}:
        expected = _("= or in for words") if here.sort == "text" else _("a number, such as 0.8, 80% or 1000万")
        raise Fault(text, expected)
    if rest.casefold() in {"true", "false"} and op == "=" and here.sort in {"flag", "number"}:
        return Term(Column(here.name, "flag"), "=", rest.casefold() == "true")
    if here.sort not in {"text", "number"}:
        expected = _("true or false") if here.sort == "flag" else _("a number, such as 0.8, 80% or 1000万")
        raise Fault(text, expected)
    words = _words(rest) if rest.startswith("(") else [_word(rest)]
    if not words or not all(words):
        raise Fault(text, _("a word, or words in brackets with commas between them"))
    return Term(Column(here.name, "text"), "in" if op in {"=", "in"} else "not in", frozenset(words))


def _words(rest: str) -> list[str]:
    if not rest.endswith(")"):
        return []
    return [_word(word.strip()) for word in re.split(r"[,，、]", rest[1:-1])]


def _word(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return "" if re.search(r"[<>=()\"']", text) else text


def _numeric(here: Column, op: Op, digits: str, unit: str | None) -> Term:
    """Read a bound as what the column holds; an amount of money must name its unit."""
    if not here.numeric:
        found = f"{here.name} {op} {digits}{unit or ''}"
        raise Fault(found, _("= or in for words") if here.sort == "text" else _("true or false"))
    return Term(here, op, amount(here, digits, unit))


def amount(here: Column, digits: str, unit: str | None) -> Fraction:
    """Return the number that a bound of a column stands for: fen for money, a share for a percentage.

    Raises:
        Fault: money without a unit, something else with one, or more places than are exact.
    """
    found = f"{digits}{unit or ''}"
    if unit in {"%", "％"}:
        if here.sort in {"money", "whole"}:
            raise Fault(found, _("a number without % for {name}").format(name=here.name))
        return _exact(Fraction(digits.replace(",", "")) / 100, found)
    if unit is not None:
        fen = kr.parse_amount(found)
        if here.sort in {"ratio", "whole"} or fen is None:
            raise Fault(found, _("a number without a unit of money for {name}").format(name=here.name))
        return Fraction(fen)
    if here.sort == "money":
        raise Fault(found, _("an amount with its unit for {name}, such as 1000万 or 500元").format(name=here.name))
    return _exact(Fraction(digits.replace(",", "")), found)


def _exact(number: Fraction, found: str) -> Fraction:
    if (number * PARTS).denominator != 1 or abs(number) > PARTS:
        raise Fault(found, _("a decimal of at most nine places, up to a billion"))
    return number


def number(here: Column, text: str) -> Fraction:
    """Return a number written by itself, such as a fixed target.

    Raises:
        Fault: it is none that suits the column.
    """
    match = _ONLY_NUMBER.fullmatch(text.strip())
    if match is None:
        raise Fault(text, _("a number, such as 0.8, 80% or 1000万"))
    return amount(here, match["number"], match["number_unit"])


def columns_of(rows: Sequence[Sequence[Term]]) -> Iterator[str]:
    """Give the columns that conditions read, each once, in the order in which they are first read."""
    return iter(dict.fromkeys(term.column.name for terms in rows for term in terms))


def all_of(terms: Sequence[Term], digits: int | None = None, rounding: Rounding = "half_up") -> pl.Expr:
    """Return the expression of conditions that must all hold; true where there are none."""
    if not terms:
        return pl.lit(value=True)
    return pl.all_horizontal([term.expression(digits, rounding) for term in terms])
