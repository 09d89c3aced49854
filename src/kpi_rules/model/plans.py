"""Plans of several steps over frames that are there."""

from __future__ import annotations

from typing import Final

import polars as pl

PLAIN: Final = pl.QueryOptFlags.none()
"""Optimising takes longer than the few steps of a plan over frames in memory."""


def run(plan: pl.LazyFrame) -> pl.DataFrame:
    """Run a plan as it is written: what its steps give one by one.

    Each step that is called on a frame is a plan of its own. Over some hundred rows several of them cost a few times
    what they cost together.
    """
    return plan.collect(engine="in-memory", optimizations=PLAIN)
