"""Routers, routes, and the frame around each session's endpoint."""

from .frame import get_websocket_app, websocket_session
from .hosting import Host
from .included import IncludedRouter
from .route import APIWebSocketRoute, RawWebSocketRoute
from .router import APIRouter
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
