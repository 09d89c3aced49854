"""The steps that commands of simulation share: who runs it, how it ends, the tables of what was asked, the chart."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, TypedDict

import kpi_rules as kr
from kpi_rules.cli import output, work
from kpi_rules.cli.failures import RefusedError, say
from kpi_rules.cli.screen import counting, working
from kpi_rules.locale import _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Executor
    from datetime import date
    from pathlib import Path


class How(TypedDict):
    """What is simulated: the options of `params.simulating` but for who runs it."""

    as_of: date
    draws: int
    seed: int
    until: date | None
    known_at: date | None
    decisions: Path | None
    effects: tuple[str, ...]


class Who(TypedDict):
    """Who runs it: the options of `params.workers`."""

    workers: int | None
    cluster: str | None


@contextmanager
def runners(who: Who) -> Iterator[dict[str, Any]]:
    """Give the arguments `executor` and `workers` of `kpi_rules.simulate` and its like; what they cannot do ends the
    command.

    Raises:
        RefusedError: what was asked for does not fit the workspace, or no cluster answers.
    """
    if who["workers"] is not None and who["cluster"] is not None:
        raise RefusedError(_("--workers and --cluster: expected one of the two"))
    with refused(), ExitStack() as closing:
        yield {"executor": _executor(who["cluster"], closing), "workers": who["workers"]}


@contextmanager
def refused() -> Iterator[None]:
    """Refuse what the library says cannot be done.

    Raises:
        RefusedError: with all its problems.
    """
    try:
        yield
    except kr.AssessmentError as error:
        raise RefusedError("\n".join(problem.message for problem in error.problems)) from error


def _executor(cluster: str | None, closing: ExitStack) -> Executor | None:
    if cluster is None:
        return None
    from kpi_rules.simulation.cluster import connect

    with working(_("connecting to {address}").format(address=cluster)):
        return closing.enter_context(connect(cluster))


def simulate(workspace: kr.Workspace, how: How, runner: dict[str, Any]) -> kr.Simulation:
    """Simulate as asked, and show how far it is.

    Raises:
        RefusedError: the decisions or an effect cannot be read.
    """
    given = arguments(how)
    with counting(_("simulating {name}").format(name=workspace.name)) as progress:
        return kr.simulate(workspace, progress=progress, **given, **runner)


def arguments(how: How) -> dict[str, Any]:
    """Return what is simulated as arguments of `kpi_rules.simulate` and its like.

    Raises:
        RefusedError: the decisions or an effect cannot be read.
    """
    path = how["decisions"]
    decisions = work.read_decisions(path) if path is not None else None
    return {**how, "decisions": decisions, "effects": [read_effect(text) for text in how["effects"]]}


def read_effect(text: str) -> kr.Effect:
    """Read an effect such as `field_duty.station_head=0.05..0.15`, or of one share.

    Raises:
        RefusedError: it is not of that form, or its shares are none.
    """
    rule, sign, shares = text.partition("=")
    least, _dots, most = shares.partition("..")
    if not (rule and sign and least):
        message = _("--effect: found '{text}'; expected RULE=LEAST..MOST, such as {example}")
        raise RefusedError(message.format(text=text, example="field_duty.station_head=0.05..0.15"))
    return kr.Effect(rule, least, most or least)


def with_settings(workspace: kr.Workspace, settings: Sequence[str]) -> kr.Workspace:
    """Return a workspace in which parameters are set as `plugin.parameter=value`, the value as in `kpi.toml`.

    Raises:
        RefusedError: a text is not of that form, a name is set twice or is no parameter, a value is not valid.
    """
    values: dict[str, object] = {}
    for text in settings:
        name, sign, value = text.partition("=")
        if not (name and sign):
            message = _("--set: found '{text}'; expected PARAMETER=VALUE, such as {example}")
            raise RefusedError(message.format(text=text, example="field_duty.off_post_below=0.4"))
        if name in values:
            raise RefusedError(_("--set: {name} is set twice").format(name=name))
        values[name] = read_value(value)
    try:
        return workspace.with_parameters(values)
    except ValueError as error:
        raise RefusedError(_("--set: {message}").format(message=error)) from error


def read_value(text: str) -> object:
    """Read a value as TOML has it, exactly; what is none is taken as a text, so that `10万` needs no quotes."""
    from decimal import Decimal

    import tomli

    try:
        found = tomli.loads(f"value = {text}", parse_float=Decimal)
    except (tomli.TOMLDecodeError, ValueError, RecursionError):
        return text
    return found["value"] if found.keys() == {"value"} else text


def read_grid(texts: Sequence[str]) -> dict[str, list[object]]:
    """Read values of parameters: `plugin.parameter=v1,v2,...`, each as in `kpi.toml`, or `low:high:steps` for so many
    equal steps, both ends included.

    Raises:
        RefusedError: a text is not of that form, or a parameter is there twice.
    """
    found: dict[str, list[object]] = {}
    for text in texts:
        name, sign, values = text.partition("=")
        if not (name and sign and values):
            message = _("--grid: found '{text}'; expected PARAMETER=v1,v2,... or PARAMETER=low:high:steps")
            raise RefusedError(message.format(text=text))
        if name in found:
            raise RefusedError(_("--grid: {name} is there twice").format(name=name))
        found[name] = _steps(values) or [read_value(each.strip()) for each in values.split(",")]
    return found


def _steps(text: str) -> list[object]:
    """Return the values of `low:high:steps`, exactly; none where the text is not of that form."""
    import re
    from decimal import Decimal
    from fractions import Fraction

    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?):(\d{1,9}(?:\.\d{1,9})?):(\d{1,4})", text, re.ASCII)
    if match is None or not int(match[3]):
        return []
    low, high, steps = Fraction(match[1]), Fraction(match[2]), int(match[3])
    exact = [low + (high - low) * step / steps for step in range(steps + 1)]
    places = [Decimal(each.numerator) / each.denominator for each in exact]
    return [int(each) if each == int(each) and "." not in text else round(each, 9) for each in places]


def asked(simulation: kr.Simulation) -> dict[str, object]:
    """Return what was simulated, as a row."""
    past = simulation.past
    return {
        "workspace": past.workspace.name,
        "as_of": past.as_of,
        "known_at": past.known_at,
        "until": simulation.ticks[-1].on,
        "draws": simulation.draws,
        "seed": simulation.seed,
        "digest": simulation.digest,
    }


def check_chart(path: Path | None) -> None:
    """Refuse a chart that could not be written in the end, before any work.

    Raises:
        RefusedError: another ending, or a path that cannot be written.
    """
    from kpi_rules.simulation.drawing import ENDINGS

    if path is None:
        return
    if path.suffix[1:].lower() not in ENDINGS:
        message = _("--chart: found {path}; expected a file that ends in .svg or .png")
        raise RefusedError(message.format(path=path))
    output.check_target(path)


def write_chart(path: Path | None, make: Callable[[], Any]) -> None:
    """Draw a chart into a file, if one is asked for.

    Raises:
        RefusedError: it cannot be written.
    """
    if path is None:
        return
    from kpi_rules.simulation import drawing

    with working(_("drawing {path}").format(path=path)):
        made = make()
        ending = path.suffix[1:].lower()
        output.write_file(drawing.drawn(made, ending), path)
        blank = ending == "png" and not made.to_json(validate=False).isascii() and not drawing.chinese_drawn()
    if blank:
        message = _(
            "{path}: no font of this machine has Chinese characters, so they cannot be read; an .svg keeps them"
        )
        say(message.format(path=path))


def check_unit(simulation: kr.Simulation, unit: str | None) -> None:
    """Refuse a unit of which nothing is simulated.

    Raises:
        RefusedError: the message names the nearest.
    """
    if unit is None:
        return
    try:
        simulation.of_unit(unit)
    except ValueError as error:
        raise RefusedError(str(error)) from error
