"""What systemd wants to hear from a service: sd_notify(3), which is a datagram to the socket that it names."""

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress

from pipeline.reports.escaping import printable

_SECONDS = 1.0
_STATUS_LENGTH = 500


class Notifier:
    """Tells systemd how far the daemon is; without systemd, or where it does not listen, nothing happens."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._address = _address(environment.get("NOTIFY_SOCKET", ""))
        self._interval = _interval(environment) if self._address else None

    def ready(self) -> None:
        """The daemon has started, or has read its config anew."""
        self._send("READY=1")

    def reloading(self) -> None:
        """The daemon reads its config anew; `ready` says when it has."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """The daemon is about to end."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """What `systemctl status` shows, in one line."""
        self._send(f"STATUS={printable(text)[:_STATUS_LENGTH]}")

    def ping(self) -> None:
        """The daemon is alive."""
        self._send("WATCHDOG=1")

    def interval(self) -> float | None:
        """The seconds between two pings, half of what systemd waits for one; None if it waits for none of ours."""
        return self._interval

    def _send(self, words: str) -> None:
        if not self._address:
            return
        with suppress(OSError, ValueError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.settimeout(_SECONDS)
            sender.sendto(words.encode(), self._address)


def _address(named: str) -> str:
    """The socket's address; one that begins with `@` is in no folder."""
    if named.startswith("@"):
        return f"\0{named[1:]}"
    return named if named.startswith("/") else ""


def _interval(environment: Mapping[str, str]) -> float | None:
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    given = environment.get("WATCHDOG_USEC", "")
    return int(given) / 2_000_000 if given.isascii() and given.isdigit() and int(given) else None
