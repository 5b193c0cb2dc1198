"""The portfolio: what every account holds, what it is worth, and how that came to be."""
