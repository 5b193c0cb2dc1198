"""The feeds: what the desk knows, told to sockets. Follows web over the wire and decides nothing."""
