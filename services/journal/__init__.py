"""The trader's journal: closed trades, what they come to, and the tries against the rules."""
