"""The hooks: their specifications and the one manager that calls them."""

from kpi_rules.hooks.specs import hookimpl

__all__ = ["hookimpl"]
