"""From declarations to a plan: order, sharing, overrides, and a cost that is linear in functions."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dependencies.sessions import handshake, places, sending, sent
from tests.dependencies.test_reading import rows_of_diamonds
from wscontrollers import APIRouter, App, Container, DeclarationError, Depends, Query, Security, WebSocket, get_dependant
from wscontrollers.dependencies import Plan, Resolution, make_plan
from wscontrollers.security import SecurityScopes


def solved(plan: Plan) -> Any:
    """What the endpoint of a plan returns for a handshake without anything."""

    async def run() -> Any:
        values, errors = await plan.solve(Resolution(handshake(), Container().graph.session()))
        assert errors == []
        return plan.endpoint(values)

    return anyio.run(run)


def plan_of(call: Callable[..., Any], **options: Any) -> Plan:
    return make_plan(get_dependant(path="/", call=call), threads=False, **options)


# Order


@st.composite
def graphs(draw: st.DrawFn) -> list[list[int]]:
    """For each node, the nodes that it needs, in the order of its parameters; a node needs only those before it."""
    size = draw(st.integers(1, 12))
    return [draw(st.lists(st.integers(0, node - 1), max_size=4, unique=True)) if node else [] for node in range(size)]


def functions(needs: list[list[int]], calls: list[int]) -> list[Callable[..., Any]]:
    """A function for each node, which notes its call and returns the node with what it got."""
    made: list[Callable[..., Any]] = []
    for node, needed in enumerate(needs):
        parameters = ", ".join(f"p{other}=Depends(made[{other}])" for other in needed)
        namespace: dict[str, Any] = {"Depends": Depends, "made": made, "calls": calls}
        source = (
            f"def function({parameters}):\n calls.append({node})\n return ({node}, {''.join(f'p{other}, ' for other in needed)})"
        )
        exec(source, namespace)  # noqa: S102 - a function with the parameters of the node
        made.append(namespace["function"])
    return made


def reference(needs: list[list[int]], node: int, calls: list[int], values: dict[int, Any]) -> Any:
    """The naive solver: depth first in the order of the parameters, each function once."""
    if node not in values:
        below = [reference(needs, other, calls, values) for other in needs[node]]
        calls.append(node)
        values[node] = (node, *below)
    return values[node]


@given(graphs())
def test_any_graph_is_solved_depth_first_and_each_function_once(needs: list[list[int]]) -> None:
    """A plan calls what a naive solver calls, in its order, and gets the same values."""
    calls: list[int] = []
    expected_calls: list[int] = []
    expected = reference(needs, len(needs) - 1, expected_calls, {})
    assert solved(plan_of(functions(needs, calls)[-1])) == expected
    assert calls == expected_calls


@pytest.mark.parametrize("rows", [1, 6, 12, 40])
def test_the_cost_is_linear_in_functions(rows: int) -> None:
    """Rows of diamonds have two to the power of their rows many ways, and one step for each function."""
    plan = plan_of(rows_of_diamonds(rows))
    assert len(plan.steps) == 2 * rows + 1
    assert solved(plan) == 2 ** (rows + 1)


def test_guards_run_before_parameters_from_the_outermost_in() -> None:
    """App, the list of each include, the list of each router, the route's own, then the endpoint's parameters."""
    events: list[str] = []

    def noting(name: str) -> Any:
        return Depends(lambda: events.append(name))

    async def endpoint(websocket: WebSocket, value: Annotated[None, noting("parameter")]) -> None:
        await websocket.accept()
        await websocket.send_json(events)

    inner = APIRouter(dependencies=[noting("inner")])
    inner.add_api_websocket_route("/", endpoint, dependencies=[noting("route")])
    outer = APIRouter(dependencies=[noting("outer")])
    outer.include_router(inner, dependencies=[noting("include inner")])
    app = App(dependencies=[noting("app")])
    app.include_router(outer, prefix="/a", dependencies=[noting("include outer")])
    assert sent(app, "/a/") == ["app", "include outer", "outer", "include inner", "inner", "route", "parameter"]


def test_services_stand_in_the_order_of_parameters_with_dependencies() -> None:
    """What a constructor does happens where its parameter stands."""
    events: list[str] = []

    class Store:
        def __init__(self) -> None:
            events.append("store")

    def first() -> None:
        events.append("first")

    def last() -> None:
        events.append("last")

    def found(a: Annotated[None, Depends(first)], store: Store, b: Annotated[None, Depends(last)]) -> Any:
        return events

    assert sent(sending(found)) == ["first", "store", "last"]


# Sharing


def counted() -> tuple[Callable[[], int], list[int]]:
    """A dependency that returns the number of its call."""
    calls: list[int] = []

    def count() -> int:
        calls.append(len(calls) + 1)
        return calls[-1]

    return count, calls


def test_a_dependency_runs_once_a_session() -> None:
    """All who need it get one value; the next session gets its own."""
    count, _ = counted()

    def found(a: int = Depends(count), b: int = Depends(count)) -> Any:
        return [a, b]

    app = sending(found)
    assert [sent(app), sent(app)] == [[1, 1], [2, 2]]


def test_without_cache_each_use_runs() -> None:
    """`use_cache=False` makes a value of its own, which serves later uses that do not insist."""
    count, _ = counted()

    def found(
        a: int = Depends(count, use_cache=False),
        b: int = Depends(count),
        c: int = Depends(count, use_cache=False),
        d: int = Depends(count),
    ) -> Any:
        return [a, b, c, d]

    assert sent(sending(found)) == [1, 1, 2, 1]


def test_one_function_of_both_scopes_is_two_values() -> None:
    """Their clean-ups run at different times."""
    count, _ = counted()

    def generator() -> Iterator[int]:
        yield count()

    def found(
        a: int = Depends(generator, scope="function"), b: int = Depends(generator), c: int = Depends(generator, scope="request")
    ) -> Any:
        return [a, b, c]

    assert sent(sending(found)) == [1, 2, 2]


def test_equal_methods_are_one_and_partials_are_not() -> None:
    """What compares equal is one callable: a bound method is made anew at each look, a partial equals itself only."""

    class Counter:
        calls = 0

        def count(self) -> int:
            self.calls += 1
            return self.calls

    counter = Counter()

    def found(
        a: int = Depends(counter.count), b: int = Depends(counter.count),
        c: int = Depends(partial(counter.count)), d: int = Depends(partial(counter.count)),
    ) -> Any:  # fmt: skip
        return [a, b, c, d]

    assert sent(sending(found)) == [1, 1, 2, 3]


def test_a_callable_without_a_hash_is_itself_only() -> None:
    """It works, and is shared with no other."""

    class Unhashable:
        __hash__ = None
        calls = 0

        def __call__(self) -> int:
            self.calls += 1
            return self.calls

    one = Unhashable()

    def found(a: int = Depends(one), b: int = Depends(one), c: int = Depends(Unhashable())) -> Any:
        return [a, b, c]

    assert sent(sending(found)) == [1, 1, 1]


def test_security_scopes_tell_values_apart_where_they_are_asked_for() -> None:
    """Two ways with different scopes make two values of who looks at them, and one of who does not."""
    count, _ = counted()

    def user(scopes: SecurityScopes, number: int = Depends(count)) -> Any:
        return [number, scopes.scopes, scopes.scope_str]

    def found(
        a: Any = Security(user, scopes=["read"]),
        b: Any = Security(user, scopes=["write", "read"]),
        c: Any = Security(user, scopes=["read"]),
    ) -> Any:
        return [a, b, c, a is c]

    assert sent(sending(found)) == [[1, ["read"], "read"], [1, ["write", "read"], "write read"], [1, ["read"], "read"], True]


# Overrides


def original() -> str:
    return "original"


def deep(value: str = Depends(original)) -> str:
    return f"deep {value}"


def test_an_override_holds_at_every_depth() -> None:
    """For guards, parameters, what is below them, and below other overrides."""
    events: list[str] = []

    def other() -> str:
        events.append("other")
        return "other"

    def deeper(value: str = Depends(deep), same: str = Depends(original)) -> Any:
        return [value, same]

    def replaced(value: str = Depends(original)) -> str:
        return f"replaced {value}"

    app = sending(deeper, dependencies=[Depends(original)])
    app.dependency_overrides[original] = other
    assert sent(app) == ["deep other", "other"]
    assert events == ["other"]
    app.dependency_overrides[deep] = replaced
    assert sent(app) == ["replaced other", "other"]


def test_the_signature_of_an_override_is_its_own() -> None:
    """The original's parameters are gone; those of the override are filled by the same rules, services too."""

    class Clock:
        hour = 12

    def needing(token: str) -> str:
        return token

    def other(clock: Clock, limit: Annotated[int, Query()] = 3) -> str:
        return f"{clock.hour} {limit}"

    app = sending(needing)
    assert places(app) == [("query", "token", "missing")]
    app.dependency_overrides[needing] = other
    assert sent(app, "/?limit=4") == "12 4"


