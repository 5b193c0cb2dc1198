"""TradingView's webhooks."""
