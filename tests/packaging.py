"""Packages made importable without a network and without touching the environment the tests run in."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING
from zipfile import ZipFile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def install_editable(package: Path, site: Path) -> list[Path]:
    """Install a package's metadata as `pip install --editable` would; its modules stay where they are.

    Returns:
        What must be in front of `sys.path`: the package's `src`, then `site` with the metadata.
    """
    built = site.with_name(f"{site.name}-wheels") / package.name
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)],
        cwd=package,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = built.glob("*.whl")
    with ZipFile(wheel) as content:
        content.extractall(site, [name for name in content.namelist() if ".dist-info/" in name])
    return [package / "src", site]


def run_in(folder: Path, *command: str, path: list[Path], more: Mapping[str, str] | None = None) -> str:
    """Run a Python module in a folder with more on its path, and return what it says if it succeeds."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path)), **(more or {})},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