def test_an_override_may_be_a_generator_and_is_cleaned_up() -> None:
    """It stands in the place, and in the clean-up, of what it overrides."""
    events: list[str] = []

    def other() -> Iterator[str]:
        yield "other"
        events.append("left")

    app = sending(deep)
    app.dependency_overrides[original] = other
    assert sent(app) == "deep other"
    assert events == ["left"]


def test_one_override_of_two_dependencies_runs_for_each() -> None:
    """Values are shared by the original that was asked for."""
    count, _ = counted()

    def left() -> int:
        raise AssertionError("it is overridden")

    def right() -> int:
        raise AssertionError("it is overridden")

    def found(a: int = Depends(left), b: int = Depends(right), c: int = Depends(left)) -> Any:
        return [a, b, c]

    app = sending(found)
    app.dependency_overrides.update({left: count, right: count})
    assert sent(app) == [1, 2, 1]


def test_an_override_keeps_the_scopes_above() -> None:
    """A double of the current user sees what is asked of the real one."""

    def user(scopes: SecurityScopes) -> Any:
        raise AssertionError("it is overridden")

    def double(scopes: SecurityScopes) -> Any:
        return scopes.scopes

    def found(value: Any = Security(user, scopes=["read"])) -> Any:
        return value

    app = sending(found)
    app.dependency_overrides[user] = double
    assert sent(app) == ["read"]


def test_an_override_that_depends_on_its_original_is_told() -> None:
    """It would have to run before itself."""

    def other(value: str = Depends(original)) -> str:
        return value

    with pytest.raises(DeclarationError, match=r"it overrides original and depends on it, .* Fix: call the original inside"):
        plan_of(deep, overrides={original: other})


def test_an_override_that_cannot_be_filled_is_told() -> None:
    """With the place of the override."""

    def other(value: dict[str, int]) -> str:
        return ""

    with pytest.raises(DeclarationError, match=r"other .*parameter 'value': nothing can fill dict\[str, int\]"):
        plan_of(deep, overrides={original: other})
