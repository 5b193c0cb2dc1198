"""The market: instruments, the CME session and holidays, recorded prices and Renko bricks."""
