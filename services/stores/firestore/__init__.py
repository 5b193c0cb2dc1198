"""The distributed store: Google Firestore."""
