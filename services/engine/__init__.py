"""The trading rules as pure functions: no clock, no random numbers, no network. Read ``rules/``, then ``decide.py``."""
