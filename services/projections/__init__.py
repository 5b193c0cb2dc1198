"""Records that are computed from each decision and stored beside the journal (pure functions)."""
