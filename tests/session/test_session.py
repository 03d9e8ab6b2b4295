"""`Session`: what an endpoint asks of it."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from wscontrollers import APIRouter, App, Depends, WebSocket, WebSocketDisconnect
from wscontrollers.exceptions import RequestRefusedError
from wscontrollers.messages import Message, Ok
from wscontrollers.session import Delivery, Ended, Session
from wscontrollers.testing import AsyncTestClient, ErrorAnswer


class Say(Message):
    text: str


class Said(Message):
    text: str


class Ask(Message):
    pass


class Answer(Message):
    n: int


async def test_iterating_receives_until_the_session_ends() -> None:
    """`async for` gives the messages in order, and the endpoint goes on behind the loop when the peer has left."""
    app = App()
    seen: list[object] = []

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        async for message in session:
            seen.append(message.text)
            await session.reply(message, Said(text=message.text))
        seen.append(session.ended)

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        assert await peer.request(Say(text="a")) == Said(text="a")
        await peer.send(Say(text="b"))
        assert await peer.expect(Said) == Said(text="b")

    assert seen == ["a", "b", Ended("client", 1000)]


async def test_a_reply_carries_re_only_where_an_answer_is_wanted() -> None:
    """An answer has `re` if the message had a `ref`, and none otherwise."""
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        async for message in session:
            await session.reply(message, Said(text=message.text))

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.send_json({"type": "say", "text": "a", "ref": 7})
        assert await peer.receive_json() == {"type": "said", "text": "a", "re": 7}
        await peer.send_json({"type": "say", "text": "a"})
        assert await peer.receive_json() == {"type": "said", "text": "a"}


async def test_only_the_last_message_can_be_answered() -> None:
    """`reply` to anything but the message received last is a mistake of the program."""
    app = App()
    raised: list[str] = []

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        await session.receive()
        try:
            await session.reply(Say(text="other"), Said(text="x"))
        except ValueError as error:
            raised.append(str(error))

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.send(Say(text="a"))
        await peer.expect_closed(1000)

    assert raised == ["Session.reply(): it is not the last message received. Fix: answer a message before the next one is taken."]


async def test_receive_raises_when_the_session_has_ended() -> None:
    """`receive` behind the end is `WebSocketDisconnect` with its code; that is no failure of the endpoint."""
    app = App()
    codes: list[int] = []

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        try:
            await session.receive()
        except WebSocketDisconnect as gone:
            codes.append(gone.code)
            raise

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.close(3001)

    assert codes == [3001]


async def test_sending_says_what_became_of_it_also_behind_the_end() -> None:
    """`send` is SENT, `send_nowait` QUEUED, and both CLOSED when the session has ended: no exception."""
    app = App()
    deliveries: list[Delivery] = []

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        deliveries.append(await session.send(Said(text="a")))
        deliveries.append(session.send_nowait(Said(text="b")))
        async for _ in session:
            pass
        deliveries.append(await session.send(Said(text="c")))
        deliveries.append(session.send_nowait(Said(text="d")))

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        assert await peer.expect(Said) == Said(text="a")
        assert await peer.expect(Said) == Said(text="b")

    assert deliveries == [Delivery.SENT, Delivery.QUEUED, Delivery.CLOSED, Delivery.CLOSED]


async def test_nothing_is_sent_before_the_accept() -> None:
    """With a Session that is not accepted yet, sending is a mistake of the program."""
    app = App()

    async def too_early(session: Session) -> str:
        with pytest.raises(RuntimeError, match="before the handshake is accepted"):
            await session.send(Said(text="x"))
        with pytest.raises(RuntimeError, match="it does not run"):
            session.start_soon(anyio.sleep, 1)
        return session.id

    @app.websocket("/")
    async def endpoint(session: Session, early: str = Depends(too_early)) -> None:
        await session.send(Said(text=str(early == session.id)))

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        assert await peer.expect(Said) == Said(text="True")
        await peer.expect_closed(1000)


async def test_the_server_asks_the_client() -> None:
    """`request` sends a question with a `ref` and returns the answer that has it as `re`, while other messages wait."""
    app = App()
    seen: list[object] = []

    @app.websocket("/")
    async def endpoint(session: Session[Say, Ask]) -> None:
        seen.append(await session.request(Ask(), reply=Answer))
        seen.append(await session.request(Ask(), reply=Ok))
        seen.append(await session.receive())

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        question = await peer.receive_json()
        await peer.send(Say(text="meanwhile"))
        await peer.send_json({"type": "answer", "n": 5, "re": question["ref"]})
        question = await peer.receive_json()
        await peer.send_json({"type": "ok", "re": question["ref"]})
        await peer.expect_closed(1000)

    assert seen == [Answer(n=5), Ok(2), Say(text="meanwhile")]


async def test_a_question_without_an_answer_times_out() -> None:
    """`request` raises `TimeoutError` when no reply comes in time; a late one harms nobody."""
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[Say, Any]) -> None:
        try:
            await session.request(Ask(), reply=Answer, timeout=0.01)
        except TimeoutError:
            await session.send(Said(text="late"))
        await session.send(Said(text=(await session.receive()).text))

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        question = await peer.receive_json()
        assert await peer.expect(Said) == Said(text="late")
        await peer.send_json({"type": "answer", "n": 5, "re": question["ref"]})
        await peer.send(Say(text="next"))
        assert await peer.expect(Said) == Said(text="next")
        await peer.expect_closed(1000)


async def test_a_question_times_out_where_the_client_does_not_even_take_it() -> None:
    """The time is that of the question and its answer together."""
    app, told = App(), list[str]()

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        await session.receive()
        session.send_nowait(Said(text="a" * 200_000))
        try:
            await session.request(Said(text="?"), reply=Say, timeout=0.05)
        except TimeoutError:
            told.append("timed out")

    async with AsyncTestClient(app) as client, client.connect("/", allow_leftovers=True) as peer:
        peer.pause_reading()
        await peer.send(Say(text="go"))
        with anyio.fail_after(5):
            while not told:
                await checkpoint()
        peer.resume_reading()


@pytest.mark.parametrize("code", [0, 999, 1005, 1006, 1015, 99_999])
async def test_a_code_that_no_close_frame_may_hold_is_refused(code: int) -> None:
    """Where it is said: the client would see another one (RFC 6455, section 7.4)."""
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        with pytest.raises(ValueError, match=f"{code} is no code that a close frame may hold. Fix: "):
            await session.close(code)

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect_closed(1000)


async def test_what_comes_behind_the_end_is_no_mistake() -> None:
    """An answer goes nowhere, a group is left already, and there are none."""
    app, told = App(), list[Any]()

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        await session.join("room:tea")
        message = await session.receive()
        async for _ in session:
            pass
        told.append(await session.reply(message, Said(text="late")))
        kept.append(session)

    kept: list[Session[Say, Said]] = []
    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.send(Say(text="a"))
        await peer.close()
    await kept[0].leave("room:tea")
    assert (told, kept[0].groups) == ([Delivery.CLOSED], frozenset())


async def test_a_refused_question_and_a_bad_answer() -> None:
    """A client's error is `RequestRefusedError`; an answer of the wrong shape is answered by an error, and may be sent again."""
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[Say, Any]) -> None:
        assert await session.request(Ask(), reply=Answer) == Answer(n=1)
        for _ in range(2):
            try:
                await session.request(Ask(), reply=Answer)
            except RequestRefusedError as refused:
                await session.send(Said(text=str(refused)))

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        ref = (await peer.receive_json())["ref"]
        await peer.send_json({"type": "answer", "n": "many", "re": ref})
        assert (await peer.receive_json())["code"] == "validation"
        await peer.send_json({"type": "answer", "n": 1, "re": ref})
        await peer.send_json({"type": "error", "code": "no", "message": "not today", "re": (await peer.receive_json())["ref"]})
        assert await peer.expect(Said) == Said(text="no: not today")
        await peer.send_json({"type": "ok", "re": (await peer.receive_json())["ref"]})
        assert await peer.expect(Said) == Said(text="ok: the client answered without a message")
        await peer.expect_closed(1000)


