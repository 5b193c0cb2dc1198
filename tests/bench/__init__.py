"""The table of DESIGN: what is fast, measured on real processes over real sockets. ``make bench`` prints it."""
