"""The smallest application: an endpoint that is a function, with two parameters. `uvicorn examples.echo.app:app`."""
