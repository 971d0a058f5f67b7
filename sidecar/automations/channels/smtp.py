"""E-mail by SMTP, where there is no plugin to ask: text and HTML, one-click unsubscribe (RFC 8058), and never a second copy of
what a server may have taken."""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import parseaddr
from typing import TYPE_CHECKING

from msgspec import structs

from sidecar import clock
from sidecar.automations.channels.model import NOBODY, Handed, Outgoing, Report, each
from sidecar.automations.channels.texts import line, whole
from sidecar.automations.model import ChannelName
from sidecar.config_channels import Email

if TYPE_CHECKING:  # some megabytes that a service which sends nothing need not carry
    from smtplib import SMTP

_CONNECT, _ANSWER = 10.0, 30.0
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\\\"@\x00-\x1f\x7f]{1,64}@[^\s<>()\[\],;:\\\"@\x00-\x1f\x7f]{1,190}")
_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
# With the name of its header it is one line (RFC 5322: 998).
_LINK = re.compile(r"https?://[!-;=?-~]{3,900}")
# A line of a message that begins with a dot gets a second one (RFC 5321 4.5.2).
# What stands after a 550 to the recipient: RFC 3463's 5.1.x is about the address, 5.7.x and the like about us; without one it is plain.
_NOBODY = re.compile(rb"5\.1\.|(?!\d\.\d)")
_DOTS = re.compile(rb"^\.", re.MULTILINE)


class Unfit(Exception):
    """A message that must not go; the sentence names nobody."""


class Smtp:
    """One mail server. Its connection lasts for one batch."""

    name = "smtp"
    channel: ChannelName = "email"
    knows_keys = False
    most = 50
    tells = 0

    def __init__(self, config: Email) -> None:
        self._config = config

    def send(self, batch: Sequence[Outgoing]) -> list[Handed]:
        """Hand over one after another on one connection."""
        from smtplib import SMTPAuthenticationError, SMTPException, SMTPNotSupportedError

        from sidecar import mailing

        config = self._config
        where = (config.smtp_host, config.smtp_port, config.smtp_security, config.smtp_user, config.smtp_password)
        trouble, fatal = "", False
        try:
            server = mailing.connect(*where, timeout=_CONNECT)
        except SMTPAuthenticationError as error:
            # 454 and 4xx: it cannot say now. 5xx: it knows, and the answer is no.
            trouble, fatal = f"the mail server refuses the login ({error.smtp_code})", error.smtp_code >= 500
        except SMTPNotSupportedError:
            trouble, fatal = "the mail server does not offer the encryption or the login that is set", True
        except (SMTPException, OSError, ValueError) as error:
            trouble = f"the mail server cannot be reached ({type(error).__name__})"
        if trouble:
            return [Handed(key=one.key, state="again", reason=trouble, fatal=fatal, down=not fatal) for one in batch]
        if server.sock is not None:
            # A server that looks for viruses takes its time.
            server.sock.settimeout(_ANSWER)
        try:
            return each(batch, lambda message: self._one(server, message))
        finally:
            try:
                server.quit()
            except (SMTPException, OSError):
                server.close()

    def reports(self, refs: Sequence[str], since: int) -> list[Report]:
        """A mail server tells nothing later."""
        return []

    def _one(self, server: SMTP, message: Outgoing) -> Handed:
        from email.errors import MessageError
        from smtplib import SMTPException

        try:
            to = addressed(message.to)
            data = compose(self._config, message)
        except Unfit as error:
            return Handed(key=message.key, state="refused", reason=str(error))
        except (ValueError, IndexError, MessageError) as error:
            return Handed(
                key=message.key, state="refused", reason=f"it cannot be written as an e-mail ({type(error).__name__})"
            )
        ascii_ = to.isascii()
        if not ascii_ and not server.has_extn("smtputf8"):
            return Handed(key=message.key, state="refused", reason="the mail server does not know such addresses")
        try:
            code, _ = server.mail(parseaddr(self._config.smtp_from)[1], () if ascii_ else ("SMTPUTF8", "BODY=8BITMIME"))
            if code >= 400:
                return self._no(server, message.key, code, "mail")
            code, said = server.rcpt(to)
            if code >= 400:
                refused = self._no(server, message.key, code, "rcpt")
                nobody = code == 550 and _NOBODY.match(said)
                return structs.replace(refused, reason=NOBODY, gone=True) if nobody else refused
            code, _ = server.docmd("DATA")
            if code != 354:
                return self._no(server, message.key, code, "data")
            server.send(_DOTS.sub(b"..", data) + b".\r\n")
        except (SMTPException, OSError):
            # It has not had the end of the message, so it has not taken it.
            server.close()
            return Handed(key=message.key, state="again", reason="the mail server hung up", down=True)
        try:
            code, _ = server.getreply()
        except (SMTPException, OSError):
            server.close()
            return Handed(
                key=message.key, state="unsure", reason="the mail server hung up before it said yes or no", down=True
            )
        if code >= 400:
            return self._no(server, message.key, code, "end")
        if not 200 <= code < 300:
            return Handed(key=message.key, state="unsure", reason="the mail server said neither yes nor no", down=True)
        return Handed(key=message.key, state="sent")

    def _no(self, server: SMTP, key: str, code: int, verb: str) -> Handed:
        """What a refusal means: 421 is the whole server, 4xx is for now, 5xx is for good."""
        from smtplib import SMTPException

        if code == 421:
            server.close()
            return Handed(key=key, state="again", reason="the mail server closes (421)", down=True)
        try:
            server.rset()
        except (SMTPException, OSError):
            server.close()
        if code < 500:
            return Handed(key=key, state="again", reason=f"the mail server says not now ({code})")
        if verb == "mail" or code == 530:
            return Handed(key=key, state="again", reason=f"the mail server refuses the sender ({code})", fatal=True)
        return Handed(key=key, state="refused", reason=f"the mail server refuses it ({code})")


