"""Small applications that show one thing each; every one of them runs in a test."""
