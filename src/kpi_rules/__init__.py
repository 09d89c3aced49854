"""kpi-rules: assess organisations against targets.

The public API is what this module names, nothing else. Names load what they need at first use, so that `import
kpi_rules` is quick and brings in neither polars nor anything heavier.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from kpi_rules.locale import N_, language, set_language, translate

if TYPE_CHECKING:
    from kpi_rules.cases.run import CaseReport, run_cases
    from kpi_rules.cli.edit_words import edit_command
    from kpi_rules.cli.estimates import span, totals_called
    from kpi_rules.cli.output import write_table
    from kpi_rules.cli.quotas import is_count
    from kpi_rules.cli.shown import command_group, table_command
    from kpi_rules.hooks import hookimpl
    from kpi_rules.hooks.manager import installed_policies
    from kpi_rules.model.column_names import columns_called
    from kpi_rules.model.contributions import (
        Check,
        Configured,
        Credit,
        Deadline,
        Forecast,
        Guard,
        Hold,
        Indicator,
        PaceCurve,
        Rule,
        Trouble,
        parameters,
        share_of,
    )
    from kpi_rules.model.deposits import Collect, Forfeit, Refund, Return
    from kpi_rules.model.forecasts import (
        Assumption,
        Compound,
        Contracts,
        Curves,
        Events,
        Fitted,
        History,
        Levels,
    )
    from kpi_rules.model.money import LIMIT, format_amount, parse_amount
    from kpi_rules.model.names import at, unit
    from kpi_rules.model.problems import AssessmentError, Place, Problem, nearest
    from kpi_rules.model.settings import Setting, choice, count, flag, money, ratio, tables, texts
    from kpi_rules.model.text import safe
    from kpi_rules.model.wording import in_words
    from kpi_rules.pipeline.assess import assess, rulebook
    from kpi_rules.pipeline.difference import Difference, difference
    from kpi_rules.pipeline.explain import Explanation, RuleExplanation
    from kpi_rules.pipeline.result import Assessment
    from kpi_rules.pipeline.rows import rows
    from kpi_rules.pipeline.rulebook import Rulebook
    from kpi_rules.pipeline.withdraw import WITHDRAWABLE, Withdrawal, withdraw
    from kpi_rules.simulation.backtest import Backtest, backtest
    from kpi_rules.simulation.charts import chart
    from kpi_rules.simulation.compare import Comparison, compare
    from kpi_rules.simulation.effects import Effect
    from kpi_rules.simulation.grid import Grid, grid
    from kpi_rules.simulation.plan import Plan, plan
    from kpi_rules.simulation.result import Simulation
    from kpi_rules.simulation.run import CancelledError, Progress
    from kpi_rules.simulation.sensitivity import Sensitivity, sensitivity
    from kpi_rules.simulation.simulate import simulate
    from kpi_rules.simulation.sweep import Sweep, sweep
    from kpi_rules.workspace.amounts import LAST_DAY
    from kpi_rules.workspace.described import changes, edits_of_split, scale_quotas
    from kpi_rules.workspace.edits import ParameterEdit, QuotaEdit, SwitchEdit
    from kpi_rules.workspace.saving import Saved, save
    from kpi_rules.workspace.schemas import SCHEMAS
    from kpi_rules.workspace.split import split_quota
    from kpi_rules.workspace.workspace import Workspace, load

_HOMES = {
    "kpi_rules.cases.run": ("CaseReport", "run_cases"),
    "kpi_rules.cli.estimates": ("span", "totals_called"),
    "kpi_rules.cli.output": ("write_table",),
    "kpi_rules.cli.quotas": ("is_count",),
    "kpi_rules.hooks.manager": ("installed_policies",),
    "kpi_rules.cli.edit_words": ("edit_command",),
    "kpi_rules.cli.shown": ("command_group", "table_command"),
    "kpi_rules.pipeline.assess": ("assess", "rulebook"),
    "kpi_rules.pipeline.explain": ("Explanation", "RuleExplanation"),
    "kpi_rules.pipeline.result": ("Assessment",),
    "kpi_rules.pipeline.rulebook": ("Rulebook",),
    "kpi_rules.hooks": ("hookimpl",),
    "kpi_rules.model.contributions": (
        "Check",
        "Collect",
        "Configured",
        "Credit",
        "Deadline",
        "Difference",
        "Forecast",
        "Guard",
        "Hold",
        "Indicator",
        "PaceCurve",
        "Rule",
        "Trouble",
        "parameters",
        "share_of",
    ),
    "kpi_rules.model.forecasts": (
        "Assumption",
        "Compound",
        "Contracts",
        "Curves",
        "Events",
        "Fitted",
        "History",
        "Levels",
    ),
    "kpi_rules.model.deposits": ("Collect", "Forfeit", "Refund", "Return"),
    "kpi_rules.model.money": ("LIMIT", "format_amount", "parse_amount"),
    "kpi_rules.model.names": ("at", "unit"),
    "kpi_rules.model.problems": ("AssessmentError", "Place", "Problem", "nearest"),
    "kpi_rules.model.settings": ("Setting", "choice", "count", "flag", "money", "ratio", "tables", "texts"),
    "kpi_rules.model.text": ("safe",),
    "kpi_rules.model.column_names": ("columns_called",),
    "kpi_rules.model.wording": ("in_words",),
    "kpi_rules.pipeline.difference": ("Difference", "difference"),
    "kpi_rules.pipeline.withdraw": ("WITHDRAWABLE", "Withdrawal", "withdraw"),
    "kpi_rules.simulation.backtest": ("Backtest", "backtest"),
    "kpi_rules.simulation.charts": ("chart",),
    "kpi_rules.simulation.compare": ("Comparison", "compare"),
    "kpi_rules.simulation.effects": ("Effect",),
    "kpi_rules.simulation.plan": ("Plan", "plan"),
    "kpi_rules.simulation.grid": ("Grid", "grid"),
    "kpi_rules.simulation.result": ("Simulation",),
    "kpi_rules.simulation.run": ("CancelledError", "Progress"),
    "kpi_rules.simulation.sensitivity": ("Sensitivity", "sensitivity"),
    "kpi_rules.simulation.simulate": ("simulate",),
    "kpi_rules.simulation.sweep": ("Sweep", "sweep"),
    "kpi_rules.workspace.amounts": ("LAST_DAY",),
    "kpi_rules.workspace.described": ("changes", "edits_of_split", "scale_quotas"),
    "kpi_rules.workspace.edits": ("ParameterEdit", "QuotaEdit", "SwitchEdit"),
    "kpi_rules.workspace.saving": ("Saved", "save"),
    "kpi_rules.workspace.schemas": ("SCHEMAS",),
    "kpi_rules.workspace.split": ("split_quota",),
    "kpi_rules.pipeline.rows": ("rows",),
    "kpi_rules.workspace.workspace": ("Workspace", "load"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__version__: str
"""The version that is installed, found at its first use."""

__all__ = [
    "LAST_DAY",
    "LIMIT",
    "N_",
    "SCHEMAS",
    "WITHDRAWABLE",
    "Assessment",
    "AssessmentError",
    "Assumption",
    "Backtest",
    "CancelledError",
    "CaseReport",
    "Check",
    "Collect",
    "Comparison",
    "Compound",
    "Configured",
    "Contracts",
    "Credit",
    "Curves",
    "Deadline",
    "Difference",
    "Effect",
    "Events",
    "Explanation",
    "Fitted",
    "Forecast",
    "Forfeit",
    "Grid",
    "Guard",
    "History",
    "Hold",
    "Indicator",
    "Levels",
    "PaceCurve",
    "ParameterEdit",
    "Place",
    "Plan",
    "Problem",
    "Progress",
    "QuotaEdit",
    "Refund",
    "Return",
    "Rule",
    "RuleExplanation",
    "Rulebook",
    "Saved",
    "Sensitivity",
    "Setting",
    "Simulation",
    "Sweep",
    "SwitchEdit",
    "Trouble",
    "Withdrawal",
    "Workspace",
    "assess",
    "at",
    "backtest",
    "changes",
    "chart",
    "choice",
    "columns_called",
    "command_group",
    "compare",
    "count",
    "difference",
    "edit_command",
    "edits_of_split",
    "flag",
    "format_amount",
    "grid",
    "hookimpl",
    "in_words",
    "installed_policies",
    "is_count",
    "language",
    "load",
    "money",
    "nearest",
    "parameters",
    "parse_amount",
    "plan",
    "ratio",
    "rows",
    "rulebook",
    "run_cases",
    "safe",
    "save",
    "scale_quotas",
    "sensitivity",
    "set_language",
    "share_of",
    "simulate",
    "span",
    "split_quota",
    "sweep",
    "table_command",
    "tables",
    "texts",
    "totals_called",
    "translate",
    "unit",
    "withdraw",
    "write_table",
]


def __getattr__(name: str) -> object:
    """Load a public name at its first use (PEP 562)."""
    if name == "__version__":
        from kpi_rules.model.entries import version

        return version()
    home = _HOME_OF.get(name)
    if home is None:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
