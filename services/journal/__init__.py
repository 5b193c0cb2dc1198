"""The trader's journal: closed trades, their statistics, and the attempts against the rules."""