async def test_a_question_ends_with_the_session() -> None:
    """Who waits for an answer when the peer leaves is told by `WebSocketDisconnect`, or cancelled with the endpoint."""
    app = App()
    raised: list[type[BaseException]] = []

    async def ask(session: Session[Any, Any]) -> None:
        try:
            await session.request(Ask(), reply=Answer)
        except BaseException as error:
            raised.append(type(error))
            raise

    @app.websocket("/")
    async def endpoint(session: Session[Say, Any]) -> None:
        session.start_soon(ask, session)
        async for _ in session:
            pass
        with pytest.raises(WebSocketDisconnect):
            await session.request(Ask(), reply=Answer)

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        assert (await peer.receive_json())["type"] == "ask"

    assert raised == [WebSocketDisconnect]


async def test_close_ends_it_with_a_code_and_a_reason() -> None:
    """`close` chooses the close frame; the endpoint's loop ends, and nothing is sent behind it."""
    app = App()
    seen: list[object] = []

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        async for _ in session:
            await session.close(4001, "enough")
            seen.append(await session.send(Said(text="x")))
        seen.append(session.ended)

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.send(Say(text="a"))
        await peer.expect_closed(4001)

    assert seen == [Delivery.CLOSED, Ended("server", 4001, "enough")]


async def test_close_from_another_task_wakes_a_waiting_endpoint() -> None:
    """An endpoint that waits for a message goes on behind its loop when another task closes the session."""
    app = App()
    seen: list[object] = []

    async def closer(session: Session[Any, Any]) -> None:
        await session.close(4002)

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        session.start_soon(closer, session)
        async for _ in session:
            pass
        seen.append("behind")

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect_closed(4002)

    assert seen == ["behind"]


