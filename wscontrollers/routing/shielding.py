"""The shield of clean-ups, where there is something to shield them from."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import anyio

_NOTHING: AbstractContextManager[None] = nullcontext()
_BACKEND = "anyio._backends._asyncio"


def unwinding_scope() -> AbstractContextManager[anyio.CancelScope | None]:
    """A scope to enter before anything that cleans up, and to shield while it does; nothing where that would be for nothing.

    Generators may hold scopes and task groups of their own open over their `yield`, which have to lie inside of the shield, so
    it is entered before them. Only a cancel scope around the session cancels again and again, and is shielded from; a server
    starts a session in a task of its own, where there is none. On asyncio, which asks at each scope what task it is in, that
    saves some microseconds of a session.
    """
    return anyio.CancelScope() if _is_below_a_scope() else _NOTHING


def _is_below_a_scope() -> bool:
    try:
        task = asyncio.current_task()
    except RuntimeError:  # trio, where there always is one
        return True
    backend = sys.modules.get(_BACKEND)
    if backend is None:  # nobody has entered a scope in this process yet
        return False
    # anyio has no question for this. Where its tasks' states are no longer found, the answer that is always right is yes.
    states: Any = getattr(backend, "_task_states", None)
    if states is None:
        return True
    state = states.get(task)
    return state is not None and getattr(state, "cancel_scope", state) is not None
