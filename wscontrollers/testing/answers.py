"""What an application answers to a handshake."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from starlette.datastructures import Headers


@dataclass(frozen=True, slots=True)
class Accepted:
    """The handshake was accepted.

    Attributes:
        subprotocol: The one that was chosen of those that were offered.
        headers: The headers of the accept.
    """

    subprotocol: str | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class Refusal:
    """The handshake was refused with an HTTP answer (an ASGI denial response); a close before the accept is a 403.

    Attributes:
        status: The HTTP status.
        headers: The headers of the answer.
        body: Its body.
    """

    status: int
    headers: Headers = field(repr=False)
    body: bytes

    @property
    def text(self) -> str:
        """The body as text, read as UTF-8."""
        return self.body.decode()

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            json.JSONDecodeError: It is none.
        """
        return json.loads(self.body)
