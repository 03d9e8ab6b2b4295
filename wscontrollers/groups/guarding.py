"""The guard of a group: planned at registration, run before a session joins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import anyio
from pydantic import TypeAdapter, ValidationError

from ..container import Graph
from ..dependencies import Dependant, Planned, Resolution, get_dependant
from ..exceptions import Denied
from ..logs import logger_of
from ..markers import Place
from ..websockets import ServedWebSocket
from .declaring import Group

if TYPE_CHECKING:
    from ..container import Container
    from ..session.life import Life


logger = logger_of("wscontrollers.groups")

NO_SUCH_GROUP: Final = "no such group"


class Guard:
    """Who may join the groups of one declaration.

    Args:
        declared: The declaration; it has a guard, or dependencies.
        container: What supplies services.
        provider: Who has `dependency_overrides`.
        threads: Whether plain functions run in worker threads.

    Raises:
        DeclarationError: A parameter can never be filled.
    """

    __slots__ = ("_group", "_planned", "_spellings")

    def __init__(self, declared: Group, *, container: Container, provider: object, threads: bool) -> None:
        self._group = declared
        self._planned = Planned(self._declare, container=container, provider=provider, threads=threads)
        self._spellings = tuple(_spellings(self._planned.dependant, declared.parameters))

    async def admit(self, name: str, life: Life) -> None:
        """Let a session join, or raise what the guard raises.

        Raises:
            Denied: It is refused, or the name's parameters are not valid, or not written as the server writes them: the guard
                of "room:7" says nothing of "room:07", which is another group.
        """
        parameters = self._group.match(name)
        assert parameters is not None
        if not all(spelling.holds(parameters) for spelling in self._spellings):
            raise Denied(403, NO_SUCH_GROUP)
        graph, plan = self._planned.current()
        if plan.opens:
            await graph.ensure_open()
        seen = _seen_as(life.websocket, parameters)
        with anyio.CancelScope() as shield:
            async with Resolution(seen, graph.session(), shield) as resolution:
                values, errors = await plan.solve(resolution)
                if errors:
                    others = [error["loc"] for error in errors if error["loc"][0] != "path"]
                    if others:  # those of the name are a client's, most likely; these are a mistake of the program
                        logger.warning("group %r: nobody joins, for its guard's parameters are not there: %s", name, others)
                    raise Denied(403, NO_SUCH_GROUP)
                await plan.endpoint(values)

    def _declare(self, graph: Graph) -> Dependant:
        path = "/" + "/".join(f"{{{name}}}" for name in self._group.parameters)
        return get_dependant(path=path, call=self._group.guard or _anybody, dependencies=self._group.dependencies, supplier=graph)


class _Spelling(NamedTuple):
    """How a parameter's value is written.

    Attributes:
        name: The parameter's.
        adapter: Reads and writes its type.
    """

    name: str
    adapter: TypeAdapter[Any]

    def holds(self, parameters: Mapping[str, str]) -> bool:
        """Whether it is written so; what has no value of the type is none of this."""
        text = parameters[self.name]
        try:
            written = self.adapter.dump_python(self.adapter.validate_python(text), mode="json")
        except ValidationError:
            return True
        return text == (str(written).lower() if isinstance(written, bool) else str(written))


def _spellings(dependant: Dependant, parameters: Sequence[str]) -> Iterator[_Spelling]:
    """Those of all parameters that the guard and its dependencies take out of the name, each by its own type."""
    for field in dependant.fields:
        annotation, _ = field.definition()
        if field.place is Place.PATH and field.aliases[0] in parameters and annotation is not str:
            yield _Spelling(field.aliases[0], TypeAdapter(annotation))
    for dependency in dependant.dependencies:
        yield from _spellings(dependency, parameters)


async def _anybody() -> None:
    """Lets everybody in whom the dependencies let in."""


def _seen_as(websocket: ServedWebSocket, parameters: Mapping[str, str]) -> ServedWebSocket:
    """The session's WebSocket with the group's parameters among those of its path."""
    scope = {**websocket.scope, "path_params": {**websocket.path_params, **parameters}}
    seen = ServedWebSocket(scope, websocket.receive_event, websocket.send_event)
    seen.client_state, seen.application_state = websocket.client_state, websocket.application_state
    seen.accepted_early = True
    seen.session_of_it = websocket.session_of_it
    return seen
