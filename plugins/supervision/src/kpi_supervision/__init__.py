"""Units lagging month after month are proposed for an admonition talk."""
