"""The data of the desk: its state, orders and settings, and the commands, events and replies."""
