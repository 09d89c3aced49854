"""Expressions of plugins on the data: what fails there is told as a problem that names the contribution."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import polars as pl

from kpi_rules.locale import _
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
