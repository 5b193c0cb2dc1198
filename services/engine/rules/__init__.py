"""The ordered tables of the trading rules: gates, exit rules, locks, limits, alerts. Each row has a name and a why."""
