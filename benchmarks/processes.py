"""Server processes on a core of their own, and what they used."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple


class Side(NamedTuple):
    """Whose server it is.

    Attributes:
        module: Of its application, below `benchmarks.apps`.
        package: What it needs; None if it is a dependency of ours too.
    """

    module: str
    package: str | None = None


APPS = {
    "raw ASGI": Side("raw"),
    "Starlette": Side("plain_starlette"),
    "FastAPI": Side("fastapi_app", "fastapi"),
    "FastAPI and injector": Side("fastapi_injector", "fastapi"),
    "Litestar": Side("litestar_app", "litestar"),
    "ours": Side("ours"),
}
"""The sides by name."""

TYPED_APPS = {
    "raw ASGI": Side("typed.raw"),
    "Starlette": Side("typed.plain_starlette"),
    "FastAPI": Side("typed.fastapi_app", "fastapi"),
    "Litestar": Side("typed.litestar_app", "litestar"),
    "chanx": Side("typed.chanx_app", "chanx"),
    "ours": Side("typed.ours"),
}
"""The sides of typed messages."""

GROUP_APPS = {
    "raw ASGI": Side("groups.raw"),
    "FastAPI": Side("groups.fastapi_app", "fastapi"),
    "Litestar": Side("groups.litestar_app", "litestar"),
    "chanx": Side("groups.chanx_app", "chanx"),
    "ours, through send": Side("groups.portable"),
    "ours": Side("groups.ours"),
}
"""The sides of groups: ours with `Groups(direct=False)` and with what is the default."""

REDIS_APPS = {
    "raw ASGI": Side("groups.raw_redis", "redis"),
    "ours": Side("groups.ours_redis", "redis"),
}
"""The sides of groups over Redis."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server.

    Attributes:
        process: Its process id.
        port: Where it listens on the loopback.
    """

    process: int
    port: int

    def cpu(self) -> float:
        """The CPU time that all its threads, those that ended too, have used so far, in seconds."""
        return time.clock_gettime(~self.process << 3 | 2)  # what clock_getcpuclockid(3) makes of a process id on Linux

    def resident(self) -> int:
        """Its resident memory, in bytes."""
        pages = int(Path(f"/proc/{self.process}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def serving(side: str, apps: Mapping[str, Side] = APPS) -> Generator[Server]:
    """A server of a side, in a process that ends with the context, on the first core that this process may use."""
    cores = sorted(os.sched_getaffinity(0))
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.serving", f"benchmarks.apps.{apps[side].module}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parent.parent,
        text=True,
    )
    with process:
        try:
            os.sched_setaffinity(process.pid, cores[:1])
            assert process.stdout is not None
            yield Server(process.pid, int(process.stdout.readline()))
        finally:
            process.kill()


@contextmanager
def on_last_core() -> Generator[None]:
    """This process on the last core that it may use, so that it and the servers do not share one where there are two."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
