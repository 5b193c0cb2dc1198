"""The embedded store: one SQLite file with numbered migrations."""
