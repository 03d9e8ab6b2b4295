"""Class-based WebSocket controllers on Starlette, pydantic, injector and uvicorn."""

from . import status
from .app import App, register_controllers
from .container import (
    AssistedBuilder,
    Container,
    Inject,
    Module,
    NoInject,
    ProviderOf,
    inject,
    message_scoped,
    multiprovider,
    provider,
    session_scoped,
    singleton,
)
from .controller import Controller, ControllerMeta
from .declare import websocket
from .dependencies import get_dependant, solve_dependencies
from .exceptions import (
    DeclarationError,
    Denied,
    HTTPException,
    WebSocketDisconnect,
    WebSocketException,
    WebSocketRequestValidationError,
)
from .middleware import Middleware
from .params import Cookie, Depends, FirstMessage, Header, Path, Query, Security
from .routing import APIRouter, APIWebSocketRoute, get_websocket_app, websocket_session
from .websockets import HTTPConnection, Request, Response, WebSocket, WebSocketState

__all__ = [
    "APIRouter",
    "APIWebSocketRoute",
    "App",
    "AssistedBuilder",
    "Container",
    "Controller",
    "ControllerMeta",
    "Cookie",
    "DeclarationError",
    "Denied",
    "Depends",
    "FirstMessage",
    "HTTPConnection",
    "HTTPException",
    "Header",
    "Inject",
    "Middleware",
    "Module",
    "NoInject",
    "Path",
    "ProviderOf",
    "Query",
    "Request",
    "Response",
    "Security",
    "WebSocket",
    "WebSocketDisconnect",
    "WebSocketException",
    "WebSocketRequestValidationError",
    "WebSocketState",
    "get_dependant",
    "get_websocket_app",
    "inject",
    "message_scoped",
    "multiprovider",
    "provider",
    "register_controllers",
    "session_scoped",
    "singleton",
    "solve_dependencies",
    "status",
    "websocket",
    "websocket_session",
]
