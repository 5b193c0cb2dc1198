"""What was: the journal read from store and archive, compared, exported, put away."""
