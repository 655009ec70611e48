"""The parts `alerts` and `subscribers` of config.yaml: what is accepted, and the sentence that each mistake gets."""

from __future__ import annotations

import traceback
from datetime import time
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from db.records import Kind, ListName
from pipeline import config, settings_file
from pipeline.notify.schedule import Digest
from pipeline.notify.settings import SUBSTANCE, AlertSettings, ChannelSettings, load
from pipeline.settings_file import ConfigError

SECRET = "s3cr3t"

ENVIRONMENT = {
    "SMTP_USER": "alerts@example.org",
    "SMTP_PASSWORD": f"{SECRET}-password",
    "SLACK_URL": f"slack://{SECRET}AAAA/BBBBBBBBB/cccccccccccccccccccccccc",
    "HOOK_SECRET": f"whsec_{SECRET}",
    "HOOK_TOKEN": f"{SECRET}-token",
    "OPERATORS_URL": f"ntfy://{SECRET}",
}

WHOLE = """
source:
  contact: https://example.org/about

alerts:
  mail:
    host: smtp.example.org
    port: 465
    security: tls
    username: ${SMTP_USER}
    password: ${SMTP_PASSWORD}
    sender: 287(g) alerts <alerts@example.org>
    reply_to: people@example.org
    list_id: 287(g) alerts <alerts.example.org>
    unsubscribe: mailto:alerts@example.org?subject=unsubscribe
  delivery: {timeout_seconds: 20, refusals: 2, most_events: 30}
  feeds:
    folder: public/feeds
    url: https://example.org/feeds
  operators:
    channels:
      - email: ops@example.org
      - apprise: ${OPERATORS_URL}
    quiet_hours: 12
    no_new_list_days: 10
  archive_url: https://example.org/archive
  report_url: https://example.org/report

subscribers:
  - name: Texas coalition
    states: Texas
    channels:
      - email: [one@example.org, two@example.org, one@example.org]
      - name: weekly mail
        email: three@example.org
        digest: monday 08:00 America/Chicago

  - name: newsroom
    states: [TX, Oklahoma, new mexico]
    models: [TFM, Jail Enforcement Model]
    kinds: [new, terminated]
    lists: participating
    provisional: false
    channels:
      - apprise: ${SLACK_URL}

  - name: researcher
    corrections: digest
    channels:
      - email: researcher@example.edu
        digest: Sunday 18:30 Europe/Berlin

  - name: map
    corrections: all
    counties: Kerr
    agencies: "*Sheriff*"
    channels:
      - webhook: https://example.org/hook?token=${HOOK_TOKEN}
        secret: ${HOOK_SECRET}
      - exec: [./publish.sh, --token, "${HOOK_TOKEN}"]
      - folder: reports/map
"""


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)


