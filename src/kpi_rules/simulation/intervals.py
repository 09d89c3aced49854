"""How sure a chance is that was counted over draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Real = NDArray[np.float64]

Z: Final = 1.959963984540054
"""The normal quantile of 97.5%: intervals hold with a confidence of 95%."""


def wilson(hits: NDArray[np.int64], draws: int) -> tuple[Real, Real, Real]:
    """Return the share of draws and its Wilson score interval at 95% (Wilson 1927), also near 0 and 1.

    Args:
        hits: how many of the draws.
        draws: of how many, at least 1.

    Returns:
        The share, and the two ends, each from 0 to 1.
    """
    share = hits / draws
    z2 = Z * Z / draws
    middle = (share + z2 / 2) / (1 + z2)
    half = Z * np.sqrt(share * (1 - share) / draws + z2 / (4 * draws)) / (1 + z2)
    low, high = np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)
    return share, np.where(hits == 0, 0.0, low), np.where(hits == draws, 1.0, high)
