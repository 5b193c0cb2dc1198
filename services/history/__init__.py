"""The history of the desk: read the journal from store and archive, replay, compare, export and archive it."""
