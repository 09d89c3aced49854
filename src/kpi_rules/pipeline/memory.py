"""Memory of large computations: what is freed and asked for again should not go back to the system in between."""

from __future__ import annotations

from typing import Final

import numpy as np

_SEEN: Final = 31 * 2**20  # bytes


def keep_memory() -> None:
    """Have the C library keep some of what is freed, as much as it would after some large arrays by itself.

    glibc hands back what is freed at the end of its memory where that is more than twice the largest piece that was
    ever freed, of up to 32 MiB. Until it has seen one, each block of units, or chunk of draws, faults in anew what the
    one before it gave up.
    """
    np.empty(_SEEN, dtype=np.uint8)  # freed at once, and never touched: it takes no memory
