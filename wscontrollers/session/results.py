"""What a client responds to a request of JSON-RPC: a result of the type that was asked for, or a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from ..callables import name_of
from ..messages import ErrorFrame, FrameError, Incoming, Ok
from ..messages.errors import INTERNAL, VALIDATION
from ..messages.jsonrpc import Response
from ..messages.members import adapter_of, validator_of
from .framing import Read

NOBODY: Final = 0
"""Refers to no call: nobody is told what goes wrong with a notification or a response."""


def response_json(response: Response) -> str:
    """A response as the frame of a `Reply`."""
    fields = {"result": response.result} if response.error is None else {"error": response.error}
    return to_json(fields, inf_nan_mode="constants").decode()


def result_reader(types: Any) -> Read:
    """Reads such a frame: the result, or an `ErrorFrame` where it was refused or is of another type.

    Args:
        types: Any type that pydantic knows.

    Raises:
        DeclarationError: Pydantic cannot read it.
    """
    name = name_of(types)
    validator = validator_of(adapter_of(types, f"Session.request(reply={name})"))

    def read(frame: str | bytes) -> Incoming:
        response = from_json(frame)
        if "error" in response:
            return Incoming(_refusal(response["error"]), "", None, None)
        if types is Ok and response["result"] is None:
            return Incoming(Ok(NOBODY), "", None, None)
        try:
            result = validator.validate_json(to_json(response["result"], inf_nan_mode="constants"))
        except ValidationError:
            return Incoming(ErrorFrame(VALIDATION, f"the result is no {name}"), "", None, None)
        except Exception as error:
            raise FrameError(INTERNAL, "the result could not be read", ref=NOBODY) from error
        return Incoming(result, "", None, None)

    return read


def _refusal(error: Mapping[str, Any]) -> ErrorFrame:
    """What the client's error object says: our code, where its data has one, else the number."""
    data: object = error.get("data")
    code: object = cast("Mapping[str, Any]", data).get("code") if isinstance(data, dict) else None
    return ErrorFrame(code if isinstance(code, str) else str(error.get("code")), str(error.get("message", "")))
