"""Class-based WebSocket controllers on Starlette, pydantic, injector and uvicorn."""

from typing import TYPE_CHECKING

from . import status
from .app import App
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
from .declare import per, receive, websocket
from .dependencies import get_dependant
from .exceptions import (
    DeclarationError,
    Denied,
    HTTPException,
    RequestRefusedError,
    WebSocketDisconnect,
    WebSocketException,
    WebSocketRequestValidationError,
)
from .lazily import lazily
from .middleware import Middleware
from .params import Cookie, Depends, FirstMessage, Header, Path, Query, Security
from .registration import register_controllers
from .routing import APIRouter, APIWebSocketRoute, get_websocket_app, websocket_session
from .session.limits import Limits
from .websockets import HTTPConnection, Request, Response, WebSocket, WebSocketState

if TYPE_CHECKING:
    from .dependencies import solve_dependencies
    from .groups import Group, Groups, History, Publisher, group
    from .messages import JsonCodec, JsonRpc, Message, MsgPackCodec, latest
    from .session import Delivery, Ended, Resume, Session
else:
    # What not every program needs. Typed messages are a third of the package, and pydantic builds schemas for them.
    __getattr__, __dir__ = lazily(
        __name__,
        {
            ".dependencies": ["solve_dependencies"],
            ".groups": ["Group", "Groups", "History", "Publisher", "group"],
            ".messages": ["JsonCodec", "JsonRpc", "Message", "MsgPackCodec", "latest"],
            ".session": ["Delivery", "Ended", "Resume", "Session"],
        },
    )

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
    "Delivery",
    "Denied",
    "Depends",
    "Ended",
    "FirstMessage",
    "Group",
    "Groups",
    "HTTPConnection",
    "HTTPException",
    "Header",
    "History",
    "Inject",
    "JsonCodec",
    "JsonRpc",
    "Limits",
    "Message",
    "Middleware",
    "Module",
    "MsgPackCodec",
    "NoInject",
    "Path",
    "ProviderOf",
    "Publisher",
    "Query",
    "Request",
    "RequestRefusedError",
    "Response",
    "Resume",
    "Security",
    "Session",
    "WebSocket",
    "WebSocketDisconnect",
    "WebSocketException",
    "WebSocketRequestValidationError",
    "WebSocketState",
    "get_dependant",
    "get_websocket_app",
    "group",
    "inject",
    "latest",
    "message_scoped",
    "multiprovider",
    "per",
    "provider",
    "receive",
    "register_controllers",
    "session_scoped",
    "singleton",
    "solve_dependencies",
    "status",
    "websocket",
    "websocket_session",
]
