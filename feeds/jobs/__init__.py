"""Syncs of stored bars: one child process at a time, beside the loop of feeds."""
