"""Syncs: what one does, who may begin one, and its child process."""
