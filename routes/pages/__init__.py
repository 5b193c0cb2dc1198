"""Pages, what they load, the session, health."""
