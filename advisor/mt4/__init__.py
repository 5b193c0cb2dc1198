"""The MT4 account: a paper account, the desk, or one at MetaApi (docs/reference/mt4.md)."""
