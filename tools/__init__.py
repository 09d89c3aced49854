"""Programs for those who work on kpi-rules; not shipped."""
