"""A sign of life for a service that misses it, such as healthchecks.io: an address that is asked after each check."""

import queue
import threading
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit

from pipeline import __version__
from pipeline.notify.channels.reason import of_error

if TYPE_CHECKING:
    from requests import PreparedRequest

_REDIRECTS = 3


def beat(url: str, failed: bool = False, timeout: float = 10.0) -> str | None:
    """Ask the address, or that of a failed check (`/fail` after its path); any answer of 200 to 299 is well.

    Redirects are followed on the same host only. It never raises, and takes hardly longer than `timeout` seconds.

    Returns:
        None, or one line on why it was not heard, without the address's path, which is a secret.
    """
    try:
        address = urlsplit(url.strip())
        host = address.hostname or ""
    except ValueError:
        host = ""
    if not host or address.scheme not in ("http", "https"):
        return "the heartbeat's address is no web address"
    if failed:
        address = address._replace(path=f"{address.path.rstrip('/')}/fail")
    said: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    # A thread, since neither the look-up of a name nor a server that answers byte by byte knows a time-out.
    thread = threading.Thread(target=lambda: said.put(_ask(address, host, timeout)), name="heartbeat", daemon=True)
    try:
        thread.start()
        return said.get(timeout=timeout + 1)
    except queue.Empty:
        return f"{host} gave no answer within {timeout:g} seconds"
    except RuntimeError:
        return f"{host} was not asked: no thread can be started"


def _ask(address: SplitResult, host: str, timeout: float) -> str | None:
    import requests  # only a daemon that has a heartbeat pays for it

    try:
        return _follow(address, host, timeout)
    except requests.exceptions.SSLError as error:
        invalid = "CERTIFICATE_VERIFY_FAILED" in str(error)
        return f"{host}: TLS failed: {'its certificate is not valid' if invalid else 'no secure connection'}"
    except requests.Timeout:
        return f"{host} gave no answer within {timeout:g} seconds"
    except requests.ConnectionError as error:
        return f"{host} could not be reached: {of_error(error)}"
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, UnicodeError):
        return "the heartbeat's address is no web address"
    except Exception as error:  # a border: a heartbeat that fails must not end the daemon
        return f"{host}: {of_error(error)}"


def _follow(address: SplitResult, host: str, timeout: float) -> str | None:
    import requests
    from requests.auth import HTTPBasicAuth
    from requests.utils import get_auth_from_url

    with requests.Session() as session:
        session.trust_env = not _is_loopback(host)  # else a proxy of the environment would be asked
        name, password = get_auth_from_url(address.geturl())
        for _ in range(_REDIRECTS + 1):
            answer = session.get(
                address.geturl(),
                headers={"User-Agent": f"watch287g/{__version__}"},
                auth=HTTPBasicAuth(name, password) if name else _nobody,
                timeout=timeout,
                allow_redirects=False,
                stream=True,
            )
            answer.close()  # what it says beyond its status is not read
            if not answer.is_redirect:
                return None if 200 <= answer.status_code < 300 else f"{host} answered {answer.status_code}"
            following = urlsplit(urljoin(address.geturl(), answer.headers["Location"]))
            if not _is_same_server(address, following):
                return f"{host} answered {answer.status_code}, which leads to another host; it is not followed"
            address = following
    return f"{host} answered with more than {_REDIRECTS} redirects"


def _nobody(request: "PreparedRequest") -> "PreparedRequest":
    """No login; without this, requests would look into ~/.netrc."""
    return request


def _is_same_server(one: SplitResult, other: SplitResult) -> bool:
    if one.hostname != other.hostname:
        return False
    return (one.scheme, one.port) == (other.scheme, other.port) or (one.scheme, other.scheme) == ("http", "https")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
