"""The ports of the advisor: the ML engine (8002) and the agent (8003)."""
