"""Expressions of plugins on the data: what fails there is told as a problem that names the contribution."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import polars as pl

from kpi_rules.locale import _
from kpi_rules.model import expressions
from kpi_rules.model.problems import AssessmentError, Place, error

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def evaluating(kind: str, name: str) -> Iterator[None]:
    """Evaluate a contribution of a plugin (`check`, `guard`, `indicator`).

    Raises:
        AssessmentError: it fails on the data, as the strict cast of an infinity does.
    """
    try:
        yield
    except pl.exceptions.PolarsError as problem:
        expected = _("an expression that has a value, or null, for every row")
        found = str(problem).splitlines()[0]
        raise AssessmentError(
            [error("expression-failed", Place(key=f"{kind} {name}"), found=found, expected=expected)]
        ) from problem


def multiplies(expression: pl.Expr) -> bool:
    """Say whether an expression multiplies columns with each other, so that a product may leave 64 bits."""
    return any(_is_product(node) for node in expressions.walk(expressions.tree(expression)))


def _is_product(node: expressions.Node) -> bool:
    kind, held = expressions.kind_of(node)
    if kind != "BinaryExpr" or held["op"] != "Multiply":
        return False
    return not any(expressions.is_constant(side) for side in (held["left"], held["right"]))


def exactly(frame: pl.DataFrame, expression: pl.Expr) -> pl.Series:
    """Return the value of an expression for every row, with whole numbers of 128 bits on the way.

    polars lets a product that leaves 64 bits wrap around without a word.

    Raises:
        pl.exceptions.PolarsError: a result does not fit into 64 bits, or the expression fails otherwise.
    """
    try:
        found = frame.with_columns(pl.col(pl.Int64).cast(pl.Int128)).select(expression).to_series()
    except pl.exceptions.PolarsError:  # an operation that there is for 64 bits alone, or none for these values
        found = frame.select(expression).to_series()
    found = found if len(found) == len(frame) else found.new_from_index(0, len(frame))
    return found.cast(pl.Int64) if found.dtype == pl.Int128 else found
