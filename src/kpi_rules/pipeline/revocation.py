"""Rewards whose evidence was withdrawn after they were issued: their revocation is proposed, with the amount."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from kpi_rules.locale import _
from kpi_rules.model.money import format_amount
from kpi_rules.model.text import render
from kpi_rules.pipeline.guarded import named
from kpi_rules.pipeline.guards import judged
from kpi_rules.workspace.schemas import SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from kpi_rules.pipeline.result import Assessment

TABLES: Final = ("projects", "claims", "arrivals", "visits")


def revocations(assessment: Assessment) -> Iterator[tuple[str, ...]]:
    """Give a finding for each reward to be taken back, in the columns of findings.

    A reward was issued on what was known on its day. Where evidence of the unit's projects has been revoked since, the
    same rule is asked on what is known now: if it gives no reward, the whole of it is to be revoked, and if it gives
    less, the difference. With decisions only rewards that were approved count, and none that was lifted or reversed.
    """
    guards = assessment.scene.about("reward")
    withdrawn = _withdrawn(assessment)
    if not guards or withdrawn.is_empty():
        return
    for here, tick in enumerate(assessment.ticks):
        since = withdrawn.filter(pl.col("revoked_on") > tick.on, pl.col("known") <= tick.on)
        if tick.interim or since.is_empty() or not _can_issue(assessment, here):
            continue
        issued, owners = _issued(assessment, tick.on)
        less = _less_now(assessment, issued.join(_keys(since, owners), on="unit", how="inner", maintain_order="left"))
        for (rule,), group in less.group_by("rule", maintain_order=True):
            frame = assessment.scene.measures(assessment.rulebook.rules[str(rule)], group, tick.on)
            for guard in guards:
                hits = judged(frame, guard, assessment.scene.parameters, tick.on).filter("hit").unique("id")
                for row in hits.sort("id").iter_rows(named=True):
                    text = render(guard.text(), row)
                    if row["to_revoke"] is not None:
                        text += "; " + _("to revoke: {amount}").format(amount=format_amount(row["to_revoke"]))
                    yield guard.name, "warn", "revoke", "measures", row["id"], text


def _withdrawn(assessment: Assessment) -> pl.DataFrame:
    """Return evidence revoked by the day of knowledge: `evidence`, `project`, `revoked_on`, `known` since when."""
    frames = []
    for name in TABLES:
        rows: pl.DataFrame = getattr(assessment.workspace.tables, name)
        frames.append(
            rows.filter(pl.col("revoked_on") <= assessment.known_at).select(
                "project",
                "revoked_on",
                evidence=pl.format("{} {}", pl.lit(name), pl.col(SCHEMAS[name].key[0])),
                known=pl.when(pl.col("recorded_on").is_null()).then(pl.date(1, 1, 1)).otherwise(pl.col("recorded_on")),
            )
        )
    return pl.concat(frames)


def _can_issue(assessment: Assessment, here: int) -> bool:
    """Whether some reward can be issued at a tick; most look at one moment of the year alone."""
    tick, scene = assessment.ticks[here], assessment.scene
    firing = [each.rule for each in assessment.rulebook.bound(tick.moments, tick.on).rules if each.when is not None]
    guards = scene.about("reward")
    return any(rule.one_off and scene.may_hit(guard, rule) for rule in firing for guard in guards)


def _issued(assessment: Assessment, on: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return what was issued on a day on what was known then, and whose projects were then: `project`, `unit`."""
    from kpi_rules.pipeline.assess import assess

    then = assess(assessment.workspace, on, on, indicators=())
    issued = then.measures.filter(pl.col("status") == "issued", pl.col("started") == on)
    decisions = assessment.decisions
    if decisions is not None:
        made = decisions.filter(pl.col("on") <= min(assessment.as_of, assessment.known_at))
        stands = made.filter(pl.col("decision") == "approved").join(
            made.filter(pl.col("decision") != "approved"), on="measure", how="anti"
        )
        issued = issued.filter(pl.col("id").is_in(stands["measure"].cast(pl.String).implode()))
    claims, ids = then.credited.claims, then.panel.units["unit"]
    owners = pl.DataFrame(
        {"project": then.credited.projects["project"].gather(claims.project), "unit": ids.gather(claims.unit)}
    )
    above = owners.join(assessment.scene.payroll.subtree, on="unit").select("project", unit="above")
    return issued.select("id", "rule", "unit", "amount", begins="started"), above.unique()


def _keys(withdrawn: pl.DataFrame, owners: pl.DataFrame) -> pl.DataFrame:
    """Return by unit the evidence withdrawn from its projects, as a text."""
    of_units = owners.join(withdrawn, on="project").sort("unit", "evidence")
    texts = [
        (group["unit"][0], named(group["evidence"])) for group in of_units.partition_by("unit", maintain_order=True)
    ]
    return pl.DataFrame(texts, schema={"unit": pl.String, "evidence": pl.String}, orient="row")


def _less_now(assessment: Assessment, issued: pl.DataFrame) -> pl.DataFrame:
    """Return the rewards that are less or none on what is known now, with `to_revoke` in fen, null without amount.

    One of a rule that repeats is held against the one of the same day, any other against that of the year.
    """
    repeating = [name for name, rule in assessment.rulebook.rules.items() if rule.repeats]
    each = pl.when(pl.col("rule").is_in(repeating)).then("id").alias("each")
    now = assessment.measures.filter(pl.col("status").is_in(["issued", "reversed", "proposed"]))
    given = now.group_by("rule", "unit", each).agg(now=pl.col("amount").sum(), still=pl.len())
    least = pl.col("amount") - pl.when(pl.col("still").is_null()).then(0).otherwise(pl.col("now"))
    return (
        issued.with_columns(each)
        .join(given, on=["rule", "unit", "each"], how="left", nulls_equal=True, maintain_order="left")
        .with_columns(to_revoke=least)
        .filter(pl.col("still").is_null() | (pl.col("to_revoke") > 0))
    )
