"""Access control: passwords, secrets, API keys, sessions. Access is denied by default."""
