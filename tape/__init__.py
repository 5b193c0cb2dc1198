"""The tape player: plays recorded or simulated prices to the desk's real webhooks, as TradingView would."""
