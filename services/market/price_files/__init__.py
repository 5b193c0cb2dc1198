"""Reads prices from the files that people have: exports of platforms, downloads, recordings (docs/how-to/data.md).

`reader.open_price_file` is the one entrance. A file whose form is unknown, or means two things, is refused with the
option that settles it; a wrong row is refused by its line, and the next one is read. Rows stream: memory is bounded.
"""
