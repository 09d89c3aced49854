"""The panes: one for each thing an administrator does, and the page of a unit."""
