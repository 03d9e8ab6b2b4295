"""How the arguments of a call are passed: by position, or by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from inspect import Parameter, Signature
from typing import Annotated, Any

from hypothesis import example, given
from hypothesis import strategies as st

from wscontrollers import App, Controller, Depends, Message, Session, WebSocket, receive, websocket
from wscontrollers.dependencies.invoking import invocation
from wscontrollers.dependencies.passing import passing
from wscontrollers.testing import TestClient

P, N, S, K, D = (
    Parameter.POSITIONAL_ONLY,
    Parameter.POSITIONAL_OR_KEYWORD,
    Parameter.VAR_POSITIONAL,
    Parameter.KEYWORD_ONLY,
    Parameter.VAR_KEYWORD,
)


@st.composite
def signatures(draw: st.DrawFn) -> Signature:
    """Any signature: every kind of parameter, with and without defaults."""
    kinds = sorted(draw(st.lists(st.sampled_from([P, N, S, K, D]), max_size=7)))
    found: list[Parameter] = []
    defaulted = False
    for number, kind in enumerate(kinds):
        if kind in (S, D):
            if not found or found[-1].kind is not kind:
                found.append(Parameter(f"p{number}", kind))
            continue
        defaulted = defaulted and kind is not K
        has_default = draw(st.booleans()) or defaulted
        defaulted = has_default
        found.append(Parameter(f"p{number}", kind, default=f"default of p{number}" if has_default else Parameter.empty))
    return Signature(found)


def function_of(signature: Signature) -> Callable[..., Any]:
    """A function of the signature that returns its arguments."""
    namespace: dict[str, Any] = {}
    exec(f"def call{signature}: return locals()", namespace)  # noqa: S102 - a function of just this signature
    return namespace["call"]  # type: ignore[no-any-return]


def callables(signature: Signature) -> dict[str, Callable[..., Any]]:
    """The same parameters by all kinds of callables; they return their arguments."""
    call = function_of(signature)
    method = function_of(signature.replace(parameters=[Parameter("self", P), *signature.parameters.values()]))

    class Called:
        def method(self, *args: Any, **kwargs: Any) -> Any: ...

    @wraps(call)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return call(*args, **kwargs)

    setattr(Called, "__call__", method)  # noqa: B010 - made of a text
    Called.method = method  # type: ignore[method-assign]  # made of a text
    return {"function": call, "method": Called().method, "object": Called(), "wrapped": wrapped, "partial": partial(call)}


@given(signatures(), st.sets(st.integers(0, 6)))
@example(Signature([Parameter("p0", P), Parameter("p1", K)]), set())
@example(Signature([Parameter("p0", P, default="default of p0"), Parameter("p1", P, default="default of p1")]), {0})
def test_each_value_reaches_the_parameter_of_its_name(signature: Signature, left_out: set[int]) -> None:
    """Whatever the signature is, whatever is left out, and by whatever kind of callable."""
    named = [each for each in signature.parameters.values() if each.kind not in (S, D)]
    passed = [each.name for i, each in enumerate(named) if each.default is each.empty or i not in left_out]
    expected: dict[str, Any] = {each.name: () if each.kind is S else {} for each in signature.parameters.values()}
    expected |= {each.name: each.name if each.name in passed else each.default for each in named}
    for kind, call in callables(signature).items():
        found = invocation(call, passed, range(len(passed))).function()(passed)
        assert {name: value for name, value in found.items() if name != "self"} == expected, kind


def test_only_what_has_no_name_is_passed_by_position_to_a_wrapper() -> None:
    """Which may look for some of its arguments by their names; a plain function is called the fast way."""

    def call(a: Any, /, b: Any, *, c: Any) -> Any: ...

    @wraps(call)
    def wrapper(*args: Any, **kwargs: Any) -> Any: ...

    plain, wrapped = (passing(each, ["a", "b", "c"], [4, 5, 6]) for each in (call, wrapper))
    assert [plain.leading, plain.named] == [(4, 5), (("c", 6),)]
    assert [wrapped.leading, wrapped.named] == [(4,), (("b", 5), ("c", 6))]


def test_self_and_a_message_without_names() -> None:
    """They are passed by position in any case; what is behind them by its own kind."""

    class Handlers:
        def both(self, message: Any, /, *, q: Any = "q") -> Any:
            return [self, message, q]

        def late(self, q: Any = "q", message: Any = None, /) -> Any:
            return [self, q, message]

    values = [Handlers(), "hi", 3]
    assert invocation(Handlers.both, ["message", "q"], [1, 2], first=0).function()(values) == values
    assert invocation(Handlers.both, ["message"], [1], first=0).function()(values) == [*values[:2], "q"]
    assert invocation(Handlers.late, ["message"], [1], first=0).function()(values) == [values[0], "q", "hi"]


def test_a_class_whose_new_takes_anything() -> None:
    """The parameters are those of its constructor."""

    class Made:
        def __new__(cls, *args: Any, **kwargs: Any) -> Made:
            return super().__new__(cls)

        def __init__(self, a: Any, /, *, b: Any) -> None:
            self.values = [a, b]

    assert invocation(Made, ["a", "b"], [0, 1]).function()([1, 2]).values == [1, 2]


class Say(Message):
    """What is said."""

    text: str


def dependency(a: str, /, b: int, *, c: str = "c") -> str:
    return f"{a}{b}{c}"


class Rooms(Controller):
    """Its functions have parameters without names."""

    def __init__(self, a: str, /, *args: Any, d: Annotated[str, Depends(dependency)], **more: Any) -> None:
        self.said = f"{a} {d}"

    @websocket("/raw")
    async def raw(self, websocket: WebSocket, /, *args: Any, q: int = 1, **more: Any) -> None:
        await websocket.accept()
        await websocket.send_text(f"{self.said} {q}")

    @websocket("/typed")
    async def typed(self, session: Session, /) -> Any:
        yield

    @receive
    async def say(self, message: Say, /, *, q: int = 1) -> Say:
        return Say(text=f"{self.said} {message.text} {q}")


def test_endpoints_constructors_dependencies_and_handlers_may_have_parameters_without_names() -> None:
    """And such that have nothing but a name."""
    app = App(controllers=[Rooms])

    @app.websocket("/function")
    async def function(websocket: WebSocket, /, *, q: int = 1) -> None:
        await websocket.accept()
        await websocket.send_text(str(q))

    client = TestClient(app)
    with client.websocket_connect("/function?q=4") as session:
        assert session.receive_text() == "4"
    with client.websocket_connect("/raw?a=a&b=2&q=3") as session:
        assert session.receive_text() == "a a2c 3"
    with client.websocket_connect("/typed?a=a&b=2&c=x&q=3") as session:
        session.send_json({"type": "say", "text": "hi"})
        assert session.receive_json() == {"type": "say", "text": "a a2x hi 3"}
