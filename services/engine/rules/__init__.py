"""The ordered tables of the trading rules: gates, exit rules, locks, limits, refusals, alerts."""
