"""Opening a connection to a mail server, for alerts and for messages. Imported only where something is sent."""

from __future__ import annotations

import smtplib
import ssl
from typing import Literal


def connect(
    host: str,
    port: int,
    security: Literal["starttls", "tls", "none"],
    user: str = "",
    password: str = "",
    timeout: float = 10.0,
) -> smtplib.SMTP:
    """A connection that is encrypted and logged in as wanted; use it with `with`. Raises smtplib's errors and OSError."""
    if security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=timeout, context=ssl.create_default_context())
    else:
        server = smtplib.SMTP(host, port, timeout=timeout)
    try:
        if security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if user:
            server.login(user, password)
        server.ehlo_or_helo_if_needed()
    except BaseException:
        server.close()
        raise
    return server
