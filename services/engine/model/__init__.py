"""What the desk consists of: its state, orders, settings, and the commands, events and replies it deals in."""
