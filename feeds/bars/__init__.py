"""The bar store: one bar a minute of each symbol, from whoever knows it best, and candles made of them."""
