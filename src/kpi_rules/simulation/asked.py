"""Whether what is asked for can be done."""

from __future__ import annotations

from kpi_rules.locale import _
from kpi_rules.model.problems import AssessmentError, Place, error


def check_numbers(**given: tuple[object, int]) -> None:
    """Check numbers by the names they are given under: each whole, and no less than the least that comes with it.

    Raises:
        AssessmentError: one is not.
    """
    problems = []
    for key, (value, least) in given.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            expected = _("a whole number from {least}").format(least=least)
            problems.append(error("bad-number", Place(key=key), found=repr(value), expected=expected))
    if problems:
        raise AssessmentError(problems)
