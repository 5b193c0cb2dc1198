"""Prices that tests play: generated, shipped, and those a folder of recordings adds."""
