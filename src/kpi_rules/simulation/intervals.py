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


def switched(a_only: NDArray[np.int64], b_only: NDArray[np.int64], draws: int) -> tuple[Real, Real, Real]:
    """Return the difference of two chances counted on the same draws, B less A, and its 95% interval.

    Only draws that differ say anything (McNemar 1947); where none does, difference and interval are exactly 0.

    Args:
        a_only: draws in which it holds under A alone.
        b_only: draws in which it holds under B alone.
        draws: of how many, at least 1.
    """
    difference = (b_only - a_only) / draws
    half = Z * np.sqrt(np.maximum((a_only + b_only) / draws - difference**2, 0) / draws)
    return difference, np.maximum(difference - half, -1), np.minimum(difference + half, 1)


def moved(sums: NDArray[np.int64], squares: NDArray[np.object_], draws: int) -> tuple[Real, Real, Real]:
    """Return the mean of paired differences and its 95% interval.

    Args:
        sums: of the differences over the draws.
        squares: of their squares, exact.
        draws: of how many, at least 1.
    """
    mean = sums / draws
    # The variance is made exactly before it is rounded: of two large sums nearly nothing would be left of floats.
    whole = [draws * int(square) - int(total) ** 2 for square, total in zip(squares, sums, strict=True)]
    variance = np.array([each / draws / draws for each in whole])
    half = Z * np.sqrt(variance / draws)
    return mean, mean - half, mean + half
