"""One step of the rules: who ends, who starts, who is superseded. The same for a column of units and for a single case.

A mask is some units of a block, a Boolean array or a plain bool; `&` and `|` mean the same for all, and
`and_not` is handed in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from kpi_rules.pipeline import masks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Mask = TypeVar("Mask", masks.Mask, NDArray[np.bool_], bool)


def unblocked(
    candidates: Mapping[str, Mask],
    remaining: Mapping[str, Mask],
    superseding: Mapping[str, Sequence[str]],
    and_not: Callable[[Mask, Mask], Mask],
) -> dict[str, Mask]:
    """Return the candidates that no superseding rule keeps out, by being active or a candidate itself."""
    found = {}
    for name, mask in candidates.items():
        kept = mask
        for other in superseding[name]:
            kept = and_not(kept, remaining[other] | candidates[other])
        found[name] = kept
    return found


def superseded(
    starting: Mapping[str, Mask], remaining: Mapping[str, Mask], superseding: Mapping[str, Sequence[str]]
) -> dict[str, Mask]:
    """Return the active measures that a starting rule replaces; rules that nothing supersedes are left out."""
    found = {}
    for name, others in superseding.items():
        if others:
            replaced = starting[others[0]]
            for other in others[1:]:
                replaced = replaced | starting[other]
            found[name] = remaining[name] & replaced
    return found