def written(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def loaded(folder: Path, text: str, *, secrets: bool = True) -> AlertSettings:
    return load(written(folder, text), secrets=secrets)


def mistakes(folder: Path, text: str, *, secrets: bool = True) -> list[str]:
    """The lines of the refusal, without the name of the file that each starts with."""
    path = written(folder, text)
    with pytest.raises(ConfigError) as refused:
        load(path, secrets=secrets)
    lines = str(refused.value).split("\n")
    assert all(line.startswith(f"{path}: ") for line in lines)
    return [line.removeprefix(f"{path}: ") for line in lines]


def texas(more: str) -> str:
    """A subscriber with keys beside its channel."""
    return f"subscribers:\n  - name: texas\n    channels: [{{folder: texas}}]\n    {more}\n"


def channels(*entries: str) -> str:
    return "subscribers:\n  - name: texas\n    channels:\n" + "".join(f"      - {entry}\n" for entry in entries)


def mail(more: str) -> str:
    return f"alerts:\n  mail:\n    host: smtp.example.org\n    sender: a@example.org\n    {more}\n"


# What is accepted


@pytest.mark.parametrize("text", ["", "alerts:\n", "subscribers: []\n", "source: {retries: 2}\n", "alerts: {mail: {}}"])
def test_without_subscribers_nobody_is_told(tmp_path: Path, text: str) -> None:
    assert loaded(tmp_path, text) == load(None) == AlertSettings()
    assert not load(None).wanted


@pytest.mark.usefixtures("environment")
def test_a_whole_file_is_read(tmp_path: Path) -> None:
    found = loaded(tmp_path, WHOLE)
    coalition, newsroom, researcher, its_map = found.subscribers

    assert found.wanted
    server = found.alerts.mail
    assert (server.host, server.port, server.security) == ("smtp.example.org", 465, "tls")
    assert server.username == "alerts@example.org"
    assert server.password is not None
    assert server.password.get_secret_value() == ENVIRONMENT["SMTP_PASSWORD"]
    assert (found.alerts.delivery.refusals, found.alerts.delivery.most_events) == (2, 30)
    assert found.alerts.feeds.folder == Path("public/feeds")
    assert [channel.kind for channel in found.alerts.operators.channels] == ["email", "apprise"]

    assert (coalition.states, coalition.kinds, coalition.lists) == (("TX",), SUBSTANCE, tuple(ListName))
    assert (coalition.corrections, coalition.provisional) == ("none", True)
    at_once, weekly = coalition.channels
    assert at_once.targets == ("email/one@example.org", "email/two@example.org")
    assert at_once.digest is None
    assert weekly.targets == ("weekly mail/three@example.org",)
    assert weekly.digest == Digest(0, time(8), ZoneInfo("America/Chicago"))

    assert newsroom.states == ("TX", "OK", "NM")
    assert newsroom.models == ("Task Force Model", "Jail Enforcement Model")
    assert (newsroom.kinds, newsroom.lists) == ((Kind.NEW, Kind.TERMINATED), (ListName.PARTICIPATING,))
    assert not newsroom.provisional
    (slack,) = newsroom.channels
    assert slack.apprise is not None
    assert slack.apprise.get_secret_value() == ENVIRONMENT["SLACK_URL"]
    assert slack.targets == ("apprise",)

    assert researcher.states == ()
    assert str(researcher.channels[0].digest) == "sunday 18:30 Europe/Berlin"

    assert (its_map.counties, its_map.agencies) == (("Kerr",), ("*Sheriff*",))
    webhook, command, folder = its_map.channels
    assert webhook.webhook is not None
    assert webhook.webhook.get_secret_value() == f"https://example.org/hook?token={ENVIRONMENT['HOOK_TOKEN']}"
    assert command.exec == ("./publish.sh", "--token", ENVIRONMENT["HOOK_TOKEN"])
    assert folder.folder == Path("reports/map")
    assert [channel.kind for channel in its_map.channels] == ["webhook", "exec", "folder"]


@pytest.mark.usefixtures("environment")
def test_the_settings_can_be_printed_without_a_secret(tmp_path: Path) -> None:
    found = loaded(tmp_path, WHOLE)

    for part in (found, found.alerts.mail, *found.subscribers, *(c for s in found.subscribers for c in s.channels)):
        assert SECRET not in f"{part} {part!r}"
        assert SECRET not in "".join(map(str, part.__repr_args__()))


@pytest.mark.usefixtures("no_environment")
def test_without_secrets_the_environment_is_not_needed(tmp_path: Path) -> None:
    found = loaded(tmp_path, WHOLE, secrets=False)

    assert [subscriber.name for subscriber in found.subscribers] == ["Texas coalition", "newsroom", "researcher", "map"]
    assert [c.kind for s in found.subscribers for c in s.channels] == [
        *("email", "email", "apprise", "email", "webhook", "exec", "folder"),
    ]


def test_with_and_without_secrets_the_same_people_hear_of_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("EDITOR_ADDRESS", "editor@example.org")
    monkeypatch.setenv("HOME_STATE", "Texas")
    text = WHOLE.replace("[one@example.org", "['${EDITOR_ADDRESS}'").replace("states: Texas", "states: ${HOME_STATE}")

    with_secrets, without = loaded(tmp_path, text), loaded(tmp_path, text, secrets=False)

    assert with_secrets.subscribers[0] == without.subscribers[0]
    assert with_secrets.subscribers[0].channels[0].targets[0] == "email/editor@example.org"
    assert with_secrets.subscribers[0].states == ("TX",)


@pytest.mark.parametrize("secrets", [True, False])
def test_what_is_needed_to_note_an_event_must_be_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secrets: bool
) -> None:
    monkeypatch.delenv("HOME_STATE", raising=False)

    assert mistakes(tmp_path, texas("states: ['${HOME_STATE}']"), secrets=secrets) == [
        "subscribers.texas.states.1: the environment has no variable HOME_STATE"
    ]


