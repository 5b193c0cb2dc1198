"""Rows that are computed of each decision and stored beside the journal (pure)."""
