"""Who may open a session: the security schemes of FastAPI's name and manner, and the check of browsers' origins.

    user = Security(current_user, scopes=["chat"])
    token = Depends(OAuth2PasswordBearer(tokenUrl="/token"))

A scheme reads the credentials of the handshake and refuses with a true HTTP 401 when there are none. Comparing them is
yours: with `hmac.compare_digest`.
"""

from typing import TYPE_CHECKING

from ..lazily import lazily

if TYPE_CHECKING:
    from .api_key import APIKeyCookie, APIKeyHeader, APIKeyQuery
    from .base import SecurityBase
    from .http import HTTPAuthorizationCredentials, HTTPBase, HTTPBasic, HTTPBasicCredentials, HTTPBearer, HTTPDigest
    from .oauth2 import OAuth2, OAuth2AuthorizationCodeBearer, OAuth2PasswordBearer
    from .open_id import OpenIdConnect
    from .origins import OriginPolicy
    from .scopes import SecurityScopes
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            ".api_key": ["APIKeyCookie", "APIKeyHeader", "APIKeyQuery"],
            ".base": ["SecurityBase"],
            ".http": [
                *("HTTPAuthorizationCredentials", "HTTPBase", "HTTPBasic", "HTTPBasicCredentials", "HTTPBearer", "HTTPDigest"),
            ],
            ".oauth2": ["OAuth2", "OAuth2AuthorizationCodeBearer", "OAuth2PasswordBearer"],
            ".open_id": ["OpenIdConnect"],
            ".origins": ["OriginPolicy"],
            ".scopes": ["SecurityScopes"],
        },
    )

__all__ = [
    "APIKeyCookie",
    "APIKeyHeader",
    "APIKeyQuery",
    "HTTPAuthorizationCredentials",
    "HTTPBase",
    "HTTPBasic",
    "HTTPBasicCredentials",
    "HTTPBearer",
    "HTTPDigest",
    "OAuth2",
    "OAuth2AuthorizationCodeBearer",
    "OAuth2PasswordBearer",
    "OpenIdConnect",
    "OriginPolicy",
    "SecurityBase",
    "SecurityScopes",
]
