"""The bridge's calls."""