def compose(config: Email, message: Outgoing) -> bytes:
    """The whole message with CRLF. Raises Unfit for one that must not go, ValueError and the like for what is no e-mail."""
    to = addressed(message.to)
    if not _KEY.fullmatch(message.key):
        raise Unfit("the key cannot be part of a Message-ID")
    if (message.purpose == "marketing" or message.unsubscribe) and not _LINK.fullmatch(message.unsubscribe):
        raise Unfit("a marketing e-mail without a link to unsubscribe")
    from email.headerregistry import Address
    from email.policy import SMTP, SMTPUTF8
    from email.utils import format_datetime

    name, sender = parseaddr(line(config.smtp_from))
    made = EmailMessage(policy=SMTP if to.isascii() else SMTPUTF8)
    made["From"] = Address(display_name=name, addr_spec=sender)
    made["To"] = Address(addr_spec=to) if to.isascii() else to
    if config.reply_to:
        made["Reply-To"] = Address(addr_spec=config.reply_to)
    made["Subject"] = line(message.subject)
    made["Date"] = format_datetime(clock.now())
    made["Message-ID"] = f"<{message.key}@{sender.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    if message.unsubscribe:
        made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    made.set_content(whole(message.text), cte="base64")
    if message.html:
        made.add_alternative(whole(message.html), subtype="html", cte="base64")
    # Last: what is made of the content would take it along into the first part.
    made["Content-Language"] = line(message.language)
    # By hand: a line of more than 78 letters would be broken up by RFC 2047, and no mail program finds a link in that.
    way_out = f"List-Unsubscribe: <{message.unsubscribe}>\r\n".encode("ascii") if message.unsubscribe else b""
    return way_out + made.as_bytes()


def addressed(address: str) -> str:
    """The address as mail servers take it: a domain of other letters in its ASCII form. Raises Unfit."""
    if not _ADDRESS.fullmatch(address):
        raise Unfit("that is no e-mail address")
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{domain if domain.isascii() else domain.encode('idna').decode('ascii')}"
    except UnicodeError as error:
        raise Unfit("that is no e-mail address") from error
