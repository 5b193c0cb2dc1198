"""Prices as TheStrat reads them: candles, breaks, setups, and the consensus of the brick colours. Pure: no clock."""
