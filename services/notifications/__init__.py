"""Notices to the operator's phone: their kinds, their texts, and their delivery."""
