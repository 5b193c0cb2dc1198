"""The table of docs/reference/bench.md, measured on real processes over real sockets. ``make bench`` prints it."""
