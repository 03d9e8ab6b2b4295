"""`python -m benchmarks [name ...]`: run all benchmarks, or those named, and print their tables as Markdown."""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

from benchmarks import groups, imports, memory, messages, plan, server
from benchmarks.table import Table, Target, report

BENCHMARKS: dict[str, Callable[[], tuple[list[Table], list[Target]]]] = {
    "services": plan.services,
    "diamonds": plan.rows_of_diamonds,
    "sessions": server.set_up,
    "echo": server.echo,
    "messages": messages.round_trips,
    "streams": messages.streams,
    "scopes": messages.scoped,
    "deliveries": groups.deliveries,
    "deflate": groups.deflated,
    "sizes": groups.sizes,
    "stalled": groups.stalled,
    "redis": groups.over_redis,
    "memory": memory.idle_sessions,
    "typed_memory": memory.idle_typed_sessions,
    "imports": imports.imports,
}

FLOORS = ("starlette", "pydantic", "injector", "uvicorn", "uvloop", "websockets")
PEERS = ("fastapi", "litestar", "chanx", "dishka", "wireup")


def main() -> None:
    """Run, and print as it goes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure wscontrollers against its peers.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"what to run: {', '.join(BENCHMARKS)}; all by default")
    names = parser.parse_args().names or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}")
    print(f"{environment()}\n")
    for name in names:
        began = time.monotonic()
        print(f"## {name}\n\n{report(*BENCHMARKS[name]())}\n\n({time.monotonic() - began:.0f} s)\n", flush=True)


def environment() -> str:
    """What was measured with, and on how many cores."""
    versions = ", ".join(f"{package} {_version(package)}" for package in FLOORS + PEERS)
    return f"Python {platform.python_version()}, {platform.system()}, {len(os.sched_getaffinity(0))} cores; {versions}."


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed: its rows are left out"


if __name__ == "__main__":
    main()
