"""Pages, what they load, the session, health: calls that a stranger may make too.

The folder declares no guard: each view names its own, and one that names none is closed.
"""
