"""The same rules in other hands: NumPy as a good engineer writes it, NumPy at its limit, OpenFisca, Zen."""
