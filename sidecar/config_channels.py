"""The configuration of the channels by which automations send: `[channels.*]`.

Secrets come from the environment or from a file of their own (`…_file`), never from `sidecar.toml`: `SECRETS` names them.
`per_second` is how many messages a provider may get; 0 is no limit.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sidecar.config_section import Rate, Section

Port = Annotated[int, Meta(ge=1, le=65535)]
Security = Literal["starttls", "tls", "none"]
# section → its keys that are secret.
SECRETS = {
    "email": ("smtp_password",),
    "sms": ("secret",),
    "telegram": ("token",),
    "whatsapp": ("token",),
    "webhook": ("secret",),
}


class Email(Section, frozen=True):
    """`by`: auto is FluentCRM's queue where the plugin answers, else SMTP where it is set up. `smtp_from` is an address, or
    `Name <address>`."""

    by: Literal["auto", "fluentcrm", "smtp"] = "auto"
    smtp_host: str = ""
    smtp_port: Port = 587
    smtp_security: Security = "starttls"
    smtp_user: str = ""
    smtp_password: str = ""
    smtp_password_file: str = ""
    smtp_from: str = ""
    reply_to: str = ""
    per_second: Rate = 5.0


class Sms(Section, frozen=True):
    """An HTTP gateway: `preset` is one that comes along, `gateway` a file that describes another one."""

    preset: str = ""
    gateway: str = ""
    sender: str = ""
    account: str = ""
    secret: str = ""
    secret_file: str = ""
    per_second: Rate = 5.0


class Telegram(Section, frozen=True):
    """A bot. `chat_field` is the custom field of FluentCRM that holds a contact's chat id."""

    token: str = ""
    token_file: str = ""
    chat_field: str = ""
    api: str = "https://api.telegram.org"
    per_second: Rate = 20.0


class WhatsApp(Section, frozen=True):
    """The Cloud API. `language_codes`: how Meta names the language of templates, where that is not fa, pl, bg, en."""

    token: str = ""
    token_file: str = ""
    phone_number_id: str = ""
    version: str = "v23.0"
    api: str = "https://graph.facebook.com"
    language_codes: dict[str, str] = msgspec.field(default_factory=dict)
    per_second: Rate = 20.0


class Push(Section, frozen=True):
    """Web Push. `contact` (an e-mail address or an https address) is whom a push service writes to about trouble."""

    contact: str = ""
    ttl_hours: Annotated[int, Meta(ge=0, le=672)] = 48
    per_second: Rate = 50.0


class Webhook(Section, frozen=True):
    """Outgoing webhooks of automations. `private`: also to private addresses of the network; this machine is always allowed."""

    secret: str = ""
    secret_file: str = ""
    private: bool = False


class Channels(Section, frozen=True):
    """By which ways automations send. A section without its keys is a channel that there is not."""

    email: Email = Email()
    sms: Sms = Sms()
    telegram: Telegram = Telegram()
    whatsapp: WhatsApp = WhatsApp()
    push: Push = Push()
    webhook: Webhook = Webhook()
