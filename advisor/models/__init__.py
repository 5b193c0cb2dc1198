"""Models on disk, and what serves them."""
