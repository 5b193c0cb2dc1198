"""The bridge: takes orders from the desk over HTTP, has a broker execute them, and reports back.

It runs beside the broker, not beside the desk. The two share the wire and nothing else: this package imports
no module of the desk. Start it with ``python -m bridge --broker paper``.
"""
