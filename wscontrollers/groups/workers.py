"""How many processes serve the application, as far as one of them can tell."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Mapping, Sequence
from itertools import pairwise


def workers(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """The number that a server was told: `--workers 4`, `-w 4`, `-w4`, or the variables that uvicorn and gunicorn read.

    Args:
        argv: The command line of the process; those that a server starts have its own.
        environ: The environment.
    """
    given: list[str] = []
    if _is_server():
        arguments = [*argv, *environ.get("GUNICORN_CMD_ARGS", "").split()]
        words = [word for argument in arguments for word in argument.split("=", 1)]
        given = [value for option, value in pairwise(words) if option in ("--workers", "-w")]
        given += [word[2:] for word in words if word.startswith("-w")]
    for text in (*given, environ.get("WEB_CONCURRENCY", "")):
        if text.isascii() and text.isdigit():
            return int(text)
    return 1


def _is_server() -> bool:
    return multiprocessing.parent_process() is not None or "gunicorn.arbiter" in sys.modules
