"""Settings -> channels: one for each target, with a lane of its own unless it shares a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.notify.channels.attempt import Channel
from pipeline.notify.channels.chat import ChatChannel
from pipeline.notify.channels.command import CommandChannel
from pipeline.notify.channels.folder import FolderChannel
from pipeline.notify.channels.mail import MailChannel
from pipeline.notify.channels.making import channels
from pipeline.notify.channels.webhook import WebhookChannel
from pipeline.notify.settings import Alerts, ChannelSettings
from pipeline.settings_file import Filled
from tests.pipeline.notify.sinks import message

ALERTS = Alerts.model_validate({"mail": {"host": "mail.example.org", "port": 25, "sender": "a@example.org"}})
HOOK = {"webhook": "https://example.org/secret", "secret": Filled("secret")}


def made(base: Path = Path("/base"), **settings: Any) -> dict[str, Channel]:
    return channels("texas", ChannelSettings.model_validate(settings), ALERTS, base)


@pytest.mark.parametrize(
    ("settings", "kind", "lane"),
    [
        ({"email": "a@example.net"}, MailChannel, "mail:mail.example.org:25"),
        (HOOK, WebhookChannel, "webhook:example.org:"),
        ({"apprise": Filled("json://example.org/secret")}, ChatChannel, "apprise:"),
        ({"exec": ["./announce", "secret"]}, CommandChannel, "exec:announce:"),
        ({"folder": "reports"}, FolderChannel, "folder:/base/reports"),
    ],
    ids=["email", "webhook", "apprise", "exec", "folder"],
)
def test_each_setting_is_a_channel_whose_lane_tells_no_secret(settings: dict[str, Any], kind: type, lane: str) -> None:
    found = made(**settings)

    assert tuple(found) == ChannelSettings.model_validate(settings).targets
    for channel in found.values():
        assert isinstance(channel, kind)
        assert channel.lane.startswith(lane)
        assert "secret" not in channel.lane


def test_every_address_of_a_mail_is_a_target_and_all_share_the_server() -> None:
    found = made(name="desk", email=["a@example.net", "b@example.net"])

    assert list(found) == ["desk/a@example.net", "desk/b@example.net"]
    assert len({channel.lane for channel in found.values()}) == 1


def test_the_same_address_is_the_same_lane_and_another_is_another() -> None:
    first, same, other = (made(**HOOK | {"webhook": f"https://example.org/{name}"}) for name in ("a", "a", "b"))

    assert first["webhook"].lane == same["webhook"].lane != other["webhook"].lane


def test_only_a_chat_service_is_given_time_between_messages() -> None:
    assert made(apprise=Filled("json://example.org"))["apprise"].pause == ALERTS.delivery.pause_seconds
    assert made(folder="reports")["folder"].pause == 0


def test_a_relative_folder_is_below_the_configuration(tmp_path: Path) -> None:
    made(tmp_path, folder="reports")["folder"].send(message())

    assert len(list((tmp_path / "reports").iterdir())) == 3
