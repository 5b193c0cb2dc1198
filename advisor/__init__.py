"""Ranges, base rates and explanations beside the desk. The advisor never trades."""
