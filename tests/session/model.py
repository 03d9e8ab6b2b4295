"""What the reference says that a session does with its messages, as plain data: no tasks, no time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["reply", "ok", "declared", "bug", "close", "item", "end"]

SERIAL = {"do", "count"}
"""Tags whose handlers hold up the session."""
STREAMS = {"count", "feed"}
LIMITS = {"work": 2, "newest": 8, "turn": 3, "feed": 2}
"""Of the others: how many of a handler's messages are worked at."""
BAD_IN_A_ROW = 3
CLOSED_BY_HANDLER = 4003


@dataclass(eq=False)
class Job:
    """One message on its way through its handler."""

    id: int
    tag: str
    ref: str | None
    room: str
    credit: int | None = None
    todo: deque[Outcome] = field(default_factory=deque[Outcome])
    items: int = 0
    is_done: bool = False

    @property
    def is_stream(self) -> bool:
        return self.tag in STREAMS


class Model:
    """A session with handlers of every order.

    Attributes:
        phase: `closing` is the grace that handlers have when the server ends the session.
        expected: The frames that the client has to receive, and has not been seen to.
    """

    def __init__(self) -> None:
        self.phase: Literal["open", "closing", "ended"] = "open"
        self.end: tuple[str, int] | None = None
        self.expected: list[dict[str, Any]] = []
        self.jobs: dict[int, Job] = {}
        self.questions: dict[int, int] = {}
        self.outcomes: dict[int, str] = {}
        self._asked = 0
        self._bad = 0
        self._inbox: deque[Job] = deque()
        self._next: Job | None = None
        self._serial: Job | None = None
        self._running: list[Job] = []

    # What runs

    @property
    def active(self) -> set[int]:
        """The ids of the messages whose handlers run; who waits for its turn is none of them."""
        serial = set() if self._serial is None else {self._serial.id}
        return serial | {job.id for job in self._running if self._has_turn(job)}

    @property
    def asked(self) -> list[str]:
        """The references that have no answer yet, or not all of it."""
        return [job.ref for job in self.jobs.values() if job.ref is not None and not job.is_done]

    def _has_turn(self, job: Job) -> bool:
        return job.tag != "turn" or job is next(each for each in self._running if (each.tag, each.room) == ("turn", job.room))

    def _take(self) -> None:
        while self._serial is None:
            if self._next is None:
                if self.phase != "open" or not self._inbox:
                    break
                self._next = self._inbox.popleft()
            job = self._next
            same = [each for each in self._running if each.tag == job.tag]
            if job.tag not in SERIAL and len(same) >= LIMITS[job.tag]:
                break
            self._next = None
            if job.tag in SERIAL:
                self._serial = job
                continue
            for older in same if job.tag == "newest" else ():
                self._over(older, {"type": "error", "code": "cancelled"})
            self._running.append(job)
        if self.phase == "closing" and self._serial is None and not self._running:
            self.phase = "ended"

    def _over(self, job: Job, answer: dict[str, Any] | None) -> None:
        job.is_done = True
        if job is self._serial:
            self._serial = None
        else:
            self._running.remove(job)
        if answer is not None:
            self._answer(job, answer)

    def _answer(self, job: Job, answer: dict[str, Any]) -> None:
        if job.ref is not None:
            self.expected.append(answer | {"re": job.ref})
        elif answer["type"] not in ("ok", "end"):
            self.expected.append(answer)

    # What the client does

    def send(self, job: Job) -> None:
        """A message."""
        self._bad = 0
        self.jobs[job.id] = job
        self._inbox.append(job)
        self._take()

    def credit(self, ref: str, n: int) -> None:
        """More items, if a stream of that reference runs, or waits for its turn."""
        self._bad = 0
        for job in (*self._handled(ref), *(job for job in self._inbox if job.ref == ref)):
            if job.is_stream:
                job.credit = (job.credit or 0) + n
                self._flow(job)
        self._take()

    def cancel(self, ref: str) -> None:
        """The end of the message with that reference, if it is being handled."""
        self._bad = 0
        for job in self._handled(ref):
            self._over(job, {"type": "end"} if job.is_stream else {"type": "error", "code": "cancelled"})
        self._take()

    def bad_frame(self, code: str) -> None:
        """A frame that cannot be read."""
        self.expected.append({"type": "error", "code": code})
        self._bad += 1
        if self._bad >= BAD_IN_A_ROW:
            self.close("server", 1008)

    def answer(self, question: int, outcome: str) -> None:
        """What answers a question of the server; a reply that cannot be read leaves it open."""
        self._bad = 0
        self.outcomes[question] = outcome
        self.questions.pop(question)

    def _handled(self, ref: str) -> list[Job]:
        return [job for job in (self._serial, *self._running) if job is not None and job.ref == ref]

    # What the handlers do

    def act(self, job: Job, outcome: Outcome) -> None:
        """A handler that runs comes to its next step; a stream that lacks credit comes to it later."""
        job.todo.append(outcome)
        self._flow(job)
        self._take()

    def _flow(self, job: Job) -> None:
        while job.todo and not job.is_done:
            outcome = job.todo[0]
            if outcome == "close":
                self._over(job, None)
                self.close("server", CLOSED_BY_HANDLER, grace=False)
            elif outcome != "item":
                self._over(job, _answer_of(job, outcome))
            elif job.credit == 0:
                return
            else:
                job.credit = None if job.credit is None else job.credit - 1
                self._answer(job, {"type": "item", "id": job.id, "n": job.items})
                job.items += 1
            job.todo.popleft()

    # What the server does

    def push(self, n: int) -> None:
        """A message that nobody asked for."""
        if self.phase == "open":
            self.expected.append({"type": "pushed", "n": n})

    def ask(self, n: int) -> None:
        """A question to the client."""
        self._asked += 1
        self.questions[n] = self._asked
        self.expected.append({"type": "question", "n": n, "ref": self._asked})

    def close(self, by: str, code: int, *, grace: bool = True) -> None:
        """The end: of a server with grace, what runs may finish; else nothing runs any more, and nothing more is sent."""
        self.end = self.end or (by, code)
        self._inbox.clear()
        self.outcomes |= dict.fromkeys(self.questions, "departed")
        self.questions.clear()
        if grace:
            self.phase = "closing"
            self._take()
        else:
            self.over()

    def over(self) -> None:
        """Cancel what runs."""
        self.phase = "ended"
        self._next = self._serial = None
        self._running.clear()


def _answer_of(job: Job, outcome: Outcome) -> dict[str, Any]:
    match outcome:
        case "reply":
            return {"type": "done", "id": job.id}
        case "declared":
            return {"type": "error", "code": "room_full"}
        case "bug":
            return {"type": "error", "code": "internal"}
        case _:
            return {"type": outcome}
