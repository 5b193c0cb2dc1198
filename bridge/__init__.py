"""The bridge: takes orders from the desk over HTTP, has a broker execute them, and reports back.

It runs on the broker's machine. Bridge and desk share only the wire: this package imports no module of the desk. Start
it with ``python -m bridge --broker paper``.
"""
