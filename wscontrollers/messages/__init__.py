"""Typed messages: models with tags, the union of those that a side reads, codecs, control frames and errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazily import lazily

if TYPE_CHECKING:
    from .codecs import Codec, JsonCodec, MsgPackCodec, ObjectCodec, negotiated, spoken_with
    from .errors import ErrorCode, FrameError, code_of, snake_case
    from .frames import (
        Cancel,
        ControlFrame,
        Credit,
        End,
        ErrorDetail,
        ErrorFrame,
        Frame,
        Gap,
        GoingAway,
        Heartbeat,
        Incoming,
        Ok,
        Presence,
        Recover,
        Recovered,
        Ref,
        Reply,
        Resumable,
        Resumed,
    )
    from .jsonrpc import JsonRpc
    from .limits import FrameLimits
    from .members import Member
    from .message import Message, outbox_policy_of, tag_of
    from .policies import Latest, OutboxPolicy, latest, outbox_policy
    from .reading import Reader
    from .union import MessageUnion
    from .writing import Writer
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            ".codecs": ["Codec", "JsonCodec", "MsgPackCodec", "ObjectCodec", "negotiated", "spoken_with"],
            ".errors": ["ErrorCode", "FrameError", "code_of", "snake_case"],
            ".frames": [
                "Cancel",
                "ControlFrame",
                "Credit",
                "End",
                "ErrorDetail",
                "ErrorFrame",
                "Frame",
                "Gap",
                "GoingAway",
                "Heartbeat",
                "Incoming",
                "Ok",
                "Presence",
                "Recover",
                "Recovered",
                "Ref",
                "Reply",
                "Resumable",
                "Resumed",
            ],
            ".jsonrpc": ["JsonRpc"],
            ".limits": ["FrameLimits"],
            ".members": ["Member"],
            ".message": ["Message", "outbox_policy_of", "tag_of"],
            ".policies": ["Latest", "OutboxPolicy", "latest", "outbox_policy"],
            ".reading": ["Reader"],
            ".union": ["MessageUnion"],
            ".writing": ["Writer"],
        },
    )

__all__ = [
    "Cancel",
    "Codec",
    "ControlFrame",
    "Credit",
    "End",
    "ErrorCode",
    "ErrorDetail",
    "ErrorFrame",
    "Frame",
    "FrameError",
    "FrameLimits",
    "Gap",
    "GoingAway",
    "Heartbeat",
    "Incoming",
    "JsonCodec",
    "JsonRpc",
    "Latest",
    "Member",
    "Message",
    "MessageUnion",
    "MsgPackCodec",
    "ObjectCodec",
    "Ok",
    "OutboxPolicy",
    "Presence",
    "Reader",
    "Recover",
    "Recovered",
    "Ref",
    "Reply",
    "Resumable",
    "Resumed",
    "Writer",
    "code_of",
    "latest",
    "negotiated",
    "outbox_policy",
    "outbox_policy_of",
    "snake_case",
    "spoken_with",
    "tag_of",
]
