"""Auto-trade: one decision of each closed bar, and a shadow book that no broker knows (docs/how-to/auto-trade.md)."""
