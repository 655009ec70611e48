"""The parts `alerts` and `subscribers` of config.yaml -> checked settings.

They are read apart from the rest, and only where something is sent or previewed: a command that reads needs none of the
secrets, which stand in the environment.
"""

import re
from collections import Counter
from datetime import time
from email.errors import MessageError
from email.headerregistry import Address
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from db.records import Kind, ListName
from pipeline.config import ALERT_KEYS
from pipeline.notify.schedule import DAYS, Digest
from pipeline.reading.normalize import MODELS
from pipeline.reading.places import fold, resolve_state, state_name, states
from pipeline.settings_file import Filled, Unknown, fill, read_yaml, variables
from pipeline.validation import validated

SUBSTANCE = tuple(kind for kind in Kind if kind is not Kind.CHANGED)
"""What a subscriber hears of unless told otherwise: everything but mere corrections."""

OPERATORS = "operators"

_ADDRESS = r"[^@\s<>,;\"]+@[^@\s<>,;\"]+"

Positive = Annotated[float, Field(gt=0, le=86_400)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _from_environment(value: Any) -> Any:
    if value is not None and not isinstance(value, Filled):
        raise ValueError("is a secret: write ${NAME} here, and set NAME in the environment")
    if value is not None and not value.strip():
        raise ValueError("is empty in the environment")
    return value


def _not_from_environment(value: Any) -> Any:
    """A name stands in messages and in the history."""
    if isinstance(value, Filled):
        raise ValueError("must be written out, not taken from the environment")  # noqa: TRY004 - what pydantic expects
    return value


def _some(value: Any) -> Any:
    """A single value where a list may stand."""
    return [value] if isinstance(value, str) else value


def _is_mail_address(text: str) -> bool:
    try:
        Address(addr_spec=text)
    except (MessageError, ValueError, IndexError):
        return False
    return bool(re.fullmatch(_ADDRESS, text)) and text.isprintable()


class Mail(_Part):
    """The mail server, and what stands in the headers of every mail."""

    host: str | None = None
    port: Annotated[int, Field(gt=0, lt=65_536)] = 587
    security: str = "starttls"
    username: str | None = None
    password: SecretStr | None = None
    sender: str | None = None
    reply_to: str | None = None
    list_id: str | None = None
    unsubscribe: str | None = None

    _secret = field_validator("password", mode="before")(_from_environment)

    @field_validator("host")
    @classmethod
    def _is_host(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[^\s/@:]+|[0-9a-fA-F]*:[0-9a-fA-F:.]*:[0-9a-fA-F.]*", value):
            raise ValueError("must be the name of a host, such as smtp.example.org; `port` is a key of its own")
        return value

    @field_validator("security")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value not in ("starttls", "tls", "none"):
            raise ValueError("must be starttls, tls or none")
        return value

    @field_validator("sender", "reply_to", "list_id", "unsubscribe")
    @classmethod
    def _is_one_line(cls, value: str | None) -> str | None:
        if value is not None and not value.isprintable():
            raise ValueError("must be one line, since it is sent as a header")
        return value

    @field_validator("sender", "reply_to")
    @classmethod
    def _has_address(cls, value: str | None) -> str | None:
        match = re.fullmatch(rf"({_ADDRESS})|[^<>]*<({_ADDRESS})>", value or "")
        if value is not None and not (match and _is_mail_address(match[1] or match[2])):
            raise ValueError("must be a mail address, such as alerts@example.org or 287(g) alerts <alerts@example.org>")
        return value

    @field_validator("unsubscribe")
    @classmethod
    def _is_link(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"(mailto:[^\s<>]+@|https://)[^\s<>]+", value):
            raise ValueError("must be a mailto: or https: address")
        return value

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.host is not None and self.sender is None:
            raise ValueError("needs `sender`, the address that the mails come from")
        if (self.username is None) != (self.password is None):
            raise ValueError("needs `username` and `password`, or neither")
        return self


class Delivery(_Part):
    """How long to wait, how often to try again, and when to give up."""

    timeout_seconds: Positive = 30.0
    hard_limit_seconds: Positive = 300.0
    first_retry_seconds: Annotated[float, Field(ge=0, le=86_400)] = 60.0
    longest_retry_seconds: Annotated[float, Field(ge=0, le=86_400)] = 21_600.0
    give_up_after_hours: Annotated[float, Field(gt=0, le=8760)] = 72.0
    refusals: Annotated[int, Field(ge=1, le=100)] = 3
    pause_seconds: Annotated[float, Field(ge=0, le=600)] = 1.0
    most_events: Annotated[int, Field(ge=1, le=10_000)] = 50


class Feeds(_Part):
    """Atom and JSON feeds as files; no folder, no feeds."""

    folder: Path | None = None
    url: str | None = None
    entries: Annotated[int, Field(ge=1, le=10_000)] = 200

    @field_validator("url")
    @classmethod
    def _is_web_address(cls, value: str | None) -> str | None:
        return _web_address(value)


def _web_address(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"https?://[^/\s]\S*", value):
        raise ValueError("must be an http or https address")
    return value


class ChannelSettings(_Part):
    """One way to reach a subscriber: exactly one of email, apprise, webhook, exec and folder."""

    name: str | None = None
    email: tuple[str, ...] = ()
    apprise: SecretStr | None = None
    webhook: SecretStr | None = None
    secret: SecretStr | None = None
    exec: tuple[str, ...] = Field(default=(), repr=False)
    folder: Path | None = None
    digest: Digest | None = None

    _secrets = field_validator("apprise", "secret", mode="before")(_from_environment)
    _lists = field_validator("email", mode="before")(_some)
    _written = field_validator("name", mode="before")(_not_from_environment)

    @field_validator("name")
    @classmethod
    def _is_word(cls, value: str | None) -> str | None:
        return _name(value) if value is not None else None

    @field_validator("email")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            if not _is_mail_address(address):
                raise ValueError("must hold mail addresses, such as alerts@example.org")
        return tuple(dict.fromkeys(value))

    @field_validator("webhook", mode="before")
    @classmethod
    def _is_web_address(cls, value: Any) -> Any:
        if isinstance(value, str) and not isinstance(value, Unknown):
            _web_address(value)
        return value

    @field_validator("exec", mode="before")
    @classmethod
    def _is_command(cls, value: Any) -> Any:
        if isinstance(value, str) or (isinstance(value, list | tuple) and value[:1] in ([""], ("",))):
            raise ValueError("must be a list, the program and its arguments: [./publish.sh, --quiet]")
        return value

    @field_validator("digest", mode="before")
    @classmethod
    def _is_digest(cls, value: Any) -> Digest | None:
        return value if isinstance(value, Digest | None) else read_digest(value if isinstance(value, str) else "")

    @model_validator(mode="after")
    def _is_one_of(self) -> Self:
        if len(self._given) != 1:
            raise ValueError("must have exactly one of email, apprise, webhook, exec, folder")
        if (self.webhook is None) != (self.secret is None):
            raise ValueError("a webhook needs a `secret` to be signed with, and nothing else has one")
        return self

    @property
    def _given(self) -> list[str]:
        return [kind for kind in ("email", "apprise", "webhook", "exec", "folder") if getattr(self, kind)]

    @property
    def kind(self) -> str:
        """`email`, `apprise`, `webhook`, `exec` or `folder`."""
        return self._given[0]

    def unset(self, mail: Mail) -> list[str]:
        """The variables that it needs, through the mail server for mail, and that the environment did not have."""
        secrets = [self.apprise, self.webhook, self.secret, *((mail.password,) if self.email else ())]
        plain = [*self.exec, *((mail.host or "", mail.username or "") if self.email else ())]
        texts = [*plain, *(secret.get_secret_value() for secret in secrets if secret is not None)]
        return [name for text in texts for name in variables(text)]

    @property
    def targets(self) -> tuple[str, ...]:
        """The names under which what was sent is remembered: the channel's, for mail one for each address.

        A name that is given later makes another target of it: only mail to one address on two channels needs one.
        """
        name = self.name or self.kind
        return tuple(f"{name}/{address}" for address in self.email) if self.email else (name,)


def _state(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    match = resolve_state(text)
    if match is None:
        raise ValueError(f"is no state; give a full name or one of {', '.join(states())}")
    if match.corrected:
        raise ValueError(f"is no state; did you mean {state_name(match.postal)}?")
    return match.postal


def _model(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    known = {short.lower(): full for short, full in MODELS.items()} | {full.lower(): full for full in MODELS.values()}
    if (model := known.get(" ".join(text.lower().split()))) is None:
        allowed = ", ".join(f"{short} ({full})" for short, full in MODELS.items())
        raise ValueError(f"is no support model; give one of {allowed}")
    return model


def _county(text: str) -> str:
    if not fold(text) or "*" in text:
        raise ValueError("must be the name of a county, without `*`")
    return text


def _pattern(text: str) -> str:
    if not fold(text) and "*" not in text:
        raise ValueError("must hold letters or digits")
    return text


class Filters(_Part):
    """What a subscriber hears of; empty means everything of its sort."""

    states: tuple[Annotated[str, BeforeValidator(_state)], ...] = ()
    counties: tuple[Annotated[str, AfterValidator(_county)], ...] = ()
    agencies: tuple[Annotated[str, AfterValidator(_pattern)], ...] = ()
    models: tuple[Annotated[str, BeforeValidator(_model)], ...] = ()
    kinds: tuple[Kind, ...] = SUBSTANCE
    lists: tuple[ListName, ...] = tuple(ListName)
    corrections: str = "none"
    provisional: bool = True

    _lists = field_validator("states", "counties", "agencies", "models", "kinds", "lists", mode="before")(_some)

    @field_validator("states", "models")
    @classmethod
    def _are_distinct_values(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(value))

    @field_validator("kinds", "lists")
    @classmethod
    def _are_some(cls, value: tuple[Any, ...], info: ValidationInfo) -> tuple[Any, ...]:
        return value or cls.model_fields[str(info.field_name)].default

    @field_validator("kinds", mode="before")
    @classmethod
    def _are_kinds(cls, value: Any) -> Any:
        if isinstance(value, str | list | tuple) and Kind.CHANGED in _some(value):
            raise ValueError("`changed` is not asked for here but by `corrections: digest` or `corrections: all`")
        return value

    @field_validator("corrections")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value not in ("none", "digest", "all"):
            raise ValueError("must be none, digest or all")
        return value


def is_name(text: str) -> bool:
    """Whether a subscriber or a channel may be called so."""
    return bool(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,59}", text))


def _name(value: str) -> str:
    if not is_name(value):
        raise ValueError("must be a short name of letters, digits, spaces, dots and dashes")
    return value


def _distinct(channels: tuple[ChannelSettings, ...]) -> tuple[ChannelSettings, ...]:
    found = Counter(target for channel in channels for target in channel.targets)
    for target, number in found.items():
        if number > 1:
            raise ValueError(f"two of the channels are called {target.split('/')[0]}; give one of them a `name`")
    return channels


class Subscriber(Filters):
    """Somebody who asked to hear of changes: which, and on which channels."""

    name: str
    channels: Annotated[tuple[ChannelSettings, ...], Field(min_length=1)]

    _written = field_validator("name", mode="before")(_not_from_environment)

    @field_validator("name")
    @classmethod
    def _is_name(cls, value: str) -> str:
        if value.casefold() == OPERATORS:
            raise ValueError("`operators` stand under `alerts`")
        return _name(value)

    _are_distinct = field_validator("channels")(_distinct)

    @model_validator(mode="after")
    def _corrections_can_be_told(self) -> Self:
        if self.corrections == "digest" and not any(channel.digest for channel in self.channels):
            raise ValueError("asks for corrections in digests, and none of its channels has a `digest`")
        return self


class Operators(_Part):
    """Who hears when the program needs a person."""

    channels: tuple[ChannelSettings, ...] = ()
    after_failures: Annotated[int, Field(ge=1, le=1000)] = 1
    quiet_hours: Annotated[float, Field(ge=0, le=8760)] = 6.0
    no_new_list_days: Annotated[float, Field(gt=0, le=3650)] | None = None

    _are_distinct = field_validator("channels")(_distinct)

    @field_validator("channels")
    @classmethod
    def _are_at_once(cls, value: tuple[ChannelSettings, ...]) -> tuple[ChannelSettings, ...]:
        if any(channel.digest for channel in value):
            raise ValueError("operators hear at once; take the `digest` away")
        return value


class Alerts(_Part):
    """The part `alerts`: how messages go out, and what stands in all of them."""

    mail: Mail = Mail()
    delivery: Delivery = Delivery()
    feeds: Feeds = Feeds()
    operators: Operators = Operators()
    archive_url: str | None = None
    report_url: str | None = None

    _addresses = field_validator("archive_url", "report_url")(_web_address)


class Mistaken(_Part):
    """An entry of `subscribers` that is wrong: its number, its name where that can be read, a sentence a mistake."""

    number: int
    name: str | None
    sentences: tuple[str, ...]

    @property
    def label(self) -> str:
        """What it is called in messages: `subscriber texas`, or by its number, `subscriber no. 2`."""
        return f"subscriber {self.name or f'no. {self.number}'}"


class AlertSettings(_Part):
    """Everything about alerts: the part `alerts` and the list `subscribers`.

    `mistaken` are the entries that `pipeline.notify.entries` has left out of `subscribers`.
    """

    alerts: Alerts = Alerts()
    subscribers: tuple[Subscriber, ...] = ()
    mistaken: tuple[Mistaken, ...] = ()

    @field_validator("subscribers")
    @classmethod
    def _have_names_of_their_own(cls, value: tuple[Subscriber, ...]) -> tuple[Subscriber, ...]:
        for name, number in Counter(subscriber.name.casefold() for subscriber in value).items():
            if number > 1:
                raise ValueError(f"two subscribers are called {name}")
        return value

    @model_validator(mode="after")
    def _mail_can_be_sent(self) -> Self:
        channels = [c for s in self.subscribers for c in s.channels] + list(self.alerts.operators.channels)
        if any(channel.email for channel in channels) and self.alerts.mail.host is None:
            raise ValueError("alerts.mail.host is not set, and a channel is an email")
        return self

    @property
    def unset(self) -> list[str]:
        """The variables that some channel needs and the environment did not have when this was loaded leniently."""
        channels = [c for s in self.subscribers for c in s.channels] + list(self.alerts.operators.channels)
        return sorted({name for channel in channels for name in channel.unset(self.alerts.mail)})

    @property
    def wanted(self) -> bool:
        """Whether there is anybody to tell, or a feed to write."""
        return bool(self.subscribers or self.mistaken or self.alerts.operators.channels or self.alerts.feeds.folder)

    @property
    def mistake(self) -> str:
        """What is wrong with the entries that were left out, a line for each mistake; empty where all are right."""
        return "\n".join(dict.fromkeys(sentence for one in self.mistaken for sentence in one.sentences))


def load(path: Path | None, *, secrets: bool = True, lenient: bool = False) -> AlertSettings:
    """What a config file says of alerts and subscribers; without one, nothing is sent to anybody.

    Without `secrets` the environment is not asked for what only sending needs (`pipeline.settings_file.LATER`): enough
    to note or preview what is to be sent. With `lenient`, a channel whose secret is missing only cannot be used.

    Raises:
        ConfigError: it cannot be read, the environment lacks a secret, or a key is wrong or unknown.
    """
    if path is None:
        return AlertSettings()
    return checked(read_parts(path), path, secrets=secrets, lenient=lenient)


def read_parts(path: Path) -> dict[str, Any]:
    """The parts of a config file that are read here, as they are written.

    Raises:
        ConfigError: it cannot be read.
    """
    return {key: value for key, value in read_yaml(path).items() if key in ALERT_KEYS and value is not None}


def checked(parts: dict[str, Any], path: Path, *, secrets: bool, lenient: bool) -> AlertSettings:
    """The parts, filled from the environment and checked, as `load` says.

    Raises:
        ConfigError: the environment lacks a secret, or a key is wrong or unknown.
    """
    return validated(AlertSettings, fill(parts, path, secrets=secrets, lenient=lenient), path)


def read_digest(text: str) -> Digest:
    """`daily 08:00 America/Chicago` or `monday 08:00 America/Chicago` as a schedule.

    Raises:
        ValueError: it is neither; the message says what is allowed.
    """
    words = text.split()
    allowed = "write `daily 08:00 America/Chicago`, or a weekday in place of `daily`"
    if (
        len(words) != 3
        or words[0].lower() not in ("daily", *DAYS)
        or not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", words[1])
    ):
        raise ValueError(f"is no time for a digest; {allowed}")
    day = None if words[0].lower() == "daily" else DAYS.index(words[0].lower())
    try:
        zone = ZoneInfo(words[2])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"names no time zone of this machine; {allowed}") from None
    return Digest(day, time.fromisoformat(words[1]), zone)
