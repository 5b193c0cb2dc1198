"""Calls that only read: state, stream, bricks, metrics."""
