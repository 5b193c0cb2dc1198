"""How web is served: connections and whole requests on one event loop, Flask in small pools of threads behind it."""
