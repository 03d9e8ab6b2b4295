"""wscontrollers, with all frames going through the server's `send`."""

from __future__ import annotations

from benchmarks.apps.groups.room import app_with
from wscontrollers import Groups

app = app_with(Groups(direct=False))
