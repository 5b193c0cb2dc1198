"""What is kept in memory and updated by every commit: the stream, the chart bricks, the log of messages."""
