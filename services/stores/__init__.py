"""The stores of the desk: the port (``store.py``), the JSON documents (``codec/``), SQLite and Firestore."""
