"""Test sends: each message of an automation to the owner, by the channel that customers get it by. Nothing is counted: there is no
enrolment, no message of the log, no cap."""

from __future__ import annotations

import secrets

import msgspec

from sidecar.automations.channels.model import Handed, Outgoing
from sidecar.automations.channels.registry import Channels
from sidecar.automations.messages import language as languages
from sidecar.automations.messages import links, site
from sidecar.automations.messages.preview import preview
from sidecar.automations.model import Automation, Send
from sidecar.automations.place import Place
from sidecar.errors import ConfigError, UsageError
from sidecar.people.identity import Registry
from sidecar.values import email as emails

MARK = "[TEST] "


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """A message: whether it went, and what would keep it from a customer (`problems`)."""

    step: str
    language: str
    subject: str
    state: str
    reason: str = ""
    problems: tuple[str, ...] = ()


def trial(place: Place, automation: Automation, to: str, language: str = "") -> list[Tried]:
    """Send them all. To a contact with their own data, else with an example. Raises UsageError for what is no address, ConfigError
    when no e-mail can be sent to it, StoreUnavailable."""
    identity = emails.identity(to)
    if identity is None or emails.problem(identity) is not None:
        raise UsageError("--to is no e-mail address", hint="write it like --to me@example.com")
    channels = place.reach
    provider = channels.available().get("email") if isinstance(channels, Channels) else None
    if provider is None:
        raise ConfigError(
            "no e-mail can be sent",
            hint="pair the plugin (`sidecar pair`), or set [channels.email] smtp_host and smtp_from",
        )
    queue = provider.name == "fluentcrm"
    person, contact = _contact(place, identity)
    if queue and not contact:
        raise ConfigError(
            "FluentCRM sends to contacts only, and this address is none",
            hint="add yourself as a contact in FluentCRM and run `sidecar sync`, or set [channels.email] by = \"smtp\"",
        )  # fmt: skip
    known = site.load(place.reader)
    way = links.Links(home=known.shop.url, key=links.key_of(place.reader), now=place.now, contact=contact)
    out = "" if queue else way.unsubscribe()
    found = []
    for step in automation.steps:
        if not isinstance(step, Send):
            continue
        spoken = language or languages.choose(tuple(step.texts), known.locale)
        made = preview(place.config, place.state, automation, step.id, spoken, contact or None, standalone=not queue)
        subject = f"{MARK}{made.subject}"
        if not made.html:
            found.append(Tried(step=step.id, language=spoken, subject=subject, state="refused", reason="no text of an e-mail", problems=made.problems))  # fmt: skip
            continue
        # Who is no contact has nothing to unsubscribe from; a provider asks for that with marketing.
        message = Outgoing(
            key=secrets.token_urlsafe(16), channel="email", person_id=person, contact_id=contact, to=to.strip(), language=spoken,
            purpose=step.purpose if queue or out else "service", container=f"test/{automation.name}/{step.id}", title=f"{MARK}{step.title or automation.title}",
            subject=subject, preheader=made.preheader, html=made.html, text=made.text,
            unsubscribe=out if step.purpose == "marketing" else "",
        )  # fmt: skip
        outcome = next(iter(provider.send([message])), Handed(key=message.key, state="unsure"))
        found.append(
            Tried(
                step=step.id, language=spoken, subject=subject, state=outcome.state, reason=outcome.reason, problems=made.problems
            )
        )  # fmt: skip
    return found


def _contact(place: Place, identity: str) -> tuple[int, int]:
    """(person, contact) of an address, 0 where there is none."""
    key = place.state.key(identity)
    person = Registry(place.state).find([key]).get(key)
    rows = place.state.rows("SELECT COALESCE(contact_id, 0) FROM person WHERE id = ?", (person,)) if person else []
    return (person or 0, rows[0][0]) if rows else (0, 0)
