"""Steps of an earlier generation of the rules (``Desk.generation``): they decide only the journal rows that it wrote.

Nothing else calls them, and they are never changed: a past decision must come out equal (SPEC 9).
"""
