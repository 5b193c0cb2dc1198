"""What follows the commits in memory: the stream, the chart bricks, the log of what was heard."""
