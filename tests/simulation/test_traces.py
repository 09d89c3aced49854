"""What is noted of the happenings of the engine, where futures of a year or two do not reach."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from kpi_rules.model.calendar import Tick, month_ends
from kpi_rules.pipeline.masks import Mask
from kpi_rules.pipeline.state import State
from kpi_rules.simulation.traces import Account
from kpi_rules.simulation.withholding import Withholding
from tests.pipeline.making import workspace

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("months", [1, 12, 255, 256, 300])
def test_measures_may_last_for_decades(tmp_path: Path, months: int) -> None:
    rules = workspace(tmp_path, enabled=("field_duty",)).plugins.rules
    days = month_ends(date(2012, 1, 1), date(2060, 1, 1))[:months]
    ticks = [Tick(day, frozenset({"at_month_end"})) for day in days]
    till = Withholding(None, {}, pl.Series(["a", "b"]))  # type: ignore[arg-type]  # nothing is withheld
    account = Account(rules, ticks, State.fresh(rules, 4), till, {})
    for here in range(months):
        account.saw("lasting", here, "field_duty.off_post", Mask(np.array([True, False, True, False])), None)
    assert account.months["field_duty.off_post"].tolist() == [months, 0, months, 0]
    assert not account.months["field_duty.leave_post"].any()
