"""Dialogs: each asks one thing, can be left with escape, and returns what was said."""
