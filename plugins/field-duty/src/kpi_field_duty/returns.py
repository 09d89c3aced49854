"""Who may come home: return requests of squads, decided by rule (M8).

A squad stays out until it has a result. It may return with a project of its unit, or one it introduced itself, that was
recognised within the posting, or for a special circumstance that the leadership accepted. Anything else is a finding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import polars as pl
from attrs import define

from kpi_rules import N_, rows, translate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from kpi_rules import Assessment, Workspace

Because = Literal["project", "circumstance", "not accepted", "no result", "not asked"]

REASONS: Mapping[Because, str] = {
    "project": N_("project {result} was recognised on {result_on}, within the posting"),
    "circumstance": N_("the circumstance {circumstance} was accepted on {accepted_on}"),
    "not accepted": N_(
        "no project was recognised within the posting, and the circumstance {circumstance} is not accepted"
    ),
    "no result": N_("no project was recognised within the posting, and no special circumstance is named"),
    "not asked": N_("nobody has asked to return"),
}
"""Why a return is allowed or not, as a sentence."""

RETURNS = {
    "posting": pl.String,
    "request": pl.String,
    "unit": pl.String,
    "squad": pl.String,
    "person": pl.String,
    "requested_on": pl.Date,
    "left_on": pl.Date,
    "allowed": pl.Boolean,
    "because": pl.String,
    "project": pl.String,
    "recognised_on": pl.Date,
    "circumstance": pl.String,
    "accepted_on": pl.Date,
    "reason": pl.String,
}


@define(frozen=True)
class Decision:
    """Whether a squad member may return, and why.

    Attributes:
        posting: that is left.
        request: None where a posting was left without one.
        on: the day decided for.
        allowed: whether the return is allowed.
        because: why: `project`, `circumstance`; or why not: `not accepted`, `no result`, `not asked`.
        project: the first project recognised within the posting, None without.
        recognised_on: the day of that.
        circumstance: as the request names it, None without.
        accepted_on: the day it was accepted, None where it is not.
    """

    posting: str
    request: str | None
    on: date
    allowed: bool
    because: Because
    project: str | None = None
    recognised_on: date | None = None
    circumstance: str | None = None
    accepted_on: date | None = None

    @property
    def reason(self) -> str:
        """The same as a sentence, in the user's language."""
        return translate(REASONS[self.because], "kpi_field_duty").format(
            result=self.project,
            result_on=self.recognised_on,
            circumstance=self.circumstance,
            accepted_on=self.accepted_on,
        )


def may_return(
    of: Workspace | Assessment, which: str, on: date | None = None, known_at: date | None = None
) -> Decision:
    """Decide whether a return is allowed (M8).

    Args:
        of: a workspace, or an assessment, whose days then are the defaults.
        which: the id of a request, or else of a posting: its accepted request counts, or its first.
        on: the day of the decision, by default the year's end: a project or an acceptance after it does not count,
            nor does one after the posting was left.
        known_at: what was recorded after it does not count; by default `on`.

    Raises:
        ValueError: there is no such request or posting by that day.
    """
    for table, column in (("returns", "request"), ("postings", "posting")):
        found = rows(of, table, on, known_at).filter(pl.col(column) == which)
        if found.height:
            return _decision(found.row(0, named=True))
    message = translate(N_("no request or posting {name} by then"), "kpi_field_duty")
    raise ValueError(message.format(name=which))


def _decision(row: Mapping[str, Any]) -> Decision:
    """Decide on a row of `returns` or of `postings`, as of its day."""
    left = row.get("returned_on") or row.get("left_on") or row.get("to_on")
    on: date = min(left, row["as_of"]) if left is not None else row["as_of"]
    accepted = row["accepted_on"] if row["accepted_on"] is not None and row["accepted_on"] <= on else None
    because: Because = (
        "not asked"
        if row["requested_on"] is None and left is None
        else "project"
        if row["results"]
        else "circumstance"
        if accepted is not None
        else "not accepted"
        if row["circumstance"] is not None
        else "no result"
    )
    return Decision(
        posting=row["posting"],
        request=row.get("request"),
        on=on,
        allowed=because in {"project", "circumstance"},
        because=because,
        project=row["result"],
        recognised_on=row["result_on"],
        circumstance=row["circumstance"],
        accepted_on=accepted,
    )


def returns(of: Workspace | Assessment, on: date | None = None, known_at: date | None = None) -> pl.DataFrame:
    """Return every request of a squad with its decision (`RETURNS`), and every posting of one left without a request.

    Ordered by posting, day of the request and request.
    """
    asked = rows(of, "returns", on, known_at).filter(pl.col("role") == "squad")
    silent = (
        rows(of, "postings", on, known_at)
        .filter(pl.col("role") == "squad", pl.col("left_on").is_not_null())
        .join(asked, on="posting", how="anti", maintain_order="left")
    )
    found = []
    for row in [*asked.iter_rows(named=True), *silent.iter_rows(named=True)]:
        made = _decision(row)
        found.append(
            {
                **{name: row[name] for name in ("posting", "unit", "squad", "person", "requested_on")},
                **{name: getattr(made, name) for name in RETURNS if hasattr(made, name)},
                "left_on": row.get("returned_on") or row.get("left_on") or row.get("to_on"),
            }
        )
    frame = pl.DataFrame(found, schema=RETURNS)
    return frame.sort("posting", "requested_on", "request", nulls_last=True)
