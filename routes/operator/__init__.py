"""The operator's calls: orders, controls, limits, journal."""