def test_numbers_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PORT", "2525")

    assert loaded(tmp_path, mail("port: ${SMTP_PORT}"), secrets=False).alerts.mail.port == 2525


@pytest.mark.usefixtures("no_environment")
def test_each_missing_variable_is_named_with_its_key(tmp_path: Path) -> None:
    assert mistakes(tmp_path, WHOLE) == [
        "alerts.mail.username: the environment has no variable SMTP_USER",
        "alerts.mail.password: the environment has no variable SMTP_PASSWORD",
        "alerts.operators.channels.2.apprise: the environment has no variable OPERATORS_URL",
        "subscribers.newsroom.channels.1.apprise: the environment has no variable SLACK_URL",
        "subscribers.map.channels.1.webhook: the environment has no variable HOOK_TOKEN",
        "subscribers.map.channels.1.secret: the environment has no variable HOOK_SECRET",
    ]


@pytest.mark.usefixtures("no_environment")
def test_the_rest_of_the_file_needs_none_of_the_secrets(tmp_path: Path) -> None:
    assert config.load(written(tmp_path, WHOLE)).source.contact == "https://example.org/about"
    assert config.alerts_wanted(written(tmp_path, WHOLE))


@pytest.mark.usefixtures("no_environment")
@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("security: tls", "security: ssl", "alerts.mail.security: must be starttls, tls or none"),
        ("states: Texas", "states: Texs", "subscribers.Texas coalition.states.1: is no state; did you mean Texas?"),
        ("        secret: ${HOOK_SECRET}\n", "", "subscribers.map.channels.1: a webhook needs a `secret`"),
        (
            "quiet_hours: 12",
            "quite_hours: 12",
            "alerts.operators.quite_hours is no known key; did you mean quiet_hours?",
        ),
        ("password: ${SMTP_PASSWORD}", "password: plain", "alerts.mail.password: is a secret: write ${NAME} here"),
        ("- apprise: ${SLACK_URL}", "- apprise: [x]", "subscribers.newsroom.channels.1.apprise: is a secret"),
        ("    host: smtp.example.org\n", "", "the file: alerts.mail.host is not set, and a channel is an email"),
    ],
)
def test_without_secrets_the_other_mistakes_are_found(tmp_path: Path, right: str, wrong: str, says: str) -> None:
    (told,) = mistakes(tmp_path, WHOLE.replace(right, wrong), secrets=False)

    assert told.startswith(says)


@pytest.mark.parametrize(
    ("more", "field", "value"),
    [
        ("states: Texas", "states", ("TX",)),
        ("states: [texas, TX, Guam]", "states", ("TX", "GU")),
        ("states: []", "states", ()),
        ("counties: Kerr", "counties", ("Kerr",)),
        ("agencies: Police", "agencies", ("Police",)),
        ("models: jem", "models", ("Jail Enforcement Model",)),
        ("models: [WSO, warrant service officer]", "models", ("Warrant Service Officer",)),
        ("kinds: new", "kinds", (Kind.NEW,)),
        ("kinds: []", "kinds", SUBSTANCE),
        ("lists: pending", "lists", (ListName.PENDING,)),
        ("lists: []", "lists", tuple(ListName)),
    ],
)
def test_a_single_value_may_stand_where_a_list_may_and_nothing_is_everything(
    tmp_path: Path, more: str, field: str, value: object
) -> None:
    (found,) = loaded(tmp_path, texas(more)).subscribers

    assert getattr(found, field) == value


def test_several_channels_of_one_kind_are_told_apart_by_their_names(tmp_path: Path) -> None:
    text = channels("{folder: a}", "{folder: b, name: second}", "{folder: c, name: third.one}")
    (found,) = loaded(tmp_path, text).subscribers

    assert [channel.targets for channel in found.channels] == [("folder",), ("second",), ("third.one",)]


@pytest.mark.parametrize("host", ["smtp.example.org", "localhost", "127.0.0.1", "::1", "2001:db8::25"])
def test_a_mail_server_is_a_host(tmp_path: Path, host: str) -> None:
    assert loaded(tmp_path, f"alerts: {{mail: {{host: '{host}', sender: a@b.org}}}}").alerts.mail.host == host


# What is refused


