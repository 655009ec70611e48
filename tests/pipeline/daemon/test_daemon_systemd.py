"""What systemd hears, on a real socket."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.daemon.systemd import Notifier


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(10)
        yield listening


def notifier(listener: socket.socket, **more: str) -> Notifier:
    return Notifier({"NOTIFY_SOCKET": listener.getsockname(), **more})


def test_each_word_is_a_datagram(listener: socket.socket) -> None:
    telling = notifier(listener)

    telling.ready()
    telling.status("next check at 15:23\nREADY=1\x1b[2J")
    telling.ping()
    telling.stopping()

    assert [listener.recv(1000) for _ in range(4)] == [
        b"READY=1",
        "STATUS=next check at 15:23 READY=1\ufffd[2J".encode(),
        b"WATCHDOG=1",
        b"STOPPING=1",
    ]


def test_reloading_says_when_by_the_clock_that_nobody_sets(listener: socket.socket) -> None:
    before = time.monotonic_ns() // 1000

    notifier(listener).reloading()

    word, moment = listener.recv(1000).decode().split("\n")
    assert word == "RELOADING=1"
    assert before <= int(moment.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000


def test_a_socket_in_no_folder() -> None:
    name = f"watch287g-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        listening.settimeout(10)

        Notifier({"NOTIFY_SOCKET": f"@{name}"}).ready()

        assert listening.recv(1000) == b"READY=1"


@pytest.mark.parametrize("named", ["", "/nowhere/at/all", "@watch287g-nobody", "vsock:2:1", "/" + "x" * 300, "/a\0b"])
def test_where_nobody_listens_nothing_happens(named: str) -> None:
    telling = Notifier({"NOTIFY_SOCKET": named} if named else {})

    for say in (telling.ready, telling.reloading, telling.stopping, telling.ping, lambda: telling.status("well")):
        say()


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_fed_twice_as_often_as_it_asks(
    listener: socket.socket, given: dict[str, str], seconds: float | None
) -> None:
    assert notifier(listener, **given).interval() == seconds


def test_no_watchdog_without_systemd() -> None:
    assert Notifier({"WATCHDOG_USEC": "30000000"}).interval() is None
