"""The desk as clients read it: pure functions from desk and time to JSON documents."""
