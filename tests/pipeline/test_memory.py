"""What is freed is kept: a block takes no new memory where the one before it had as much."""

from __future__ import annotations

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import numpy as np
from kpi_rules.pipeline.memory import keep_memory
if sys.argv[1] == "keep":
    keep_memory()
def block():
    return [np.ones(1_000_000) for _each in range(3)]
block()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _turn in range(10):
    block()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's way")
def test_what_is_freed_is_kept() -> None:
    def faults(how: str) -> int:
        done = subprocess.run([sys.executable, "-c", FAULTS, how], check=True, capture_output=True, text=True)
        return int(done.stdout)

    assert faults("keep") * 5 < faults("plain")
