"""A webhook: the message as JSON, posted to an address and signed as standardwebhooks.com specifies.

A receiver tells a repetition by `webhook-id`, which is the message's id and stays the same however often it is tried,
and tells that it comes from here by `webhook-signature`, which covers the id, the time of the attempt and the body.
"""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

import requests
import urllib3
from requests.auth import HTTPBasicAuth
from requests.utils import get_auth_from_url

from pipeline import __version__
from pipeline.notify.channels.attempt import Refused, Unavailable
from pipeline.notify.channels.reason import of_error
from pipeline.notify.settings import Delivery
from pipeline.reports.messages import data
from pipeline.reports.messages.content import Message

_LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_LONGEST_WAIT = 7 * 86_400.0
_PREFIX = "whsec_"


class WebhookChannel:
    """Posts to one address. Redirects are not followed: the secret and the message are for that address only."""

    def __init__(self, url: str, secret: str, delivery: Delivery) -> None:
        self.pause = 0.0
        self._url, self._secret, self._timeout = url, secret, delivery.timeout_seconds
        self._host = _host(url)
        self.lane = f"webhook:{self._host}:{hashlib.sha256(url.encode()).hexdigest()[:12]}"

    def send(self, message: Message) -> str:
        """Post it; any answer of 200 to 299 means that it was taken.

        Raises:
            NotSent: there was another answer, or none.
        """
        body = data.document(message).encode()
        with self._reasons(), requests.Session() as session:
            session.trust_env = not _is_loopback(self._host)  # else a proxy of the environment would be asked
            answer = session.post(
                self._url,
                data=body,
                headers=self._headers(message.id, body),
                auth=self._credentials,
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            )
            answer.close()  # what it says beyond its status is not read, let alone trusted
        return self._judged(answer)

    def _headers(self, message_id: str, body: bytes) -> dict[str, str]:
        timestamp = int(time.time())
        try:
            signed = signature(self._secret, message_id, timestamp, body)
        except ValueError:
            raise Refused("the webhook's secret starts with whsec_ and is no base64 after it") from None
        return {
            "Content-Type": "application/json",
            "User-Agent": f"watch287g/{__version__}",
            "Idempotency-Key": message_id,
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signed,
        }

    def _credentials(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Those of the address, if it has any; without this, requests would look into ~/.netrc."""
        name, password = get_auth_from_url(self._url)
        return HTTPBasicAuth(name, password)(request) if name else request

    def _judged(self, answer: requests.Response) -> str:
        status = answer.status_code
        said = f"{self._host} answered {status} {_phrase(status)}".rstrip()
        if 200 <= status < 300:
            return said
        if status in _LATER or status >= 500:
            wait = _retry_after(answer.headers.get("Retry-After"))
            raise Unavailable(said, wait, perhaps=status >= 500 and status != 503)
        if 300 <= status < 400:
            raise Refused(f"{said}; redirects are not followed, give the address that it leads to")
        raise Refused(said)

    @contextmanager
    def _reasons(self) -> Iterator[None]:
        """Errors of requests as what they mean; their own words hold the address, which may be a secret."""
        host = self._host
        try:
            yield
        except requests.exceptions.SSLError as error:
            raise Unavailable(f"{host}: TLS failed: {_tls_reason(error)}") from None
        except requests.ConnectTimeout:
            raise Unavailable(f"{host} could not be reached within {self._timeout:g} seconds") from None
        except requests.Timeout:
            raise Unavailable(f"{host} gave no answer within {self._timeout:g} seconds", perhaps=True) from None
        except requests.ConnectionError as error:
            begun = bool(error.args) and isinstance(error.args[0], urllib3.exceptions.ProtocolError)
            raise Unavailable(f"{host} could not be reached: {of_error(error)}", perhaps=begun) from None
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, UnicodeError):
            raise Refused("the webhook's address is no web address") from None
        except urllib3.exceptions.LocationParseError:
            raise Refused("the webhook's address is no web address") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise Unavailable(f"{host}: {of_error(error)}", perhaps=True) from None


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the base64 of the HMAC-SHA256 of `id.timestamp.body`.

    Args:
        secret: `whsec_` and the key in base64, or any other text, whose UTF-8 bytes are the key.

    Raises:
        ValueError: what follows `whsec_` is no base64.
    """
    key = _decoded(secret.removeprefix(_PREFIX)) if secret.startswith(_PREFIX) else secret.encode()
    signed = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(signed.digest()).decode()}"


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("no base64") from None


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in list(HTTPStatus) else ""


def _retry_after(value: str | None) -> float | None:
    """The header Retry-After, seconds or a date, as seconds from now, a week at most."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return min(float(value), _LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, IndexError, TypeError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(0.0, (until - datetime.now(UTC)).total_seconds()), _LONGEST_WAIT)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _tls_reason(error: BaseException) -> str:
    return "its certificate is not valid" if "CERTIFICATE_VERIFY_FAILED" in str(error) else "no secure connection"
