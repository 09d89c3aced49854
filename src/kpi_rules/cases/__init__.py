"""Cases as data: what a rule or a workspace must give, written where an auditor can read it, and run."""
