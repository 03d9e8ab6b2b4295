"""The plan that holds at the moment: of the container's bindings and the app's overrides."""

from typing import Any

from wscontrollers import App, Container, Depends, WebSocket, get_dependant
from wscontrollers.dependencies import Planned
from wscontrollers.testing import TestClient


class Provider:
    def __init__(self) -> None:
        self.dependency_overrides: dict[Any, Any] = {}


def original() -> str:
    return "original"


async def endpoint(value: str = Depends(original)) -> None: ...


def planned(provider: Any = None, container: Container | None = None) -> Planned:
    return Planned(
        lambda graph: get_dependant(path="/", call=endpoint, supplier=graph),
        container=container or Container(),
        provider=provider,
    )


def called(plans: Planned) -> list[Any]:
    return [step.what for step in plans.current()[1].steps]


def test_without_overrides_one_plan_serves_all_sessions() -> None:
    """It is made at registration."""
    plans = planned()
    assert plans.current()[1] is plans.current()[1]
    assert called(plans) == [original]


def test_overrides_hold_for_sessions_that_start_while_they_are_set() -> None:
    """The mapping may be changed, and replaced, at any time; a plan for the same overrides is made once."""
    provider = Provider()
    plans = planned(provider)

    def other() -> str:
        return "other"

    provider.dependency_overrides[original] = other
    assert called(plans) == [other]
    assert plans.current()[1] is plans.current()[1]
    provider.dependency_overrides = {}
    assert called(plans) == [original]


def test_a_session_keeps_the_overrides_that_it_began_with() -> None:
    """One that its own dependency sets holds for the next session, and one that is taken away holds until the end."""
    app = App()

    async def setting() -> None:
        app.dependency_overrides[original] = lambda: "other"

    async def clearing() -> None:
        app.dependency_overrides.clear()

    for first in (setting, clearing):

        @app.websocket(f"/{first.__name__}", dependencies=[Depends(first)])
        async def tell(websocket: WebSocket, value: str = Depends(original)) -> None:
            await websocket.accept()
            await websocket.send_text(value)

    told: list[str] = []
    for path in ("/setting", "/setting", "/clearing", "/setting"):
        with TestClient(app).websocket_connect(path) as session:
            told.append(session.receive_text())
    assert told == ["original", "other", "other", "original"]


def test_plans_of_overrides_do_not_pile_up() -> None:
    """Tests set one override after the other; the last few are kept, and what they are keyed by is kept with them."""
    provider = Provider()
    plans = planned(provider)
    for number in range(100):
        function = eval(f"lambda: {number}")  # noqa: S307 - a hundred different functions
        provider.dependency_overrides[original] = function
        assert called(plans) == [function]
    assert len(plans._special) <= 16


def test_an_override_of_the_container_makes_another_plan() -> None:
    """Bindings are looked at anew; behind the override the first plan holds again."""

    class Clock:
        pass

    container = Container(Clock)

    async def clocked(clock: Clock) -> None: ...

    plans = Planned(lambda graph: get_dependant(path="/", call=clocked, supplier=graph), container=container)
    before = plans.current()
    with container.override(Clock, Clock()):
        assert plans.current()[0] is not before[0]
        assert plans.current()[1] is not before[1]
    assert plans.current() == before


def test_a_provider_without_overrides_is_no_provider() -> None:
    """Any application can serve a route."""
    assert called(planned(object())) == [original]
