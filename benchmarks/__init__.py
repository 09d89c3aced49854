"""Benchmarks: kpi-rules held against its peers in one run: `uv run --group bench python -m benchmarks`."""
