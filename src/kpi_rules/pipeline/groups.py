"""Peer groups as small numbers, which a large population is compared by far sooner than by names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Places = NDArray[np.unsignedinteger[Any]]
Peers = tuple[Places, NDArray[np.bool_]]
"""A small number for each unit's group, and who has a group."""

SAMPLE: Final = 1_000
"""Units among whom all groups are hoped to be; so few are sooner looked up one by one than by any plan."""

FEW: Final = 16
"""Groups that one comparison each is cheaper for than a look-up of texts."""


def places(groups: Sequence[str], group: pl.Series) -> Places:
    """Return the place of each unit's group among those named; past the end for any other and for none."""
    if len(group) <= SAMPLE:
        known = {name: here for here, name in enumerate(groups)}
        found = [known.get(name, len(groups)) for name in group.to_list()]
        return np.array(found, dtype=np.uint8 if len(groups) < 2**8 else np.uint32)
    dtype = pl.UInt8 if len(groups) < 2**8 else pl.UInt32
    place = pl.lit(len(groups), dtype)
    for here, name in enumerate(groups):  # few: a comparison each is far cheaper than a look-up of texts
        place = pl.when(pl.col("group") == name).then(pl.lit(here, dtype)).otherwise(place)
    codes = pl.DataFrame({"group": group}).select(place=place).to_series()
    return (codes if len(codes) == len(group) else codes.new_from_index(0, len(group))).to_numpy()


def numbered(group: pl.Series) -> Peers:
    """Return a small number for each unit's group, anything without one, and who has a group.

    Peers are numbered already.
    """
    if group.dtype.is_integer():
        there = group.is_not_null().to_numpy()
        codes = group.fill_null(0).to_numpy()
    else:
        names = sorted(set(group.head(SAMPLE).to_list()) - {None})
        if len(names) <= FEW:
            found = places(names, group)
            there = found < len(names)
            if np.count_nonzero(there) == len(group) - group.null_count():
                return found, there
        there = group.is_not_null().to_numpy()
        codes = group.cast(pl.Categorical).to_physical().fill_null(0).to_numpy()
    return codes.astype(np.min_scalar_type(int(codes.max(initial=0)))), there
