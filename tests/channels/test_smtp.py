"""E-mail by SMTP, against real servers."""

from __future__ import annotations

import asyncio
import email
import socket
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from outgoing import TEXTS, authority, message

from sidecar.automations.channels.smtp import Smtp
from sidecar.config_channels import Email

START = Callable[..., tuple[Email, "Inbox"]]


class Inbox:
    """A mail server's own view. `says` decides by step: the answer to RCPT, and to the end of DATA."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.logins: list[str] = []
        self.mail, self.rcpt, self.end = "", "", ""
        self.drop = ""

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if self.mail:
            return self.mail
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if self.drop == "rcpt":
            server.transport.abort()
        if self.rcpt and address.startswith("sara"):
            return self.rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        if self.drop == "before":
            server.transport.abort()
            return "250 OK"
        if not self.end:
            self.taken.append(envelope.original_content)
        if self.drop == "after":
            # It has taken the message; its answer is lost.
            server.transport.abort()
            await asyncio.sleep(0)
        return self.end or "250 OK"

    def read(self, at: int = 0) -> EmailMessage:
        found = email.message_from_bytes(self.taken[at], policy=default)
        assert isinstance(found, EmailMessage)
        return found


@pytest.fixture
def start() -> Iterator[START]:
    running = []

    def make(**options: Any) -> tuple[Email, Inbox]:
        inbox = Inbox()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        controller = Controller(inbox, hostname="127.0.0.1", port=port, **options)
        controller.start()
        running.append(controller)
        return Email(
            smtp_host="127.0.0.1", smtp_port=port, smtp_security="none", smtp_from="Kawa i książki <shop@example.com>"
        ), inbox

    yield make
    for controller in running:
        controller.stop()


def test_a_message_as_a_client_reads_it(start: START) -> None:
    config, inbox = start()
    config = msgspec.structs.replace(config, reply_to="help@example.com")
    found = Smtp(config).send(
        [message(subject="یادآوری سبد خرید", language="fa", text="سلام", html='<p dir="rtl">سلام</p>')]
    )
    assert [one.state for one in found] == ["sent"]
    got = inbox.read()
    assert got.get_content_type() == "multipart/alternative"
    parts = [(part.get_content_type(), part.get_content().strip()) for part in got.iter_parts()]
    assert parts == [("text/plain", "سلام"), ("text/html", '<p dir="rtl">سلام</p>')]
    assert got["Subject"] == "یادآوری سبد خرید"
    assert got["From"] == "Kawa i książki <shop@example.com>"
    assert (got["To"], got["Reply-To"], got["Content-Language"]) == ("sara@example.org", "help@example.com", "fa")
    assert got["Message-ID"] == "<key-00000001@example.com>"
    assert got["List-Unsubscribe"] == "<https://shop.example/?fcsc=u.1.2.email.sig>"
    assert got["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert b"\r\n" in inbox.taken[0]
    assert max(len(line) for line in inbox.taken[0].split(b"\r\n")) <= 998
    inbox.taken[0].decode("ascii")


def test_the_link_to_unsubscribe_is_one_that_mail_programs_find(start: START) -> None:
    """RFC 8058: as long as a signed link is, and not in pieces of RFC 2047, which nobody decodes there."""
    config, inbox = start()
    link = f"https://the-shop-of-the-family.example/?fcsc=u.123456.1800000000.email.{'x' * 22}"
    assert Smtp(config).send([message(unsubscribe=link)])[0].state == "sent"
    assert f"List-Unsubscribe: <{link}>\r\n".encode() in inbox.taken[0]
    assert Smtp(config).send([message(unsubscribe=link + "y" * 900)])[0].state == "refused"


@pytest.mark.parametrize("text", TEXTS)
def test_hostile_texts_stay_texts(start: START, text: str) -> None:
    config, inbox = start()
    found = Smtp(config).send([message(subject=text, text=text, html=f"<p>{text}</p>")])
    assert [one.state for one in found] == ["sent"]
    got = inbox.read()
    assert got.defects == []
    assert sorted(name.lower() for name, _ in got.items()) == [
        "auto-submitted", "content-language", "content-type", "date", "from", "list-unsubscribe", "list-unsubscribe-post",
        "message-id", "mime-version", "subject", "to",
    ]  # fmt: skip
    plain, html = (part.get_content() for part in got.iter_parts())
    wanted = text.replace("\x00", "").replace("\ud83d", "?")
    assert plain.split() == wanted.split()
    assert html.split() == f"<p>{wanted}</p>".split()


@pytest.mark.parametrize(
    "to",
    [
        "",
        "sara",
        "a@b@c",
        "a b@example.org",
        "<a@example.org>",
        "a@example.org\r\nRCPT TO:<b@example.org>",
        "a@x,b@example.org",
        '"a"@example.org',
        "a@\u2028x",
    ],
)
def test_what_is_no_address_is_refused_before_the_server_hears_of_it(start: START, to: str) -> None:
    config, inbox = start()
    found = Smtp(config).send([message(to=to), message(2)])
    assert [one.state for one in found] == ["refused", "sent"]
    assert to not in found[0].reason or not to
    assert inbox.read()["To"] == "sara@example.org"


def test_a_domain_of_other_letters_goes_out_in_ascii(start: START) -> None:
    config, inbox = start(enable_SMTPUTF8=False)
    assert Smtp(config).send([message(to="sara@bücher.example")])[0].state == "sent"
    assert inbox.read()["To"] == "sara@xn--bcher-kva.example"
    assert Smtp(config).send([message(to="зара@example.org")])[0].state == "refused"


def test_a_server_that_knows_other_letters_gets_them(start: START) -> None:
    config, inbox = start(enable_SMTPUTF8=True)
    assert Smtp(config).send([message(to="зара@example.org")])[0].state == "sent"
    assert inbox.read()["To"] == "зара@example.org"


@pytest.mark.parametrize("link", ["", "javascript:alert(1)", "https://x\r\nBcc: a@b.c", "https://x y"])
def test_marketing_without_a_way_out_is_refused(start: START, link: str) -> None:
    config, inbox = start()
    assert Smtp(config).send([message(unsubscribe=link)])[0].state == "refused"
    assert inbox.taken == []
    assert Smtp(config).send([message(unsubscribe="", purpose="service")])[0].state == "sent"
    assert "List-Unsubscribe" not in inbox.read()


@pytest.mark.parametrize(
    ("step", "answer", "wanted"),
    [
        ("rcpt", "450 greylisted", ("again", False, False, False)),
        ("rcpt", "550 no such user", ("refused", False, False, True)),
        ("rcpt", "550 5.1.1 no such user", ("refused", False, False, True)),
        ("rcpt", "550 5.7.1 your address is on a list", ("refused", False, False, False)),
        ("rcpt", "554 not wanted", ("refused", False, False, False)),
        ("end", "451 try later", ("again", False, False, False)),
        ("end", "554 looks like spam", ("refused", False, False, False)),
        ("mail", "553 not your address", ("again", True, False, False)),
        ("mail", "452 busy", ("again", False, False, False)),
        ("rcpt", "421 closing", ("again", False, True, False)),
        ("end", "354 go on", ("unsure", False, True, False)),
    ],
)  # fmt: skip
def test_what_a_server_says_no_to(start: START, step: str, answer: str, wanted: tuple[str, bool, bool, bool]) -> None:
    config, inbox = start()
    setattr(inbox, step, answer)
    first, second = Smtp(config).send([message(), message(2, to="bob@example.org")])
    assert (first.state, first.fatal, first.down, first.gone) == wanted
    if step == "rcpt" and not first.down:
        # Another recipient on the same connection is none the worse for it.
        assert second.state == "sent"
        assert len(inbox.taken) == 1
    if first.fatal or first.down:
        assert second.state == "again"
    assert "sara" not in first.reason


@pytest.mark.parametrize(
    ("drop", "state", "taken"), [("rcpt", "again", 0), ("before", "unsure", 0), ("after", "unsure", 1)]
)
def test_a_server_that_hangs_up(start: START, drop: str, state: str, taken: int) -> None:
    """Once the end of the message is out nobody can tell: it is never sent again."""
    config, inbox = start()
    inbox.drop = drop
    found = Smtp(config).send([message(), message(2)])
    assert [(one.state, one.down) for one in found] == [(state, True), ("again", False)]
    assert len(inbox.taken) == taken


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        config = Email(smtp_host="127.0.0.1", smtp_port=free.getsockname()[1], smtp_from="shop@example.com")
        found = Smtp(config).send([message(), message(2)])
    assert [(one.state, one.down, one.fatal) for one in found] == [("again", True, False)] * 2


class Login:
    """Knows one password."""

    def __call__(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        return AuthResult(success=data.password == b"right" and data.login == b"shop", handled=False)


def test_starttls_and_login(start: START, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cert, context = authority(tmp_path)
    options = {"tls_context": context, "require_starttls": True, "authenticator": Login(), "auth_required": True}
    config, inbox = start(**options)
    config = msgspec.structs.replace(config, smtp_security="starttls", smtp_user="shop", smtp_password="right")
    # Nobody vouches for the certificate.
    found = Smtp(config).send([message()])
    assert [(one.state, one.down) for one in found] == [("again", True)]
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    assert Smtp(config).send([message()])[0].state == "sent"
    assert len(inbox.taken) == 1
    wrong = msgspec.structs.replace(config, smtp_password="wrong-secret")
    found = Smtp(wrong).send([message(2), message(3)])
    assert [(one.state, one.fatal) for one in found] == [("again", True)] * 2
    assert "wrong-secret" not in repr(found) + repr(wrong) + str(vars(Smtp(wrong)))
    plain = msgspec.structs.replace(config, smtp_security="none", smtp_user="")
    assert Smtp(plain).send([message(4)])[0].state == "again"  # 530: encryption first
    assert len(inbox.taken) == 1


def test_a_server_without_encryption_gets_nothing(start: START) -> None:
    config, inbox = start()
    config = msgspec.structs.replace(config, smtp_security="starttls")
    found = Smtp(config).send([message()])
    assert (found[0].state, found[0].fatal) == ("again", True)
    assert inbox.taken == []


def test_alerts_go_by_the_same_way(start: START) -> None:
    from sidecar import alerts
    from sidecar.config import Alerts

    config, inbox = start()
    told = alerts.test(
        Alerts(
            smtp_host="127.0.0.1",
            smtp_port=config.smtp_port,
            smtp_security="none",
            smtp_from="a@b.example",
            smtp_to=("me@b.example",),
        )
    )
    assert told.failed == []
    assert "alerts arrive here" in inbox.read().get_content()
