"""Runs Pine scripts without TradingView: a translator of the small part of Pine v6 that our script uses.

It is honest rather than complete. A word, an operator, a built-in or a form that it does not know is an error with its
line, never a guess. What it knows it takes strictly: names are declared before they are used, functions change neither
parameters nor globals, conditions are bools, ``na`` is no bool, and declared types are kept.
"""

from tests.support.pine.runtime import NA, Alert, Bar, PineError, PineScript, Symbol
from tests.support.pine.source import PineUnknown

__all__ = ["NA", "Alert", "Bar", "PineError", "PineScript", "PineUnknown", "Symbol"]
