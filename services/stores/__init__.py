"""Where the desk is kept: the port (``store.py``), the JSON documents (``codec/``), SQLite and Firestore."""
