"""The words of a condition written as text: what each is, and which of them a rule may use.

Only what is listed here reaches polars. A name is handed over in quotes, so `current_date` is a column that there is
not and never today; a function that is not listed reads no file, no other row and no clock.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal

from attrs import define, evolve

from kpi_rules.locale import _
from kpi_rules.model.expressions import Refusal
from kpi_rules.model.money import FEN, LIMIT, UNITS
from kpi_rules.model.problems import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Kind = Literal["name", "function", "keyword", "number", "text", "mark"]

KEYWORDS: Final = frozenset(
    "AND OR NOT IN BETWEEN IS NULL TRUE FALSE LIKE CASE WHEN THEN ELSE END DATE".split()  # noqa: SIM905 (as SQL is read)
)

FUNCTIONS: Final[Mapping[str, tuple[int, int]]] = {
    "abs": (1, 1),
    "ceil": (1, 1),
    "day": (1, 1),
    "ends_with": (2, 2),
    "floor": (1, 1),
    "greatest": (2, 99),
    "least": (2, 99),
    "month": (1, 1),
    "quarter": (1, 1),
    "round": (1, 2),
    "share_of": (2, 2),
    "starts_with": (2, 2),
    "year": (1, 1),
}
"""The functions of a text, with the least and the greatest number of what stands in their brackets."""

_CLOCKS: Final = frozenset(
    ["now", "today", "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "getdate"]
)
_FILLING: Final = frozenset({"coalesce", "ifnull", "nvl"})
_OVER_ROWS: Final = {"min": "least", "max": "greatest"}
_AGGREGATES: Final = frozenset(["sum", "avg", "mean", "median", "count", "stddev", "variance", "first", "last"])

_PLACES, _DIGITS = 9, 15
"""Digits after the point, and in all: with no more, the nearest ratio is the one that a division gives."""

_TOKEN: Final = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<text>'(?:[^']|'')*')"
    r'|(?P<quoted>"[^"]*")'
    r"|(?P<number>(?:\d|\.\d)[\w.]*)"
    r"|(?P<word>[^\W\d]\w*(?:\.[^\W\d]\w*)*)"
    r"|(?P<comment>--|/\*)"
    r"|(?P<mark><=|>=|<>|!=|==|//|[-+*/%()=<>,])"
    r"|(?P<strange>.)",
    re.DOTALL,
)
_NUMBER: Final = re.compile(r"(?P<number>\d+(?:\.\d+)?|\.\d+)(?P<unit>[^\d\W]*)", re.ASCII | re.DOTALL)
_MONEY: Final = re.compile(rf"(?P<number>\d+(?:\.\d+)?|\.\d+)(?P<unit>{'|'.join(sorted(filter(None, UNITS)))})")

_MEANT: Final[Mapping[str, str]] = {
    "≤": "<=",
    "≥": ">=",
    "≠": "<>",
    "＜": "<",
    "＞": ">",
    "＝": "=",
    "（": "(",
    "）": ")",
    "，": ",",
    "‘": "'",
    "’": "'",
    "“": "'",
    "”": "'",
    "&": "AND",
    "|": "OR",
    "~": "NOT",
    "!": "NOT",
    "×": "*",
    "÷": "/",
}
"""Signs that people write, and what a text takes in their place."""

NOT_TEXT: Final = re.compile(r"sql parser error: .*?(?: at Line: \d+, Column: (\d+))?$", re.DOTALL)
"""What polars says of a statement it cannot read, and where."""


@define(frozen=True)
class Token:
    """A word, number, sign of a text: `start` is its place, `written` what polars is handed for it.

    `closing` of an opening bracket is the place of its closing one among the tokens, `closing` of a comma that of the
    opening bracket around it; -1 without one.
    """

    kind: Kind
    text: str
    start: int
    written: str
    closing: int = -1


def lexed(text: str) -> tuple[list[Token], list[Refusal]]:
    """Take a text apart; every sign that no condition has, and every number that is none, is a refusal."""
    tokens: list[Token] = []
    refusals: list[Refusal] = []
    for match in _TOKEN.finditer(text):
        kind, part, start = str(match.lastgroup), match[0], match.start()
        if kind == "space":
            continue
        if kind == "number":
            number = _number(part)
            if isinstance(number, str):
                tokens.append(Token("number", part, start, number))
            else:
                refusals.append(evolve(number, node=_at(part, start)))
        elif kind in {"strange", "comment"}:
            refusals.append(_strange(part, start))
        elif kind == "quoted":
            tokens.append(Token("name", part, start, part))
        elif kind == "word":
            tokens.append(_word(part, start, text[match.end() :]))
        else:
            tokens.append(Token("text" if kind == "text" else "mark", part, start, part))
    if not tokens and not refusals:
        expected = _("an SQL condition or amount such as completion < 0.5 AND lag >= 3")
        refusals.append(Refusal("bad-expression", _("an empty text"), expected))
    return _paired(tokens, refusals)


def _at(text: str, start: int) -> str:
    return _("{text} at character {place}").format(text=text, place=start + 1)


def _word(part: str, start: int, rest: str) -> Token:
    upper = part.upper()
    if upper == "DATE" and not rest.lstrip().startswith("'"):
        upper = ""
    if upper in KEYWORDS:
        return Token("keyword", part, start, upper)
    if rest.lstrip().startswith("("):
        return Token("function", part, start, part.lower())
    return Token("name", part, start, f'"{part}"')


def _number(part: str) -> str | Refusal:
    """Return a number as polars is handed it, money in fen."""
    if money := _MONEY.fullmatch(part):
        fen = Fraction(money["number"]) * UNITS[money["unit"]] * FEN
        if fen.denominator == 1 and fen <= LIMIT:
            return str(fen)
        expected = _("an amount of at most 2000亿 and no part of a fen, such as 1500万 or 30000.50元")
        return Refusal("bad-expression", part, expected)
    number = _NUMBER.fullmatch(part)
    if number is None or number["unit"]:
        expected = _("a number written out, such as 3 or 0.25, or money such as 1500万 or 30000.50元")
        return Refusal("bad-expression", part, expected)
    digits = number["number"]
    if len(digits.replace(".", "").lstrip("0")) > _DIGITS or len(digits.partition(".")[2]) > _PLACES:
        expected = _("a number of at most {digits} digits, {places} of them after the point")
        return Refusal("bad-expression", part, expected.format(digits=_DIGITS, places=_PLACES))
    return format(Decimal(digits), "f")


def _strange(part: str, start: int) -> Refusal:
    if part in {"'", '"'}:
        expected = _("a quotation mark that closes it")
        return Refusal("bad-expression", _at(part, start), expected)
    expected = _("names, numbers, texts in '…', and the operators = <> < <= > >= + - * / // % AND OR NOT")
    return Refusal("bad-expression", _at(part, start), expected, _MEANT.get(part))


def _paired(tokens: list[Token], refusals: list[Refusal]) -> tuple[list[Token], list[Refusal]]:
    """Find the closing bracket of each opening one, and the opening one around each comma."""
    opened: list[int] = []
    for here, token in enumerate(tokens):
        if token.text == "(":
            opened.append(here)
        elif token.text == ")" and opened:
            around = opened.pop()
            tokens[around] = evolve(tokens[around], closing=here)
        elif token.text == ")":
            refusals.append(Refusal("bad-expression", _at(")", token.start), _("an opening bracket before it")))
        elif token.text == "," and opened:
            tokens[here] = evolve(token, closing=opened[-1])
    expected = _("a closing bracket after it")
    unclosed = [Refusal("bad-expression", _at("(", tokens[here].start), expected) for here in opened]
    return tokens, refusals + unclosed


def refused_words(tokens: Sequence[Token]) -> list[Refusal]:
    """Return every word that a rule may not use, and every pair of words with no operator between."""
    return [*_functions(tokens), *_clocks(tokens), *_patterns(tokens), *_misfits(tokens)]


def _functions(tokens: Sequence[Token]) -> Iterator[Refusal]:
    for here, token in enumerate(tokens):
        if token.kind != "function":
            continue
        name = token.text.casefold()
        if name not in FUNCTIONS:
            yield _no_function(name, token)
            continue
        opening = here + 1
        commas = sum(each.text == "," and each.closing == opening for each in tokens)
        empty = tokens[opening].closing == opening + 1
        least, most = FUNCTIONS[name]
        if empty or not least <= commas + 1 <= most:
            count = str(least) if least == most else _("{least} or more").format(least=least)
            found = _("{text} with {count}").format(text=_at(token.text, token.start), count=0 if empty else commas + 1)
            expected = _("{count} values in the brackets of {name}").format(count=count, name=name)
            yield Refusal("bad-expression", found, expected)


def _no_function(name: str, token: Token) -> Refusal:
    found = _at(f"{token.text}()", token.start)
    if name in _CLOCKS:
        return _no_clock(token)
    if name in _FILLING:
        expected = _("no value in place of a missing one, which stays missing")
        return Refusal("node-not-allowed", found, expected)
    if name in _OVER_ROWS or name in _AGGREGATES:
        expected = _("row-wise functions: {functions}; an [[indicator]] with within compares units")
        return Refusal("node-not-allowed", found, expected.format(functions=", ".join(FUNCTIONS)), _OVER_ROWS.get(name))
    expected = _("one of {functions}").format(functions=", ".join(FUNCTIONS))
    return Refusal("node-not-allowed", found, expected, nearest(name, FUNCTIONS))


def _clocks(tokens: Sequence[Token]) -> Iterator[Refusal]:
    for token in tokens:
        if token.kind == "name" and token.text.casefold() in _CLOCKS:
            yield _no_clock(token)


def _no_clock(token: Token) -> Refusal:
    expected = _("no clock: the same result on every day; the moments of a tick are columns such as at_month_end")
    return Refusal("node-not-allowed", _at(token.text, token.start), expected)


def _patterns(tokens: Sequence[Token]) -> Iterator[Refusal]:
    """LIKE takes a text with % at its start, its end or both; a date has to be one; IS goes with NULL alone."""
    for before, token in pairwise(tokens):
        if before.text.upper() == "LIKE" and (token.kind != "text" or set(token.text[1:-1].strip("%")) & set("%_")):
            expected = _("a text with % at its start or its end alone")
            yield Refusal("bad-expression", _at(token.text, token.start), expected)
        if before.written == "DATE" and before.kind == "keyword" and not _is_date(token.text[1:-1]):
            yield Refusal("bad-expression", _at(token.text, token.start), _("a date such as '2011-06-30'"))
    for here, token in enumerate(tokens):
        if token.kind == "keyword" and token.written in {"TRUE", "FALSE", "NULL"}:
            words = [each.written for each in tokens[max(here - 2, 0) : here]]
            is_tested = words[-1:] == ["IS"] or words == ["IS", "NOT"]
            is_given = words[-1:] in (["THEN"], ["ELSE"])
            if (not is_tested and not is_given) if token.written == "NULL" else is_tested:
                yield Refusal("bad-expression", _at(token.text, token.start), _("IS NULL or IS NOT NULL"))


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _misfits(tokens: Sequence[Token]) -> Iterator[Refusal]:
    """Two values next to each other: polars would take the second for a name of the first."""
    for before, token in pairwise(tokens):
        ends = before.kind in {"name", "number", "text"} or before.text == ")" or before.written == "END"
        begins = token.kind in {"name", "function", "number", "text"} or token.text == "("
        if ends and begins:
            found = _("{after} after {text}").format(after=_at(token.text, token.start), text=before.text)
            yield Refusal("bad-expression", found, _("an operator between them, such as AND, < or *"))
