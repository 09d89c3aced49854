"""The command line. `main` is the group of commands; each command is a file of its own, imported when it runs."""

from __future__ import annotations

from kpi_rules.cli.group import Commands, options

main = Commands("kpi-rules", params=options())
"""The command `kpi-rules`."""
