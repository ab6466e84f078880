"""Other ways to send the same records."""
