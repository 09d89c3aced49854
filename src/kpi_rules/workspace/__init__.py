"""A workspace: `kpi.toml` and tables on disk or in memory, read into clean frames, with every problem found."""
