"""Routers, routes, and the frame around each session's endpoint."""

from .frame import get_websocket_app, websocket_session
from .route import APIWebSocketRoute, Host, RawWebSocketRoute
from .router import APIRouter, IncludedRouter
from .table import Table

__all__ = [
    "APIRouter",
    "APIWebSocketRoute",
    "Host",
    "IncludedRouter",
    "RawWebSocketRoute",
    "Table",
    "get_websocket_app",
    "websocket_session",
]
