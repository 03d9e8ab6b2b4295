"""Controllers inside an existing FastAPI application, beside its own routes. FastAPI itself is not needed otherwise."""
