"""The rules of the desk as pure functions: no clock, no dice, no network. Begin with ``rules/``, then ``decide.py``."""
