"""wscontrollers, with frames written to the transport."""

from __future__ import annotations

from benchmarks.apps.groups.room import app_with
from wscontrollers import Groups

app = app_with(Groups())
