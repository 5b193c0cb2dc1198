"""What each port serves."""
