"""What the asyncio programs beside web are made of: ports, keys, calls to web, logs."""
