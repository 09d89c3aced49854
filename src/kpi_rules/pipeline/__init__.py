"""The pipeline, in this order: verify, credit, panel, decide, pay, explain; `assess` goes through all of it."""
