"""`import wscontrollers` against what it stands on, in fresh interpreters."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.peers import installed
from benchmarks.table import Table, Target, Turns

FLOOR = "Starlette, pydantic, injector"

PROGRAMS = {
    FLOOR: "import starlette.applications, injector\nfrom pydantic import BaseModel, Field, TypeAdapter",
    "wscontrollers": "import wscontrollers",
    "fastapi": "import fastapi",
}
"""pydantic loads its parts when they are first asked for: the floor asks for three that nearly every user of it needs."""


def imports(*, rounds: int = 11) -> tuple[list[Table], list[Target]]:
    """The CPU time of an import, in ms.

    Args:
        rounds: How many interpreters are started for each side.
    """
    turns = Turns((side for side in PROGRAMS if side != "fastapi" or installed(side)), rounds=rounds)
    with TemporaryDirectory() as bytecode:  # written in the turn that is dropped: modules are compiled once in their life
        for side in turns:
            turns.keep(side, _cost(PROGRAMS[side], bytecode))
    table = Table("Import", "ms", turns.measured, FLOOR)
    longer = 1 / table.ratio("wscontrollers", FLOOR)
    return [table], [Target(f"{table.title}: at most 1.15 times what it stands on: {longer:.2f}", longer <= 1.15)]


def _cost(program: str, bytecode: str) -> float:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    timed = f"import time\nbegan = time.process_time()\n{program}\nprint(time.process_time() - began)"
    ended = subprocess.run(
        [sys.executable, "-c", timed],
        capture_output=True,
        check=True,
        cwd=Path(__file__).parent.parent,
        env=environment | {"PYTHONPYCACHEPREFIX": bytecode},
        text=True,
    )
    return float(ended.stdout) * 1e3
