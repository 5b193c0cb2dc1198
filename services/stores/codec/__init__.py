"""The desk, commands and events as JSON documents with a schema number."""
