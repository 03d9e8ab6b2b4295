"""Sessions that outlive their connection: a client that comes back with its ticket goes on where it was."""
