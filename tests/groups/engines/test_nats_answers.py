"""What JetStream answers to a request."""

from __future__ import annotations

import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from wscontrollers.exceptions import EngineDownError, EngineError
from wscontrollers.groups.engines.nats_answers import GoneError, NobodyError, answer_of


@pytest.mark.parametrize(
    ("data", "status", "raised"),
    [
        (b"", "503", NobodyError),
        (b'{"error": {"code": 503, "err_code": 10008, "description": "temporarily unavailable"}}', "", EngineDownError),
        (b'{"error": {"code": 400, "err_code": 10005, "description": "no suitable peers for placement"}}', "", EngineDownError),
        (b'{"error": {"code": 404, "err_code": 10059, "description": "stream not found"}}', "", GoneError),
        (b'{"error": {"code": 400, "err_code": 10023, "description": "insufficient resources"}}', "", EngineError),
    ],
)
def test_what_jetstream_refuses(data: bytes, status: str, raised: type[EngineError]) -> None:
    """Nobody there, not now, and never are told apart."""
    message = Msg(Client(), "inbox", data=data, headers={"Status": status} if status else None)
    with pytest.raises(EngineError) as found:
        answer_of(message)
    assert type(found.value) is raised


def test_an_error_that_is_expected_is_no_answer() -> None:
    """A code that the caller knows is None."""
    message = Msg(Client(), "inbox", data=b'{"error": {"code": 404, "err_code": 10059, "description": "stream not found"}}')
    assert answer_of(message, (10059,)) is None
