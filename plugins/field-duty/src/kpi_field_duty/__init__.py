"""Heads of units far behind are stationed in the field, put off post, or leave the post."""
