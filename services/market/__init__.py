"""The market as the desk needs it: instruments, the CME session, recorded prices and their bricks."""
