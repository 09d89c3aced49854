"""Units that met the task and stand out are commended and get a bonus."""
