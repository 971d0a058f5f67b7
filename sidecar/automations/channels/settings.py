"""Which channels are set up, and what of them is only half set up. Nothing is asked."""

from __future__ import annotations

import re
from email.utils import parseaddr
from typing import Literal

from sidecar.config import Config
from sidecar.config_channels import Channels, Email, Sms
from sidecar.config_section import Section
from sidecar.errors import ConfigError, Problem

_ADDRESS = re.compile(r"[^\s@<>]+@[^\s@<>]+")
_NUMBER = re.compile(r"[0-9]{5,25}")
_VERSION = re.compile(r"v[0-9]{1,3}\.[0-9]")
# Who sends by a gateway whose description has a fault: nobody, until the owner has mended it.
MUTE = "gateway-with-a-fault"
_HERE = ("localhost", "127.0.0.1", "::1")
_BASE = re.compile(r"https?://[!-~]+")


def email(channels: Channels, answers: bool) -> Literal["fluentcrm", "smtp", ""]:
    """The provider of e-mail, '' there is none. `answers`: the plugin does."""
    of = channels.email
    if answers and of.by != "smtp":
        return "fluentcrm"
    return "smtp" if of.by != "fluentcrm" and of.smtp_host and of.smtp_from else ""


def providers(channels: Channels, answers: bool) -> dict[str, str]:
    """{channel: who sends by it} of what is set up. `answers`: the plugin does."""
    there = {
        "email": email(channels, answers), "sms": _gateway(channels.sms) if sms(channels) else "",
        "telegram": "telegram" if telegram(channels) else "", "whatsapp": "whatsapp" if whatsapp(channels) else "",
        "push": "push" if push(channels) else "",
    }  # fmt: skip
    return {channel: name for channel, name in there.items() if name}


def sms(channels: Channels) -> bool:
    """Whether a gateway is named."""
    return bool(channels.sms.preset or channels.sms.gateway)


def telegram(channels: Channels) -> bool:
    """Whether there is a bot, and where chat ids stand."""
    return bool(channels.telegram.token and channels.telegram.chat_field)


def whatsapp(channels: Channels) -> bool:
    """Whether there is a token, and a phone."""
    return bool(channels.whatsapp.token and channels.whatsapp.phone_number_id)


def push(channels: Channels) -> bool:
    """Whether there is somebody to write to, which push services want."""
    return bool(channels.push.contact)


def fault(channels: Channels) -> str:
    """Why nothing goes out by a channel that is set up: the description of its gateway has a fault. '' nothing."""
    if not sms(channels):
        return ""
    from sidecar.automations.channels import gateway

    try:
        gateway.load(channels.sms.preset, channels.sms.gateway)
    except ConfigError as error:
        return "; ".join(["SMS", error.message, *error.details])[:500]
    return ""


def _gateway(config: Sms) -> str:
    """Its own name, by which messages and alerts know it."""
    from sidecar.automations.channels import gateway

    try:
        return gateway.load(config.preset, config.gateway).name
    except ConfigError:
        return MUTE


def problems(config: Config, file: str) -> list[Problem]:
    """Everything that keeps a channel from working which somebody has begun to set up."""
    channels = config.channels
    found = _email(channels.email) + _sms(channels.sms)
    found += _both("telegram", channels.telegram, "token", "chat_field")
    found += _both("whatsapp", channels.whatsapp, "token", "phone_number_id")
    for name, api in (("telegram", channels.telegram.api), ("whatsapp", channels.whatsapp.api)):
        if not _BASE.fullmatch(api):
            found.append((f"{name}.api", "is no address", "https://…"))
    if channels.whatsapp.phone_number_id and not _NUMBER.fullmatch(channels.whatsapp.phone_number_id):
        found.append(("whatsapp.phone_number_id", "is not the id of a phone", "digits: Meta's Phone number ID"))
    if not _VERSION.fullmatch(channels.whatsapp.version):
        found.append(("whatsapp.version", "is no version of the Graph API", 'like "v23.0"'))
    contact = channels.push.contact
    if contact and not (contact.startswith("https://") or _ADDRESS.fullmatch(contact)):
        found.append(("push.contact", "is neither an e-mail address nor an https address", ""))
    return [Problem(file, None, f"channels.{key}", message, hint) for key, message, hint in found]


def _email(email: Email) -> list[tuple[str, str, str]]:
    wanted = email.by == "smtp" or email.smtp_host or email.smtp_from
    missing = [key for key in ("smtp_host", "smtp_from") if wanted and not getattr(email, key)]
    found = [(f"email.{key}", "is empty", "SMTP needs a server and a sender") for key in missing]
    if email.smtp_from and not _ADDRESS.fullmatch(parseaddr(email.smtp_from)[1]):
        found.append(("email.smtp_from", "is no e-mail address", "shop@example.com, or My shop <shop@example.com>"))
    if email.reply_to and not _ADDRESS.fullmatch(email.reply_to):
        found.append(("email.reply_to", "is no e-mail address", ""))
    if email.smtp_user and not email.smtp_password:
        found.append(("email.smtp_password", "is empty", "smtp_user is set: the server will ask for both"))
    if email.smtp_password and email.smtp_security == "none" and email.smtp_host not in _HERE:
        found.append(("email.smtp_security", "sends the password without encryption", "use starttls or tls"))
    return found


def _sms(config: Sms) -> list[tuple[str, str, str]]:
    if not (config.preset or config.gateway):
        given = config.sender or config.account or config.secret
        return [("sms.preset", "is empty", "name a preset, or a file with `gateway`")] if given else []
    if config.preset and config.gateway:
        return [("sms.gateway", "is set and preset is set too", "only one of them")]
    from sidecar.automations.channels import gateway

    try:
        needs = gateway.load(config.preset, config.gateway).needs
    except ConfigError as error:
        key = "sms.gateway" if config.gateway else "sms.preset"
        return [(key, "; ".join([error.message, *error.details]), error.hint)]
    return [(f"sms.{key}", "is empty", "the gateway needs it") for key in needs if not getattr(config, key)]


def _both(name: str, section: Section, *keys: str) -> list[tuple[str, str, str]]:
    given = [key for key in keys if getattr(section, key)]
    return [
        (f"{name}.{key}", "is empty", f"{given[0]} is set: it needs both") for key in keys if given and key not in given
    ]
