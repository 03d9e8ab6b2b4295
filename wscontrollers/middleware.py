"""Starlette's `Middleware`, for the `middleware=` of an `App`."""

from starlette.middleware import Middleware

__all__ = ["Middleware"]
