"""Which names a request may call this computer by, so that no web page can have a browser ask (DNS rebinding)."""

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

LOCAL = ("localhost", "127.0.0.1", "::1")


def names(host: str) -> frozenset[str] | None:
    """The names by which one that listens on `host` may be asked for.

    None is any: it listens on all addresses, for others, and what stands before it knows its names.
    """
    try:
        if ip_address(host).is_unspecified:
            return None
    except ValueError:
        pass
    return frozenset({*LOCAL, host.lower()}) if host else None


def are_known(headers: Iterable[tuple[bytes, bytes]], known: Iterable[str]) -> bool:
    """Whether each Host header names one of these, with any port."""
    return all(_name(value.decode("latin-1")) in known for header, value in headers if header.lower() == b"host")


def _name(header: str) -> str:
    """The name in a Host header, without its port; empty if there is none to be read."""
    try:
        return urlsplit(f"//{header.strip()}").hostname or ""
    except ValueError:
        return ""
