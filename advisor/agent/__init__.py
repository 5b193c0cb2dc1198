"""The agent: tools that only read, explanations made of what they find, and the providers that word answers."""
