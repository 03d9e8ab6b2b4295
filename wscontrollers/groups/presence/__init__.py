"""Presence: who is in a group, in all processes, and how its members hear of it."""
