"""A handler's own part of a plan while it is being made."""

from __future__ import annotations

from typing import Any

from ..container import Input
from .invoking import Invocation
from .message_plan import MessagePlan
from .steps import Step


class MessageDraft:
    """What has to be done anew for each message of one handler.

    Attributes:
        message: The slot of the message.
        types: The classes that the message may have.
        slots: What is new with each message.
        shared: Dependencies of this kind that serve all uses within one message.
        fed: Where the container was handed a value of the message.
    """

    __slots__ = ("_cleans_up", "_opens_scope", "_steps", "fed", "message", "shared", "slots", "types")

    def __init__(self, message: int, types: tuple[type, ...]) -> None:
        self.message = message
        self.types = types
        self.slots = {message}
        self.shared: dict[Any, int] = {}
        self.fed: dict[Input, int] = {}
        self._steps: list[Step] = []
        self._opens_scope = False
        self._cleans_up = False

    def is_read_by(self, step: Step) -> bool:
        """Whether a step reads something that is new with each message."""
        return not self.slots.isdisjoint(step.reads)

    def add(self, step: Step, *, cleans_up: bool) -> None:
        """Take a step in; one that cleans up does so when the message is handled."""
        self._steps.append(step)
        self.slots.add(step.slot)
        self._cleans_up = self._cleans_up or cleans_up

    def open_scope(self) -> None:
        """Something lives as long as the message."""
        self._opens_scope = True

    def plan(self, endpoint: Invocation) -> MessagePlan:
        """The finished plan.

        Args:
            endpoint: The call of the handler.
        """
        return MessagePlan(
            steps=self._steps,
            endpoint=endpoint,
            message=self.message,
            opens_scope=self._opens_scope,
            cleans_up=self._cleans_up,
        )
