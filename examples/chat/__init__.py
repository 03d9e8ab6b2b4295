"""A chat with rooms: a controller, injected services and a page. Run it with `python -m examples.chat`."""
