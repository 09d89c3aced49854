"""Build hook: compile the message catalogues, `.po` to `.mo`, for wheels, source distributions and editable installs.

The `.mo` files are not tracked. They are written beside their `.po`: an editable install reads them there, a wheel
takes them along (`artifacts` in pyproject.toml), and a source distribution carries the `.po` files and this hook
instead.
"""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CatalogueHook(BuildHookInterface[Any]):
    """Compiles every catalogue under src/ before the files of a distribution are collected."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write each `.mo`; `version` and `build_data` are hatchling's and not needed."""
        del version, build_data
        locale = Path(self.root, "src", "kpi_rules", "locale")
        # By path: the package itself is not importable while it is being built.
        catalogue = runpy.run_path(str(locale / "catalogue.py"))
        for po in sorted(locale.glob("*/LC_MESSAGES/*.po")):
            entries = catalogue["read_po"](po.read_text(encoding="utf-8"))
            po.with_suffix(".mo").write_bytes(catalogue["compile_mo"](entries))