@pytest.mark.parametrize(
    ("text", "says"),
    [
        # filters
        (texas("states: Freedonia"), "subscribers.texas.states.1: is no state; give a full name or one of AK, AL"),
        (texas("states: [TX, Texs]"), "subscribers.texas.states.2: is no state; did you mean Texas?"),
        (texas("states: [48]"), "subscribers.texas.states.1: must be a text"),
        (texas("models: ABC"), "subscribers.texas.models.1: is no support model; give one of JEM (Jail Enforcement"),
        (texas("kinds: gone"), "subscribers.texas.kinds.1: must be 'new', 'terminated'"),
        (
            texas("kinds: [new, changed]"),
            "subscribers.texas.kinds: `changed` is not asked for here but",
        ),
        (texas("kinds: changed"), "subscribers.texas.kinds: `changed` is not asked for here but"),
        (texas("lists: both"), "subscribers.texas.lists.1: must be 'participating' or 'pending'"),
        (texas("counties: '!'"), "subscribers.texas.counties.1: must be the name of a county"),
        (texas("counties: [Kerr, 'Ker*']"), "subscribers.texas.counties.2: must be the name of a county, without `*`"),
        (texas("agencies: ['...']"), "subscribers.texas.agencies.1: must hold letters or digits"),
        (texas("corrections: some"), "subscribers.texas.corrections: must be none, digest or all"),
        (
            texas("corrections: digest"),
            "subscribers.texas: asks for corrections in digests, and none of",
        ),
        (texas("provisional: perhaps"), "subscribers.texas.provisional: must be true or false"),
        # subscribers
        ("subscribers: {texas: {}}", "subscribers: must be a list"),
        ("subscribers: texas", "subscribers: must be a list"),
        ("subscribers: [texas]", "subscribers.1: must hold keys and values"),
        ("subscribers: [{channels: [{folder: a}]}]", "subscribers.1.name: is missing"),
        ("subscribers: [{name: texas}]", "subscribers.texas.channels: is missing"),
        ("subscribers: [{name: texas, channels: []}]", "subscribers.texas.channels: must hold at least 1"),
        ("subscribers: [{name: texas, channels: }]", "subscribers.texas.channels: must be a list"),
        ("subscribers: [{name: 5, channels: [{folder: a}]}]", "subscribers.1.name: must be a text"),
        ("subscribers: [{name: '', channels: [{folder: a}]}]", "subscribers.1.name: must be a short name"),
        ("subscribers: [{name: a/b, channels: [{folder: a}]}]", "subscribers.1.name: must be a short name"),
        (
            'subscribers: [{name: "a\\nb", channels: [{folder: a}]}]',
            "subscribers.1.name: must be a short name",
        ),
        ("subscribers: [{name: operators, channels: [{folder: a}]}]", "subscribers.operators.name: `operators` stand"),
        ("subscribers: [{name: Operators, channels: [{folder: a}]}]", "subscribers.Operators.name: `operators` stand"),
        (
            "subscribers: [{name: Texas, channels: [{folder: a}]}, {name: texas, channels: [{folder: b}]}]",
            "subscribers: two subscribers are called texas",
        ),
        # channels
        (
            channels("{}"),
            "subscribers.texas.channels.1: must have exactly one of email",
        ),
        (channels("{folder: a, exec: [b]}"), "subscribers.texas.channels.1: must have exactly one of email"),
        (channels("{folder: a}", "{folder: b}"), "subscribers.texas.channels: two of the channels are called folder"),
        (
            channels("{folder: a, name: x}", "{exec: [b], name: x}"),
            "subscribers.texas.channels: two of the channels",
        ),
        (
            channels("{email: a@b.org}", "{email: [a@b.org]}"),
            "subscribers.texas.channels: two of the channels",
        ),
        (channels("{folder: a, name: a/b}"), "subscribers.texas.channels.1.name: must be a short name"),
        (channels("{folder: a}", "{folder: 5, name: x}"), "subscribers.texas.channels.x.folder: must be the name of a"),
        (channels("{email: nobody}"), "subscribers.texas.channels.1.email: must hold mail addresses"),
        (channels("{email: a..b@c.org}"), "subscribers.texas.channels.1.email: must hold mail addresses"),
        (channels("{email: ''}"), "subscribers.texas.channels.1.email: must hold mail addresses"),
        (channels("{email: 'a@b.org, c@d.org'}"), "subscribers.texas.channels.1.email: must hold mail addresses"),
        (channels("{email: A <a@b.org>}"), "subscribers.texas.channels.1.email: must hold mail addresses"),
        (channels("{email: []}"), "subscribers.texas.channels.1: must have exactly one of"),
        (channels("{exec: ./publish.sh}"), "subscribers.texas.channels.1.exec: must be a list, the program and its"),
        (channels("{exec: ['', a]}"), "subscribers.texas.channels.1.exec: must be a list, the program and its"),
        (channels("{webhook: example.org}"), "subscribers.texas.channels.1.webhook: must be an http or https address"),
        (channels("{webhook: 'https://a.org'}"), "subscribers.texas.channels.1: a webhook needs a `secret`"),
        (
            channels("{folder: a, digest: hourly}"),
            "subscribers.texas.channels.1.digest: is no time for a digest;",
        ),
        (channels("{folder: a, digest: 10:30}"), "subscribers.texas.channels.1.digest: is no time for a digest;"),
        (
            channels("{folder: a, digest: {day: 9, at: '08:00', zone: UTC}}"),
            "subscribers.texas.channels.1.digest: is no time for a digest;",
        ),
        (
            channels("{folder: a, digest: daily 24:00 America/Chicago}"),
            "subscribers.texas.channels.1.digest: is no time for a digest;",
        ),
        (
            channels("{folder: a, digest: mon 08:00 America/Chicago}"),
            "subscribers.texas.channels.1.digest: is no time for a digest;",
        ),
        (
            channels("{folder: a, digest: daily 08:00 Chicago}"),
            "subscribers.texas.channels.1.digest: names no time zone of this machine; write",
        ),
        (
            channels("{folder: a, digest: daily 08:00 America}"),
            "subscribers.texas.channels.1.digest: names no time zone of this machine; write",
        ),
        # mail
        (channels("{email: a@b.org}"), "the file: alerts.mail.host is not set, and a channel is an email"),
        (
            "alerts: {operators: {channels: [{email: a@b.org}]}}",
            "the file: alerts.mail.host is not set, and a channel is an email",
        ),
        ("alerts: {mail: {host: a.org}}", "alerts.mail: needs `sender`, the address that the mails come from"),
        ("alerts: {mail: {host: a.org:25, sender: a@b.org}}", "alerts.mail.host: must be the name of a host"),
        ("alerts: {mail: {host: '10.0.0.1:25', sender: a@b.org}}", "alerts.mail.host: must be the name of a host"),
        ("alerts: {mail: {host: 'smtp://a.org', sender: a@b.org}}", "alerts.mail.host: must be the name of a host"),
        ("alerts: {mail: {host: '', sender: a@b.org}}", "alerts.mail.host: must be the name of a host"),
        (mail("username: me"), "alerts.mail: needs `username` and `password`, or neither"),
        (mail("port: 0"), "alerts.mail.port: must be more than 0, not 0"),
        (mail("port: 70000"), "alerts.mail.port: must be less than 65536, not 70000"),
        (mail("security: STARTTLS"), "alerts.mail.security: must be starttls, tls or none"),
        (mail("unsubscribe: example.org/leave"), "alerts.mail.unsubscribe: must be a mailto: or https: address"),
        (mail("unsubscribe: http://example.org"), "alerts.mail.unsubscribe: must be a mailto: or https: address"),
        # the rest of alerts
        ("alerts: [mail]", "alerts: must hold keys and values"),
        ("alerts: {mail: }", "alerts.mail: must hold keys and values"),
        ("alerts: {delivery: {refusals: 0}}", "alerts.delivery.refusals: must be at least 1, not 0"),
        ("alerts: {delivery: {pause_seconds: .nan}}", "alerts.delivery.pause_seconds: must be at "),
        (
            "alerts: {delivery: {timeout_seconds: .inf}}",
            "alerts.delivery.timeout_seconds: must be at most 86400",
        ),
        ("alerts: {delivery: {most_events: 1.5}}", "alerts.delivery.most_events: must be a whole number, not 1.5"),
        ("alerts: {feeds: {url: example.org}}", "alerts.feeds.url: must be an http or https address"),
        ("alerts: {archive_url: 'https://a b'}", "alerts.archive_url: must be an http or https address"),
        ("alerts: {report_url: ftp://a.org}", "alerts.report_url: must be an http or https address"),
        (
            "alerts: {operators: {channels: [{folder: a, digest: daily 08:00 UTC}]}}",
            "alerts.operators.channels: operators hear at once; take the `digest` away",
        ),
        (
            "alerts: {operators: {channels: [{folder: a}, {folder: b}]}}",
            "alerts.operators.channels: two of the channels are called folder",
        ),
        # keys
        ("alerts: {male: {}}", "alerts.male is no known key; did you mean mail?"),
        ("alerts: {mail: {hots: a}}", "alerts.mail.hots is no known key; did you mean host?"),
        ("alerts: {delivery: {refusal: 1}}", "alerts.delivery.refusal is no known key; did you mean refusals?"),
        ("alerts: {feeds: {entry: 1}}", "alerts.feeds.entry is no known key; did you mean entries?"),
        ("alerts: {operators: {channel: []}}", "alerts.operators.channel is no known key; did you mean channels?"),
        (
            "alerts: {operators: {channels: [{folder: a, nmae: b}]}}",
            "alerts.operators.channels.1.nmae is no known key; did you mean name?",
        ),
        (texas("state: TX"), "subscribers.texas.state is no known key; did you mean states?"),
        (
            channels("{folder: a, digets: b}"),
            "subscribers.texas.channels.1.digets is no known key; did you mean",
        ),
        (
            channels("{folder: a, zzz: b}"),
            "subscribers.texas.channels.1.zzz is no known key; there are name",
        ),
        (texas("5: x"), "subscribers.texas has a key that is no word"),
        (texas("on: x"), "subscribers.texas has a key that is no word"),
    ],
)
@pytest.mark.parametrize("secrets", [True, False])
def test_a_mistake_is_one_line_that_names_the_key(tmp_path: Path, text: str, says: str, secrets: bool) -> None:
    (told,) = mistakes(tmp_path, text, secrets=secrets)

    assert told.startswith(says)


