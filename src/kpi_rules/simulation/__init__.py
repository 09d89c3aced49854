"""Simulation: the pipeline on sampled futures. Called so because a module `simulate` would hide the function."""
