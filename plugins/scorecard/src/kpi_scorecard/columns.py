"""What the columns that a condition may read hold: money, whole numbers, ratios, words.

The library checks that a column exists once every policy has said which it adds. What is known here is what decides
how a bound is read and where a table has gaps: between 2 and 3 projects there is nothing, between 20% and 30% there is.
"""

from __future__ import annotations

from typing import Final, Literal

from attrs import define

Sort = Literal["money", "whole", "ratio", "text", "flag", "number"]
"""What a column holds; `number` is what is not known: an indicator of some policy."""

_WITH_QUOTA: Final = {"funds": "money", "signed": "whole", "started": "whole", "producing": "whole"}
_COUNTS: Final = ("lag", "rank", "group_size", "recognised", "campaign_rank")
_RATES: Final = ("completion", "expected", "arrival_rate", "start_rate", "production_rate", "campaign_completion")
_RATIO_ENDINGS: Final = ("_completion", "_quality")
_WHOLE_PREFIXES: Final = ("rank_", "last_", "row_")


@define(frozen=True)
class Column:
    """A column: its name, what it holds, and whether it may be below 0."""

    name: str
    sort: Sort
    signed: bool = False

    @property
    def numeric(self) -> bool:
        """Whether it is compared with numbers."""
        return self.sort not in {"text", "flag"}


def column(name: str) -> Column:
    """Return what is known of a column by its name."""
    known = _KNOWN.get(name)
    if known is not None:
        return known
    if name.endswith(_RATIO_ENDINGS):
        return Column(name, "ratio")
    if name.endswith("_overdue") or name.startswith("veto_"):
        return Column(name, "flag")
    if name.startswith("grade_"):
        return Column(name, "text")
    if name.startswith(_WHOLE_PREFIXES):
        return Column(name, "whole")
    if name == "score" or name.startswith("score_"):
        return Column(name, "number", signed=True)
    return Column(name, "number", signed=True)


def _known() -> dict[str, Column]:
    found = [Column(name, "text") for name in ("unit", "group", "kind")]
    for name, sort in _WITH_QUOTA.items():
        kind: Sort = "money" if sort == "money" else "whole"
        endings = ("", "_quota", "_quota_original", "_stretch")
        found += [Column(f"{name}{ending}", kind) for ending in endings]
        found.append(Column(f"campaign_{name}", kind, signed=True))
    found += [Column(name, "money") for name in ("contracted", "vouchers")]
    found += [Column(name, "whole") for name in _COUNTS]
    found += [Column(name, "ratio") for name in _RATES]
    found.append(Column("pace_gap", "ratio", signed=True))
    return {each.name: each for each in found}


_KNOWN: Final = _known()
