"""wscontrollers, over Redis."""

from __future__ import annotations

import os

from benchmarks.apps.groups.room import app_with
from wscontrollers import Groups

app = app_with(Groups(os.environ["BENCHMARKS_REDIS"]))
