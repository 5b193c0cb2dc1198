"""Brokers the bridge can trade with; ``broker.py`` is the port that all of them implement."""
