"""The desk: what an administrator works on, without a screen. Every method is a call of the public API.

A desk holds the workspace as it lies on disk, its assessment, and the edits that are not saved yet with their effect.
Its methods that take long (`open`, `weigh`, `save`) are called from worker threads; they return values and change
nothing that the screen reads, `take` and `keep` then do so in the screen's own thread.
"""

from __future__ import annotations

import shlex
from concurrent.futures import Future
from threading import Thread
from typing import TYPE_CHECKING

from attrs import define, evolve, field

import kpi_rules as kr
from kpi_rules_tui.seen import made_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import date
    from pathlib import Path

    import polars as pl

    from kpi_rules_tui.beside import Beside
    from kpi_rules_tui.trial import Trial

    Edit = kr.ParameterEdit | kr.QuotaEdit | kr.SwitchEdit


@define(frozen=True, eq=False)
class Opened:
    """A workspace that was read, and its assessment, None where it has errors; `made_of` says what files it is of, as
    `seen` does.
    """

    workspace: kr.Workspace
    assessment: kr.Assessment | None
    problems: Sequence[kr.Problem] = ()
    made_of: str = ""


@define(frozen=True, eq=False)
class Weighed:
    """Edits, the workspace with them, and what they change; `refused` says why they cannot be made."""

    edits: tuple[Edit, ...]
    workspace: kr.Workspace
    assessment: kr.Assessment | None
    refused: str = ""


def read(folder: Path, as_of: date | None) -> Opened:
    """Read a workspace and assess it; whatever is wrong is in the result."""
    digest = made_of(folder, as_of)  # first: what changes while it is read is not what was read
    workspace = kr.load(folder)
    if workspace.errors:
        return Opened(workspace, None)
    try:
        return Opened(workspace, kr.assess(workspace, as_of), made_of=digest)
    except kr.AssessmentError as error:
        return Opened(workspace, None, error.problems)


def _nothing() -> None:
    """Do nothing: nobody wants to know."""