def test_a_misspelt_part_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"subscriber is no known key; did you mean subscribers\?$"):
        config.load(written(tmp_path, "subscriber: []"))


def test_every_mistake_has_its_line(tmp_path: Path) -> None:
    text = WHOLE.replace("states: Texas", "states: Texs").replace("port: 465", "port: many").replace("tls", "ssl")

    assert [line.partition(": ")[0] for line in mistakes(tmp_path, text, secrets=False)] == [
        "alerts.mail.port",
        "alerts.mail.security",
        "subscribers.Texas coalition.states.1",
    ]


def test_the_names_of_subscribers_and_channels_are_written_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHO", "texas")

    assert mistakes(tmp_path, "subscribers: [{name: '${WHO}', channels: [{folder: a, name: '${WHO}'}]}]") == [
        "subscribers.1.name: must be written out, not taken from the environment",
        "subscribers.1.channels.1.name: must be written out, not taken from the environment",
    ]


@pytest.mark.parametrize("empty", ["", " ", "\n"])
@pytest.mark.parametrize(
    ("text", "key"),
    [
        (channels("{apprise: '${EMPTY}'}"), "subscribers.texas.channels.1.apprise"),
        (channels("{webhook: 'https://a.org', secret: '${EMPTY}'}"), "subscribers.texas.channels.1.secret"),
        (mail("password: ${EMPTY}"), "alerts.mail.password"),
    ],
)
def test_an_empty_secret_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, key: str, empty: str
) -> None:
    monkeypatch.setenv("EMPTY", empty)

    assert mistakes(tmp_path, text) == [f"{key}: is empty in the environment"]


