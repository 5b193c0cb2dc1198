"""The single writer: it decides, commits, adopts and publishes; a standby follows it."""
