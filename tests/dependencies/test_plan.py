"""The list of steps and its run."""

from contextvars import ContextVar
from typing import Annotated, Any

import anyio.to_thread
import pytest

from tests.dependencies.sessions import places, sending, sent
from wscontrollers import (
    Container,
    Denied,
    Depends,
    HTTPException,
    Module,
    Query,
    WebSocket,
    get_dependant,
    provider,
    session_scoped,
)
from wscontrollers.dependencies import make_plan
from wscontrollers.testing import TestClient, WebSocketDenialResponse


def test_a_plan_says_what_it_does() -> None:
    """Steps are plain data: what is called, in order; the slot of each argument."""

    def low() -> int:
        return 1

    async def high(value: Annotated[int, Depends(low)]) -> int:
        return value

    async def endpoint(websocket: WebSocket, limit: int, value: Annotated[int, Depends(high)]) -> None: ...

    plan = make_plan(get_dependant(path="/", call=endpoint))
    assert [step.what for step in plan.steps] == [low, high]
    assert list(plan.arguments) == ["websocket", "limit", "value"]
    assert plan.parameters is not None
    assert not plan.cleans_up
    assert not plan.opens


def test_below_an_invalid_parameter_nothing_is_called_and_beside_it_everything() -> None:
    """Side effects of siblings happen, as in FastAPI; what needs the invalid value does not run."""
    events: list[str] = []

    def before() -> None:
        events.append("before")

    def faulty(number: int) -> None:
        events.append("faulty")

    def above(value: Annotated[None, Depends(faulty)]) -> None:
        events.append("above")

    def behind(name: str) -> None:
        events.append(f"behind {name}")

    async def endpoint(
        websocket: WebSocket,
        a: Annotated[None, Depends(before)],
        b: Annotated[None, Depends(above)],
        c: Annotated[None, Depends(behind)],
        missing: int,
    ) -> None:
        events.append("endpoint")

    app = sending(lambda: None)
    app.add_api_websocket_route("/other", endpoint)
    assert places(app, "/other?number=x&name=n") == [("query", "number", "int_parsing"), ("query", "missing", "missing")]
    assert events == ["before", "behind n"]


def test_a_service_that_needs_an_invalid_parameter_is_not_made() -> None:
    """Nor what depends on it; a service beside it is."""
    events: list[str] = []

    class Cart:
        def __init__(self, number: int) -> None:
            events.append("cart")

    class Store:
        def __init__(self) -> None:
            events.append("store")

    class Production(Module):
        @session_scoped
        @provider
        def cart(self, number: Annotated[int, Query()]) -> Cart:
            return Cart(number)

    def below(cart: Cart) -> None:
        events.append("below")

    def found(value: Annotated[None, Depends(below)], store: Store) -> Any:
        return events

    app = sending(found, container=Container(Production()))
    assert places(app, "/?number=x") == [("query", "number", "int_parsing")]
    assert events == ["store"]
    assert sent(app, "/?number=1") == ["store", "cart", "below", "store"]


def test_a_sibling_that_refuses_goes_before_the_errors() -> None:
    """A guard that denies is the answer, whatever the parameters are."""

    def guard() -> None:
        raise Denied(401, "no")

    def found(number: int) -> int:
        return number

    app = sending(found, dependencies=[Depends(guard)])
    with pytest.raises(WebSocketDenialResponse) as refused, TestClient(app).websocket_connect("/?number=x"):
        pass
    assert refused.value.status_code == 401


def test_valid_parameters_beside_invalid_ones_have_their_values() -> None:
    """Defaults and factories too."""
    seen: list[Any] = []

    def sibling(ids: list[int], limit: int = 5) -> None:
        seen.append([ids, limit])

    def found(number: int, value: Annotated[None, Depends(sibling)]) -> int:
        return number

    assert places(sending(found), "/?number=x&ids=1&ids=2") == [("query", "number", "int_parsing")]
    assert seen == [[[1, 2], 5]]


def test_neighbours_share_one_hop_to_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain functions that follow each other run behind each other in one thread; an async one in between parts them."""
    hops: list[Any] = []
    run_sync = anyio.to_thread.run_sync

    async def counting(function: Any, *args: Any, **options: Any) -> Any:
        hops.append(function)
        return await run_sync(function, *args, **options)

    monkeypatch.setattr(anyio.to_thread, "run_sync", counting)

    def one() -> int:
        return 1

    def two(value: Annotated[int, Depends(one)]) -> int:
        return value + 1

    async def three(value: Annotated[int, Depends(two)]) -> int:
        return value + 1

    def four(value: Annotated[int, Depends(three)]) -> int:
        return value + 1

    def found(value: Annotated[int, Depends(four)]) -> int:
        return value

    assert sent(sending(found)) == 4
    assert len(hops) == 2


def test_neighbours_do_not_see_each_others_context() -> None:
    """Each runs in its own copy of the session's context: what it sets is lost (as in FastAPI)."""
    variable: ContextVar[str] = ContextVar("variable", default="unset")

    async def session() -> None:
        variable.set("session")

    def one() -> str:
        before = variable.get()
        variable.set("one")
        return before

    def two() -> str:
        return variable.get()

    async def found(
        a: Annotated[None, Depends(session)], b: Annotated[str, Depends(one)], c: Annotated[str, Depends(two)]
    ) -> Any:
        return [b, c, variable.get()]

    assert sent(sending(found)) == ["session", "session", "session"]


def test_what_one_neighbour_raises_is_raised() -> None:
    """And those behind it do not run."""
    events: list[str] = []

    def one() -> None:
        raise HTTPException(418)

    def two() -> None:
        events.append("two")

    app = sending(lambda: None, dependencies=[Depends(one), Depends(two)])
    with pytest.raises(WebSocketDenialResponse) as refused, TestClient(app).websocket_connect("/"):
        pass
    assert refused.value.status_code == 418
    assert events == []
