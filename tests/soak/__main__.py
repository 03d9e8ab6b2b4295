"""`python -m tests.soak redis --seed 7 --seconds 60`: run a soak, and print what came of it."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
from collections import Counter
from pathlib import Path

from .soak import Report, soak

ENGINES = ("memory", "redis", "nats")
COLUMNS = ("sessions", "resets", "published", "taken", "delivered", "recovered", "first joins", "told losses")
SHOWN = 20
"""How many faults are told in detail."""
FAULTS = ("lost unnoticed", "twice", "out of order")


def main() -> None:
    """Run it for the engines that are named, or for all; ends with 1 if there is a fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Soak groups over their engines.")
    parser.add_argument("engines", nargs="*", metavar="engine", help=f"which ones: {', '.join(ENGINES)}; all by default")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--folder", type=Path, help="where servers and workers leave their logs")
    given = parser.parse_args()
    unknown = [engine for engine in given.engines if engine not in ENGINES]
    if unknown:
        parser.error(f"there is no engine {', '.join(unknown)}")
    logging.getLogger("websockets").setLevel(logging.CRITICAL)  # connections that are reset are no news here
    is_sound = True
    for engine in given.engines or ENGINES:
        with tempfile.TemporaryDirectory(prefix="soak-") as temporary:
            folder = (given.folder or Path(temporary)) / engine
            folder.mkdir(parents=True)
            report = asyncio.run(soak(engine, seed=given.seed, seconds=given.seconds, clients=given.clients, folder=folder))
        sys.stdout.write(f"{table(engine, given.seed, report)}\n\n")
        sys.stdout.flush()
        is_sound &= not report.faults
    sys.exit(not is_sound)


def table(engine: str, seed: int, report: Report) -> str:
    """A report as Markdown."""
    rest = sorted(report.counted.keys() - set(COLUMNS))
    harms = ", ".join(f"{harm.at:.1f} s {harm.what} ({harm.length:.1f} s)" for harm in report.harms)
    lines = [f"## {engine}, seed {seed}", "", f"Done to it: {harms}.", "", "| what | how often |", "|---|---|"]
    lines += [f"| {what} | {report.counted.get(what, 0):,} |" for what in (*COLUMNS, *rest)]
    found = Counter(fault.kind for fault in report.faults)
    lines += [f"| **{what}** | **{found[what]:,}** |" for what in dict.fromkeys((*FAULTS, *found))]
    lines += ["", *(f"- {kind}: {detail}" for kind, detail in report.faults[:SHOWN])] if report.faults else []
    return "\n".join(lines)


if __name__ == "__main__":
    main()
