"""Figures, in colours that the colour-blind can tell apart; each function returns a Matplotlib figure."""