# Secrets


LITERAL = (
    f"slack://{SECRET}/B/c",
    f"https://hooks.example.org/{SECRET}?a=b",
    SECRET,
    f"[{SECRET}]",
    f"{{{SECRET}: 1}}",
)


@pytest.mark.parametrize(
    "literal",
    [
        f"'slack://{SECRET}/B/c'",
        SECRET,
        f"[{SECRET}]",
        f"{{value: {SECRET}}}",
        "12345678",
        "1234.5678",
        "2025-12-31",
        "true",
    ],
)
@pytest.mark.parametrize(
    "place",
    [
        mail("username: me\n    password: LITERAL"),
        channels("apprise: LITERAL"),
        channels("{webhook: 'https://a.org', secret: LITERAL}"),
    ],
    ids=["password", "apprise", "secret"],
)
def test_a_secret_that_stands_in_the_file_is_refused_and_not_repeated(tmp_path: Path, place: str, literal: str) -> None:
    (told,) = mistakes(tmp_path, place.replace("LITERAL", literal))

    assert told.endswith("is a secret: write ${NAME} here, and set NAME in the environment")
    assert not any(part in told for part in (SECRET, "1234", "2025"))


@pytest.mark.parametrize("dollar", ["$NAME", "${1NAME}", "$(NAME)", "{NAME}", "%NAME%"])
def test_what_only_looks_like_a_variable_is_no_secret(tmp_path: Path, dollar: str) -> None:
    (told,) = mistakes(tmp_path, channels(f"apprise: '{dollar}'"))

    assert told.startswith("subscribers.texas.channels.1.apprise: is a secret: write ${NAME} here")