@define(eq=False)
class Desk:
    """What is on the desk.

    `as_of` is the day the assessment goes by, None for the year's end; `edits` are not saved yet, and `weighed` is
    what they change. `steps` are the states before each edit, for undo; `saved` are the edits that would undo the last
    save; `trial` is what was simulated last; `made_of` says what files were read. `on_edits` is called whenever other
    edits are not saved than before.
    """

    folder: Path
    as_of: date | None = None
    readonly: bool = False
    workspace: kr.Workspace | None = None
    assessment: kr.Assessment | None = None
    problems: tuple[kr.Problem, ...] = ()
    edits: tuple[Edit, ...] = ()
    weighed: Weighed | None = None
    steps: list[tuple[Edit, ...]] = field(factory=list)
    saved: tuple[Edit, ...] = ()
    trial: Trial | None = None
    made_of: str = ""
    on_edits: Callable[[], object] = _nothing
    _begun: Future[Opened] | None = None

    def begin(self) -> None:
        """Begin to open the workspace in a thread, while the screen is still being made; `open` then waits for it."""
        begun: Future[Opened] = Future()

        def work() -> None:
            try:
                begun.set_result(self._open())
            except BaseException as error:  # noqa: BLE001 (whoever waits for it gets it)
                begun.set_exception(error)

        self._begun = begun
        Thread(target=work, name="open", daemon=True).start()

    # -- in a worker -----------------------------------------------------------------------------------------------

    def open(self, other: Beside | None = None) -> Opened:
        """Read the workspace and assess it, or take it from another process that read it; whatever is wrong is in the
        result.
        """
        if other is not None:
            _ = kr.load, kr.assess  # imports what it is made of, while the other still reads
            opened: Opened | None = other.message(1)
            other.end()
            if opened is not None:
                return opened
        begun, self._begun = self._begun, None
        return self._open() if begun is None else begun.result()

    def _open(self) -> Opened:
        return read(self.folder, self.as_of)

    def weigh(self, edits: tuple[Edit, ...], opened: Opened | None = None) -> Weighed:
        """Say what edits would change, of what is on the desk or was just read; nothing is written.

        The assessment has all that is shown of one; None where the workspace has errors, with the edits and without.
        """
        base = opened if opened is not None else Opened(self._workspace, self.assessment)
        if not edits:
            return Weighed(edits, base.workspace, base.assessment)

        def assess() -> tuple[kr.Workspace, kr.Assessment | None]:
            other = base.workspace.with_edits(edits)
            if other.errors and base.assessment is None:
                return other, None
            return other, kr.assess(other, self.as_of)

        return _weighed(edits, base, assess)

    def glance(self, edits: tuple[Edit, ...]) -> Weighed:
        """Say what edits would change, quickly: of the assessment only measures, events and ledger are whole."""
        base = Opened(self._workspace, self.assessment)
        assessment = base.assessment
        if assessment is None or not edits:
            return Weighed(edits, base.workspace, assessment)

        def assess() -> tuple[kr.Workspace, kr.Assessment | None]:
            other = assessment.what_if(edits)
            return other.workspace, other

        return _weighed(edits, base, assess)

    @property
    def _workspace(self) -> kr.Workspace:
        assert self.workspace is not None  # noqa: S101 (only a workspace that was read can be edited)
        return self.workspace

    def made(self, edits: Sequence[Edit], drop: Collection[Edit] = ()) -> tuple[Edit, ...]:
        """Return the edits not saved with more of them, and without those for the places of `drop`."""
        return added(without(self.edits, drop), edits)

    def own(self, edits: Sequence[Edit]) -> list[Edit]:
        """Return those of edits whose places have one that is not saved."""
        places = {_place(each) for each in self.edits}
        return [each for each in edits if _place(each) in places]

    def wrong(self, edits: tuple[Edit, ...]) -> str:
        """Say why edits cannot be made; nothing where they can."""
        try:
            errors = self._workspace.with_edits(edits).errors
        except ValueError as error:
            return str(error)
        return "\n".join(problem.message for problem in errors) if self.assessment is not None else ""

    def sift(self, edits: Sequence[Edit], drop: Collection[Edit]) -> tuple[list[Edit], list[str]]:
        """Return those of edits, with those to `drop` among them, that can be made, and why each other one cannot.

        By halves: of many edits few are wrong, and each try makes the whole workspace anew.
        """
        kept: list[Edit] = []
        whys: list[str] = []
        left = [list(edits)]
        while left:
            part = left.pop()
            tried = [*kept, *part]
            dropped = [each for each in tried if each in drop]
            why = self.wrong(self.made([each for each in tried if each not in drop], dropped))
            if not why:
                kept = tried
            elif len(part) == 1:
                whys.append(why)
            else:
                left += [part[len(part) // 2 :], part[: len(part) // 2]]
        return kept, whys

    def save(self) -> kr.Saved | str:
        """Write the edits to the workspace's files, all or none of them; a text says why they cannot be made."""
        try:
            return kr.save(self._workspace, self.edits)
        except ValueError as error:
            return str(error)

    # -- in the screen's thread ------------------------------------------------------------------------------------

    def take(self, opened: Opened) -> None:
        """Put what was read on the desk; edits that are not saved stay."""
        self.workspace, self.assessment = opened.workspace, opened.assessment
        self.problems = tuple(opened.problems)
        self.made_of = opened.made_of
        self.weighed = None

    def keep(self, weighed: Weighed) -> None:
        """Make edits the desk's own; what was before can be had back by `undo`."""
        self.steps.append(self.edits)
        self._make(weighed)

    def undo(self) -> tuple[Edit, ...] | None:
        """Return the edits as they were before the last change, to be weighed and taken by `back`; None where there
        are none.
        """
        return self.steps[-1] if self.steps else None

    def back(self, weighed: Weighed) -> None:
        """Take the last change back."""
        self.steps.pop()
        self._make(weighed)

    def _make(self, weighed: Weighed) -> None:
        self.edits, self.weighed = weighed.edits, weighed if weighed.edits else None
        self.on_edits()

    def written(self, saved: kr.Saved) -> None:
        """Note that the edits were saved: the workspace is what the files say now."""
        self.workspace = saved.workspace
        self.assessment = self.weighed.assessment if self.weighed is not None else self.assessment
        self.edits, self.weighed, self.steps = (), None, []
        self.saved = tuple(saved.undo)
        self.on_edits()

    @property
    def current(self) -> kr.Workspace | None:
        """The workspace with the edits that are not saved."""
        return self.weighed.workspace if self.weighed is not None else self.workspace

    @property
    def both(self) -> list[kr.Workspace]:
        """The workspace as saved, and with the edits that are not, as far as there is one."""
        return [each for each in (self.workspace, self.current) if each is not None]

    @property
    def changed(self) -> bool:
        """Whether something is not saved."""
        return bool(self.edits)

    def changes(self, edits: Sequence[Edit] | None = None) -> pl.DataFrame:
        """Return edits, by default those not saved, as rows of old and new."""
        return kr.changes(self._workspace, self.edits if edits is None else edits)

    def command(self, *words: str) -> str:
        """Write a command as people type it: `kpi-rules`, its name, the workspace, and the rest."""
        name, *rest = words
        return shlex.join(["kpi-rules", name, str(self.folder), *rest])

    def edit_command(self, *, save: bool = False) -> str:
        """Write the command that makes the edits not saved."""
        return shlex.join(kr.edit_command(self.folder, self.edits, save=save, workspace=self.workspace))

    def record(self) -> str:
        """Write the command that makes and saves the edits not saved, from whichever folder; empty where all is."""
        words = kr.edit_command(self.folder.resolve(), self.edits, workspace=self.workspace) if self.edits else []
        return shlex.join(words)

    def day(self) -> list[str]:
        """Return the option that chooses the as-of date, where one was chosen."""
        return ["--as-of", self.as_of.isoformat()] if self.as_of is not None else []

    @property
    def title(self) -> str:
        """What the workspace is called."""
        return self.workspace.name if self.workspace is not None else self.folder.name


def added(edits: tuple[Edit, ...], more: Sequence[Edit]) -> tuple[Edit, ...]:
    """Return edits with more of them; a later one for the same place takes the place of the earlier."""
    places = {_place(each): each for each in edits}
    for each in more:
        places[_place(each)] = _completed(each, places.get(_place(each)))
    return tuple(places.values())


def _completed(edit: Edit, before: Edit | None) -> Edit:
    """Return an edit with the reason and the further cells of the one whose place it takes, where it gives none."""
    if not isinstance(edit, kr.QuotaEdit) or not isinstance(before, kr.QuotaEdit) or edit.amount is None:
        return edit
    note = before.note if edit.note is None else edit.note
    return evolve(edit, note=note, cells=edit.cells or before.cells)


def _weighed(
    edits: tuple[Edit, ...], base: Opened, assess: Callable[[], tuple[kr.Workspace, kr.Assessment | None]]
) -> Weighed:
    """Assess with edits; where they cannot be made, say why, beside what was there."""
    try:
        return Weighed(edits, *assess())
    except kr.AssessmentError as error:
        refused = "\n".join(problem.message for problem in error.problems)
    except ValueError as error:
        refused = str(error)
    return Weighed(edits, base.workspace, base.assessment, refused)


def without(edits: tuple[Edit, ...], those: Collection[Edit]) -> tuple[Edit, ...]:
    """Return edits without those for the same places as others."""
    places = {_place(each) for each in those}
    return tuple(each for each in edits if _place(each) not in places)


def _place(edit: Edit) -> tuple[object, ...]:
    if isinstance(edit, kr.QuotaEdit):
        return ("quota", edit.unit, edit.indicator, edit.effective)
    if isinstance(edit, kr.ParameterEdit):
        return ("parameter", edit.name, edit.from_on, edit.group)
    return ("switch", edit.name)


def units(assessment: kr.Assessment) -> pl.DataFrame:
    """Return the units at the last tick, one row each: `unit, name, group, kind, parent, depth`, what is credited,
    the quota, completion and what is expected, the lag, the rank, and the measures in force by rule id.

    `place` numbers them as a tree: each unit before those below it.
    """
    import polars as pl

    config = assessment.workspace.config
    primary = config.primary if config is not None else "funds"
    figures = assessment.figures().select(
        "unit",
        pl.col(primary).alias("credited"),
        pl.col(f"{primary}_quota").alias("quota"),
        "completion",
        "expected",
        "pace_gap",
        "lag",
        "rank",
        "group_size",
    )
    active = assessment.in_force.group_by("unit", maintain_order=True).agg(
        pl.col("rule").unique(maintain_order=True).alias("measures")
    )
    known = assessment.workspace.tables.units.select("unit", "name", "group", "kind", "parent")
    return (
        tree(known)
        .join(figures, on="unit", how="left", maintain_order="left")
        .join(active, on="unit", how="left", maintain_order="left")
        .with_columns(pl.col("measures").fill_null(pl.lit([], pl.List(pl.String))))
    )


def tree(known: pl.DataFrame) -> pl.DataFrame:
    """Return units in the order of their tree, with `depth` (0 at the top) and `place`."""
    import polars as pl

    below: dict[str | None, list[str]] = {}
    names = set(known["unit"])
    for unit, parent in known.select("unit", "parent").iter_rows():
        below.setdefault(parent if parent in names else None, []).append(unit)
    order: list[tuple[str, int]] = []
    left = [(unit, 0) for unit in reversed(below.get(None, []))]
    while left:
        unit, depth = left.pop()
        order.append((unit, depth))
        left += [(each, depth + 1) for each in reversed(below.get(unit, []))]
    placed = pl.DataFrame(order, schema={"unit": pl.String, "depth": pl.Int64}, orient="row").with_row_index("place")
    return placed.join(known, on="unit", how="left", maintain_order="left")


def hits(assessment: kr.Assessment) -> dict[str, list[str]]:
    """Return, by rule, the unit of each measure that begins or is issued at any tick up to the last."""
    import polars as pl

    found: dict[str, list[str]] = {rule: [] for rule in assessment.rulebook.rules}
    begun = assessment.events.filter(pl.col("event").is_in(["started", "issued"]))
    for rule, unit in begun.select("rule", "unit").iter_rows():
        found[rule].append(unit)
    return found


def quotas(
    current: kr.Workspace, saved: kr.Workspace | None, indicator: str, assessment: kr.Assessment | None
) -> pl.DataFrame:
    """Return the quotas of an indicator along the tree of units, one row for each revision and one for a unit without:
    `row` (a key), `unit, name, group, depth, again` (not the unit's first row), `effective, amount, note`, what is
    saved (`was`), `state` (empty, `new`, `changed` or `removed`), the sum of the units directly below in force at the
    end (`below`), and the completion.
    """
    import polars as pl

    own = current.tables.quotas.filter(pl.col("indicator") == indicator).select("unit", "effective", "amount", "note")
    before = (saved or current).tables.quotas.filter(pl.col("indicator") == indicator)
    before = before.select("unit", "effective", was="amount", was_note="note")
    known = tree(current.tables.units.select("unit", "name", "group", "parent"))
    last = own.sort("effective").group_by("unit").last().select("unit", "amount")
    below = known.join(last, on="unit").group_by("parent").agg(pl.col("amount").sum().alias("below"))
    rows = (
        known.join(own.join(before, on=["unit", "effective"], how="full", coalesce=True), on="unit", how="left")
        .join(below, left_on="unit", right_on="parent", how="left")
        .sort("place", "effective", maintain_order=True)
        .with_columns(
            again=pl.int_range(pl.len()).over("unit") > 0,
            row=pl.concat_str("unit", pl.col("effective").cast(pl.String).fill_null(""), separator="|"),
            state=pl.when(pl.col("amount").is_null() & pl.col("was").is_not_null())
            .then(pl.lit("removed"))
            .when(pl.col("was").is_null() & pl.col("amount").is_not_null())
            .then(pl.lit("new"))
            .when((pl.col("amount") != pl.col("was")) | pl.col("note").ne_missing(pl.col("was_note")))
            .then(pl.lit("changed"))
            .otherwise(pl.lit("")),
        )
    )
    if assessment is None:
        return rows.with_columns(completion=pl.lit(None, pl.Float64))
    at_last = assessment.figures().select("unit", "completion")
    return rows.join(at_last, on="unit", how="left", maintain_order="left")
