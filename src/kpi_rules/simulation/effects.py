"""Effects: declared assumptions that a measure changes what a unit brings in. None holds unless it is declared."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from attrs import define, field

from kpi_rules.locale import _
from kpi_rules.model.forecasts import Assumption
from kpi_rules.model.problems import AssessmentError, Place, error, nearest
from kpi_rules.simulation.keys import draw_words, mix, stream_keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from kpi_rules.pipeline.state import State

    Whole = NDArray[np.int64]

THOUSANDTHS: Final = 1000
"""What effort is whole parts of: 1100 brings ten percent more."""

MOST: Final = 10
"""The most that a measure can be assumed to add: ten times what a unit brings by itself."""

_BITS: Final = 32  # of a word that choose a value


def _decimal(value: object) -> Any:  # noqa: ANN401 (what is no number is refused by the validator)
    """Take a number as the decimal it prints as."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        return value
    try:
        return Decimal(str(value))
    except ArithmeticError:
        return value


@define(frozen=True)
class Effect:
    """A declared assumption: while a measure is in force, its unit brings in more, or less, of its own.

    How much more is not known: in each draw it is one share for all units, drawn evenly from `least` to `most`, both
    inclusive. It applies to what arrives between two ticks where the measure was in force after the first of them, and
    not to what units below bring. Effects of several measures of a unit add up, down to nothing brought at all.

    Attributes:
        rule: id of a rule with a state.
        least: the least share that is added, such as 0.05; below 0 for less, not under -1.
        most: the most; the same for no uncertainty.
    """

    rule: str
    least: Decimal = field(converter=_decimal)
    most: Decimal = field(converter=_decimal)

    @property
    def assumption(self) -> Assumption:
        """The same in words."""
        text = (
            _("{least:+.1%} of what a unit brings in")
            if self.least == self.most
            else _("between {least:+.1%} and {most:+.1%} of what a unit brings in")
        )
        value = text.format(least=self.least, most=self.most)
        return Assumption("effect", _("while the measure is in force"), self.rule, value, _("declared, not observed"))


def check_effects(effects: Sequence[Effect], rules: Mapping[str, bool]) -> None:
    """Refuse effects that cannot be.

    Args:
        effects: as declared.
        rules: the ids there are, and whether a rule has a state.

    Raises:
        AssessmentError: of an unknown rule, one that issues and is never in force, one named twice, or a share that is
            none or out of bounds; all of them at once.
    """
    problems = []
    seen: set[str] = set()
    for place, each in enumerate(effects):
        where = Place(key=f"effects[{place}]")
        if each.rule not in rules:
            hint = nearest(each.rule, rules)
            expected = _("the id of a rule")
            problems.append(error("unknown-rule", where, found=each.rule, expected=expected, nearest=hint))
        elif not rules[each.rule]:
            expected = _("a rule whose measure is in force for a time")
            problems.append(error("no-state", where, found=each.rule, expected=expected))
        if each.rule in seen:
            problems.append(error("effect-twice", where, found=each.rule, expected=_("one effect of each rule")))
        seen.add(each.rule)
        if not _is_share(each.least) or not _is_share(each.most) or each.least > each.most:
            expected = _("a least and a most from -1 to {most}, both in thousandths").format(most=MOST)
            found = f"{each.least} | {each.most}"
            problems.append(error("bad-effect", where, found=found, expected=expected))
    if problems:
        raise AssessmentError(problems)


def _is_share(value: object) -> bool:
    return (
        isinstance(value, Decimal)
        and value.is_finite()
        and -1 <= value <= MOST
        and value * THOUSANDTHS == int(value * THOUSANDTHS)
    )


@define(frozen=True, eq=False)
class Effort:
    """What units bring under the measures in force, in thousandths of what they would by themselves; keyed."""

    seed: int
    effects: tuple[Effect, ...]

    def shares(self, low: int, high: int) -> dict[str, Whole]:
        """Return by rule what its measure adds in each draw from `low` to before `high`, in thousandths."""
        draws = draw_words(low, high)
        keys = stream_keys(self.seed, "effect", [each.rule for each in self.effects])
        found = {}
        for effect, key in zip(self.effects, keys, strict=True):
            words = np.bitwise_xor(draws, key)
            words = mix(words, np.empty_like(words)) >> np.uint64(64 - _BITS)
            least, most = int(effect.least * THOUSANDTHS), int(effect.most * THOUSANDTHS)
            found[effect.rule] = least + (words.astype(np.int64) * (most - least + 1) >> _BITS)
        return found

    def under(self, state: State, shares: Mapping[str, Whole], units: int) -> Whole:
        """Return the effort of each unit and draw (units x draws) while a state lasts."""
        draws = len(next(iter(shares.values())))
        found = np.full((units, draws), THOUSANDTHS, dtype=np.int64)
        for rule, share in shares.items():
            rows = state.active[rule].rows
            if rows is not None:
                found += rows.reshape(units, draws) * share
        return np.maximum(found, 0, out=found)
