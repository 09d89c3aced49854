"""Settings of the whole test suite."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from kpi_rules.locale import set_language

# No deadline: two shared cores make single examples slow now and then. In CI the same examples are tried every time.
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("dev"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture(autouse=True)
def _english() -> None:
    """Speak English, whatever the machine speaks: expected texts are written in it."""
    set_language("en")
