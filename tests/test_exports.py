"""What users import, and from where."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import wscontrollers

CONTRACT = {
    "wscontrollers": (
        "App APIRouter APIWebSocketRoute Controller websocket register_controllers Depends Security Path Query Header Cookie "
        "FirstMessage Container Module provider multiprovider singleton session_scoped message_scoped Inject NoInject inject "
        "ProviderOf AssistedBuilder WebSocket WebSocketDisconnect WebSocketState WebSocketException "
        "WebSocketRequestValidationError Denied HTTPException HTTPConnection Request Response Middleware status get_dependant "
        "solve_dependencies websocket_session get_websocket_app"
    ),
    "wscontrollers.routing": "APIRouter APIWebSocketRoute websocket_session get_websocket_app",
    "wscontrollers.exceptions": "WebSocketRequestValidationError WebSocketException Denied HTTPException DependencyScopeError",
    "wscontrollers.security": (
        "APIKeyQuery APIKeyHeader APIKeyCookie HTTPBase HTTPBasic HTTPBearer HTTPDigest HTTPAuthorizationCredentials "
        "HTTPBasicCredentials OAuth2 OAuth2PasswordBearer OAuth2AuthorizationCodeBearer OpenIdConnect SecurityScopes"
    ),
    "wscontrollers.websockets": "WebSocket WebSocketDisconnect WebSocketState",
    "wscontrollers.testing": "TestClient WebSocketDenialResponse",
    "wscontrollers.status": "WS_1000_NORMAL_CLOSURE WS_1008_POLICY_VIOLATION HTTP_401_UNAUTHORIZED",
    "wscontrollers.middleware": "Middleware",
}


@pytest.mark.parametrize("module", CONTRACT)
def test_public_names(module: str) -> None:
    """The names of the contract are where the contract says."""
    found = importlib.import_module(module)
    assert [name for name in CONTRACT[module].split() if not hasattr(found, name)] == []


def test_all_is_sorted_and_true() -> None:
    """`__all__` lists what there is, in order, and nothing twice."""
    assert wscontrollers.__all__ == sorted(set(wscontrollers.__all__))
    assert [name for name in wscontrollers.__all__ if not hasattr(wscontrollers, name)] == []


def test_the_core_needs_nothing_but_its_dependencies() -> None:
    """Importing the package imports neither FastAPI nor anything of tests or servers."""
    unwanted = {"fastapi", "httpx2", "pytest", "uvicorn", "websockets", "redis"}
    code = f"import sys, wscontrollers; print(sorted({unwanted!r} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
