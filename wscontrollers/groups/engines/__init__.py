"""Engines: what carries groups between processes."""
