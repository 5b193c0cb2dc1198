"""Who may call what: passwords, secrets, API keys, sessions. Deny is the default."""
