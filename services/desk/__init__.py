"""The single writer process: it decides, commits and publishes. A standby process follows it."""
