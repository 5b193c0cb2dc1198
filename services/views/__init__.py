"""The desk as clients read it: pure functions from desk and time to the Structs of ``wire``."""
