"""Processes killed with SIGKILL under load, and what must be true afterwards (docs/reference/crash.md).

``load.py`` and ``scripted_bridge.py`` are who sends, ``books.py`` is what they know, ``killer.py`` when the plug is
pulled, ``oracle.py`` what the journal says, ``checks.py`` what must agree, ``comparison.py`` what a kill in a held
moment must not change, ``campaign.py`` one desk killed again and again, ``counts.py`` its table.
"""
