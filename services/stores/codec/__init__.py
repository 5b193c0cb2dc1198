"""Desk, commands, events and rows as JSON documents with a schema number."""