def places(tree: object, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place of a tree of mappings and lists, inner ones included."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [place for key, value in items for place in ((*at, key), *places(value, (*at, key)))]


def put(tree: object, at: tuple[str | int, ...], value: object) -> object:
    """The same tree with another value at a place."""
    if not at:
        return value
    if isinstance(tree, list):
        return [put(item, at[1:], value) if number == at[0] else item for number, item in enumerate(tree)]
    assert isinstance(tree, dict)
    return {key: put(item, at[1:], value) if key == at[0] else item for key, item in tree.items()}


_TREE = {key: value for key, value in yaml.safe_load(WHOLE).items() if key != "source"}
SHAPES = (f"slack://{SECRET}/B/c", f"daily 08:00 {SECRET}", f"{SECRET}!", "${HOOK_TOKEN}", "daily 08:00 ${HOOK_TOKEN}")


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("place", places(_TREE), ids=lambda place: ".".join(map(str, place)))
def test_a_secret_in_the_wrong_place_is_never_in_a_refusal(tmp_path: Path, place: tuple[str | int, ...]) -> None:
    for shape in SHAPES:
        for value in (shape, [shape], {"value": shape}, {"name": shape}, {f"https://{SECRET}": None}):
            text = yaml.dump(put(_TREE, place, value), Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper))
            assert SECRET not in refusal(written(tmp_path, text))


def refusal(path: Path) -> str:
    """Everything that can be got out of a refusal; nothing if there is none."""
    try:
        load(path)
    except ConfigError as error:
        return f"{error} {error!r} {error.__context__} {error.__context__!r} {traceback.format_exception(error)}"
    return ""


@pytest.mark.usefixtures("no_environment")
def test_a_key_that_is_a_secret_is_not_repeated_where_its_value_is_missing(tmp_path: Path) -> None:
    told = mistakes(tmp_path, channels(f"'https://{SECRET}': ${{HOOK_TOKEN}}"))

    assert told == ["subscribers.texas.channels.1.…: the environment has no variable HOOK_TOKEN"]


@pytest.mark.usefixtures("no_environment")
@pytest.mark.parametrize("key", ["2025-01-01", "1.5", "null"])
def test_a_key_that_is_no_text_is_refused_where_its_value_is_missing(tmp_path: Path, key: str) -> None:
    told = mistakes(tmp_path, f"alerts: {{{key}: '${{HOOK_TOKEN}}'}}")

    assert told == ["alerts.…: the environment has no variable HOOK_TOKEN"]


def test_the_errors_of_pydantic_hold_no_secret_either() -> None:
    channel = {"webhook": f"ftp://{SECRET}", "secret": SECRET, "apprise": [SECRET], "digest": SECRET, "email": SECRET}
    wrong = {"name": "texas", "states": SECRET, "kinds": SECRET, "channels": [channel, SECRET]}

    with pytest.raises(ValidationError) as refused:
        AlertSettings.model_validate({"subscribers": [wrong, SECRET], "alerts": {"mail": {"password": SECRET}}})
    assert SECRET not in f"{refused.value} {refused.value!r}"


@pytest.mark.parametrize("loader", [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)])
@pytest.mark.parametrize(
    "value",
    [
        f"!{SECRET}",
        f"!{SECRET} x",
        f"!a!{SECRET} x",
        f"*{SECRET}",
        f"@{SECRET}",
        f"`{SECRET}",
        f"{SECRET}: x",
        f"'{SECRET}",
        f'"{SECRET}\\q"',
        f"[{SECRET}",
        f"!!int {SECRET}",
        f"!!float {SECRET}",
        f"!!binary {SECRET}ü",
        f"&{SECRET} [a, b",
        f"&{SECRET} a\n    port: &{SECRET} b: c",
        f"\n{SECRET}\n  x: y",
        f"%{SECRET}",
        f"|{SECRET}",
    ],
)
def test_a_secret_that_makes_the_file_unreadable_is_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, loader: type[yaml.SafeLoader]
) -> None:
    monkeypatch.setattr(settings_file, "_LOADER", loader)

    told = "\n".join(mistakes(tmp_path, f"alerts:\n  mail:\n    password: {value}\n"))

    assert SECRET not in told
    assert told.startswith("not readable as YAML: ")
    assert "\n" not in told


