"""How to put something else in the place of a service in a test: `test_overrides.py`, for the application in `app.py`."""
