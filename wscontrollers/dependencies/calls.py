"""From a dependant to the step that calls it: awaited, in a thread, entered or simply called, and within its limit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import asynccontextmanager

from ..callables import Kind
from .dependant import Dependant
from .invoking import invocation
from .steps import AWAIT, CALL, RUN, ContextStep, GeneratorStep, LimitedStep, Step, ThreadStep, in_thread, inline, limited


def step_of(dependant: Dependant, names: Sequence[str], slot: int, reads: Iterable[int], *, threaded: bool) -> Step:
    """The step that calls a dependant.

    Args:
        dependant: What is called.
        names: The names of its arguments.
        slot: Where its value goes.
        reads: Where its arguments are, in the order of the names.
        threaded: Whether it runs in a worker thread, because it is a plain function that may block.
    """
    call, reads = dependant.call, tuple(reads)
    if dependant.kind is Kind.ASYNC_GENERATOR and dependant.limit is None:
        return GeneratorStep(slot, reads, invocation(call, names, reads), call, scope=dependant.scope)
    if dependant.kind.is_generator:
        managed = asynccontextmanager if dependant.kind is Kind.ASYNC_GENERATOR else in_thread if threaded else inline
        manager = managed(call)
        if dependant.limit is not None:
            manager = limited(manager, dependant.limit)
        return ContextStep(slot, reads, invocation(manager, names, reads, like=call), call, scope=dependant.scope)
    invoke = invocation(call, names, reads)
    if dependant.kind is Kind.AWAIT:
        step = Step(AWAIT, slot, reads, invoke, call)
    elif threaded:
        step = ThreadStep(RUN, slot, reads, invoke, call)
    else:
        step = Step(CALL, slot, reads, invoke, call)
    return step if dependant.limit is None else LimitedStep(step, dependant.limit)
