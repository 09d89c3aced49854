"""`python -m kpi_rules.cli`, the same as `kpi-rules`."""

from __future__ import annotations

from kpi_rules.cli import main

main()
