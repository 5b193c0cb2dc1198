"""The price book: candles and alerts worked out by hand, and by a second implementation."""