async def test_a_task_ends_with_the_session() -> None:
    """`start_soon` starts a task that is cancelled when the endpoint has returned."""
    app = App()
    seen: list[object] = []

    async def task(started: anyio.Event) -> None:
        try:
            started.set()
            await anyio.sleep_forever()
        finally:
            seen.append("ended")

    @app.websocket("/")
    async def endpoint(session: Session) -> None:
        started = anyio.Event()
        session.start_soon(task, started)
        await started.wait()

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect_closed(1000)

    assert seen == ["ended"]


async def test_a_failing_task_ends_the_session_like_its_endpoint() -> None:
    """An exception of a task reaches the app's handlers as itself, never in a group, and cancels the endpoint."""
    app = App()
    seen: list[object] = []

    async def task() -> None:
        raise KeyError("broken")

    @app.exception_handler(KeyError)
    async def handler(websocket: WebSocket, error: KeyError) -> None:
        seen.append(error)
        await websocket.close(4003)

    @app.websocket("/")
    async def endpoint(session: Session) -> None:
        session.start_soon(task)
        try:
            await anyio.sleep_forever()
        finally:
            ended = session.ended
            assert ended is not None
            seen.append((ended.by, ended.code, type(ended.exception)))

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.expect_closed(4003)

    assert seen[0] == ("server", 1011, KeyError)
    assert isinstance(seen[1], KeyError)


async def test_two_tasks_cannot_receive() -> None:
    """A second task that receives is told so, instead of taking every other message."""
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        async def receive() -> None:
            with pytest.raises(RuntimeError, match="two tasks wait"):
                await session.receive()
            await session.send(Said(text="told"))

        session.start_soon(receive)
        await session.receive()

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        assert await peer.expect(Said) == Said(text="told")
        await peer.send(Say(text="a"))
        await peer.expect_closed(1000)


async def test_it_has_an_id_and_a_state() -> None:
    """The id is 16 hexadecimal digits and stays; the state starts with what the lifespan yielded."""
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session) -> None:
        session.state.seen = session.id
        assert session.websocket.state.seen == session.id
        await session.send(Said(text=session.id))

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        said = await peer.expect(Said)
        assert len(said.text) == 16
        assert int(said.text, 16) >= 0
        await peer.expect_closed(1000)


async def test_raw_frames_are_messages_where_they_are_asked_for() -> None:
    """`Session[bytes | Say, bytes]`: binary frames come and go as they are, text frames are messages."""
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[bytes | Say, bytes | Said]) -> None:
        async for message in session:
            if isinstance(message, bytes):
                await session.send(message[::-1])
            else:
                await session.reply(message, Said(text=message.text))

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        await peer.send_bytes(b"abc")
        assert await peer.receive_bytes() == b"cba"
        assert await peer.request(Say(text="a")) == Said(text="a")


async def test_a_dependency_may_have_the_session_of_an_endpoint_that_reads_by_itself() -> None:
    """Where only a dependency asks for a Session, the endpoint's WebSocket works as always, and `accept` is a no-op."""
    app = APIRouter()

    async def greet(session: Session) -> Session:
        return session

    @app.websocket("/")
    async def endpoint(websocket: WebSocket, session: Any = Depends(greet)) -> None:
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(text.upper())
            await session.send(Said(text=text))

    whole = App()
    whole.include_router(app)
    async with AsyncTestClient(whole) as client, client.connect("/") as peer:
        await peer.send_text("hi")
        assert await peer.receive_text() == "HI"
        assert await peer.expect(Said) == Said(text="hi")


async def test_an_error_answers_a_bad_frame_and_the_session_goes_on() -> None:
    """Bad JSON, no object, an unknown tag, wrong fields and the wrong kind of frame are told apart by their codes."""
    app = App()

    @app.websocket("/")
    async def endpoint(session: Session[Say, Said]) -> None:
        async for message in session:
            await session.reply(message, Said(text=message.text))

    async with AsyncTestClient(app) as client, client.connect("/") as peer:
        for frame, code in [
            ("{", "invalid_json"),
            ("[]", "invalid_frame"),
            ('{"type":"shout"}', "unknown_type"),
            ('{"type":"say"}', "validation"),
            (b"\x00", "invalid_frame"),
        ]:
            await peer.send(frame)
            await peer.expect_error(code)
        with pytest.raises(ErrorAnswer, match="validation"):
            await peer.request({"type": "say", "text": 5})
        assert await peer.request(Say(text="a")) == Said(text="a")
