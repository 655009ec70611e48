"""The settings of a channel -> the channels that they stand for, one for each target."""

from pathlib import Path

from pipeline.notify.channels.attempt import Channel, UnsetChannel
from pipeline.notify.channels.chat import ChatChannel
from pipeline.notify.channels.command import CommandChannel
from pipeline.notify.channels.folder import FolderChannel
from pipeline.notify.channels.mail import MailChannel
from pipeline.notify.channels.mail_server import MailServer
from pipeline.notify.channels.webhook import WebhookChannel
from pipeline.notify.settings import Alerts, ChannelSettings


def channels(
    subscriber: str, settings: ChannelSettings, alerts: Alerts, base: Path, server: MailServer | None = None
) -> dict[str, Channel]:
    """The channels by their targets' names, as `settings.targets` has them.

    Args:
        base: the folder that relative paths start from.
        server: the mail server of the run, whose connection all its mails share; whoever made it closes it. Without
            one, each mail has a connection of its own.
    """
    if names := settings.unset(alerts.mail):
        return {target: UnsetChannel(names) for target in settings.targets}
    if settings.email:
        shared = server or MailServer(alerts.mail, alerts.delivery, keeps=False)
        addresses = zip(settings.targets, settings.email, strict=True)
        return {target: MailChannel(shared, address, subscriber, alerts.delivery) for target, address in addresses}
    (target,) = settings.targets
    return {target: _channel(settings, alerts, base)}


def _channel(settings: ChannelSettings, alerts: Alerts, base: Path) -> Channel:
    delivery = alerts.delivery
    if settings.apprise is not None:
        return ChatChannel(settings.apprise.get_secret_value(), delivery)
    if settings.webhook is not None and settings.secret is not None:
        return WebhookChannel(settings.webhook.get_secret_value(), settings.secret.get_secret_value(), delivery)
    if settings.exec:
        return CommandChannel(settings.exec, base, delivery)
    assert settings.folder is not None  # noqa: S101 - the settings are checked
    return FolderChannel(base / settings.folder)