def test_a_password_with_a_mark_of_yaml_is_told_to_stand_in_quotes(tmp_path: Path) -> None:
    assert mistakes(tmp_path, "alerts:\n  mail:\n    password: !secret\n") == [
        "not readable as YAML: line 3: a value that starts with !, & or * must stand in quotes"
    ]


# Headers


HEADERS = {
    "sender": "Alerts{} <alerts@example.org>",
    "reply_to": "Alerts{} <alerts@example.org>",
    "list_id": "alerts{} <alerts.example.org>",
    "unsubscribe": "mailto:alerts@example.org?subject=leave{}",
}
CONTROLS = ["\n", "\r", "\r\n", "\r\nBcc: x@example.org", "\0", "\x1b[2J", "\x7f", "\x85", "\u2028", "\u202e", "\u200b"]


@pytest.mark.parametrize("control", CONTROLS)
@pytest.mark.parametrize(("key", "value"), HEADERS.items())
def test_a_header_is_one_line_of_visible_characters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, value: str, control: str
) -> None:
    line = yaml.safe_dump({key: value.format(control)}, width=10_000).strip()
    text = f"alerts:\n  mail:\n    {line}\n"

    assert any(told.startswith(f"alerts.mail.{key}: must be ") for told in mistakes(tmp_path, text))


@pytest.mark.parametrize("key", ["sender", "reply_to"])
@pytest.mark.parametrize(
    "value",
    [
        "alerts",
        "a@b.org, c@d.org",
        "a@b.org <c@d.org",
        "a@b.org> <c@d.org>",
        "<a@b.org> c",
        "a@@b.org",
        "a..b@c.org",
        "A <a@b..org>",
        "A <a b@c.org>",
    ],
)
def test_a_sender_is_one_address(tmp_path: Path, key: str, value: str) -> None:
    (told,) = mistakes(tmp_path, f"alerts: {{mail: {{{key}: '{value}'}}}}")

    assert told.startswith(f"alerts.mail.{key}: must be a mail address")


@pytest.mark.parametrize(
    "value",
    [
        "mailto:a@b.org>, <https://c.org",
        "https://example.org/leave>\\r\\nBcc",
        "https://example.org/ leave",
        "javascript:alert(1)",
        "mailto:",
    ],
)
def test_an_address_to_leave_at_is_one_address(tmp_path: Path, value: str) -> None:
    (told,) = mistakes(tmp_path, f"alerts: {{mail: {{unsubscribe: '{value}'}}}}")

    assert told == "alerts.mail.unsubscribe: must be a mailto: or https: address"


@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(name=st.text(max_size=30), key=st.sampled_from(["sender", "reply_to", "list_id"]))
def test_whatever_is_accepted_makes_one_header(tmp_path: Path, name: str, key: str) -> None:
    value = HEADERS[key].format(name)
    try:
        found = loaded(tmp_path, yaml.safe_dump({"alerts": {"mail": {key: value}}}, allow_unicode=True))
    except ConfigError:
        return
    message = EmailMessage(policy=SMTP)
    message["List-Id" if key == "list_id" else "Reply-To"] = getattr(found.alerts.mail, key)
    head = message.as_bytes().partition(b"\r\n\r\n")[0]

    assert head.isascii()
    assert len([line for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))]) == 1


# Files


@pytest.mark.parametrize("folder", ["sent", "./sent", "../sent", "/var/lib/sent"])
def test_a_folder_stays_as_it_is_written(tmp_path: Path, folder: str) -> None:
    text = channels(f"folder: {folder}") + f"alerts: {{feeds: {{folder: {folder}}}}}\n"
    found = loaded(tmp_path, text)

    assert found.subscribers[0].channels[0].folder == found.alerts.feeds.folder == Path(folder)


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path / "none.yaml")
    assert str(refused.value) == f"{tmp_path / 'none.yaml'}: No such file or directory"


def test_settings_do_not_change() -> None:
    channel = ChannelSettings.model_validate({"folder": "a"})

    with pytest.raises(ValueError, match="frozen"):
        channel.folder = Path("b")
