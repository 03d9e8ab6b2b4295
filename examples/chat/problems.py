"""What is wrong with a frame, in words for the one who sent it."""

from __future__ import annotations

from pydantic import ValidationError

from examples.chat.messages import Problem


def problem_of(error: ValidationError) -> Problem:
    """The first fault of a frame; what was sent is not repeated."""
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    match fault["type"]:
        case "json_invalid":
            return Problem(code="invalid_json", message="the frame is no JSON")
        case "union_tag_invalid":
            return Problem(code="unknown_type", message='the "type" is none that this room knows')
        case "union_tag_not_found" | "dict_type":
            return Problem(code="invalid_frame", message='the frame is no object with a "type"')
        case _:
            # The first item of the location is the type of the frame.
            field = ".".join(str(item) for item in fault["loc"][1:])
            return Problem(code="validation", message=f"{field}: {fault['msg']}")
