"""Pages, their files, the session and health: calls that need no session.

The folder declares no guard: each view declares its own, and a view without one answers 401.
"""
