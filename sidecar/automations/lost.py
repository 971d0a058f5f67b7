"""Messages whose handing over was cut off: what became of them, and whether they may have gone. Nobody gets one twice."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Literal

import msgspec

from sidecar.automations import handing
from sidecar.automations.channels.model import Handed
from sidecar.automations.enrolments import LEASE_MS
from sidecar.automations.handing import Message
from sidecar.automations.place import Place
from sidecar.automations.worked import Worked

log = logging.getLogger(__name__)

# Seconds until a channel that could not be asked is asked again.
ASK_AGAIN = 60
# The plugin remembers keys for 30 days (Tables::SENT_DAYS), SMSAPI (check_idx) for one.
_KEPT_MS = 28 * 86_400_000
_KEPT_SHORTER = {"smsapi": 20 * 3_600_000}


def ask(place: Place, cut_off: Sequence[Message]) -> dict[str, Handed]:
    """What became of messages whose handing over was cut off. `again` with a `wait`: the channel cannot be asked now; without one: it
    knows keys and not this one, so that it may be handed over under the same key. Of whom nobody knows anything it is
    `unsure`."""
    if not cut_off:
        return {}
    try:
        known = place.effects.asked([message.key for message in cut_off])
    except Exception:
        log.exception("channels could not be asked about messages")
        return {one.key: Handed(key=one.key, state="again", reason="not_asked", wait=ASK_AGAIN) for one in cut_off}
    found = {}
    for message in cut_off:
        knows = place.reach.knows(message.provider) and not forgotten(place, message)
        lost: Literal["again", "unsure"] = "again" if knows else "unsure"
        answer = known.get(message.key)
        if answer is None or (answer.state == "again" and forgotten(place, message)):
            answer = Handed(key=message.key, state=lost, reason="cut_off")
        found[message.key] = answer
    return found


def settle_left(place: Place, worked: Worked) -> None:
    """Messages that were being handed over for an enrolment that has ended since: nobody comes to them any more."""
    answers = ask(place, handing.left(place.state, place.now * 1000 - LEASE_MS))
    settled = [
        msgspec.structs.replace(one, state="unsure") if one.state == "again" else one
        for one in answers.values()
        if one.wait <= 0
    ]
    if settled:
        now_ms = place.tick()
        with place.state.transaction() as sql:
            handing.handed(sql, settled, now_ms)
        worked.unsure += sum(one.state == "unsure" for one in settled)


def forgotten(place: Place, message: Message) -> bool:
    """Whether a provider that knows keys may have forgotten this one: that it does not know it then says nothing."""
    return message.decided < place.now * 1000 - _KEPT_SHORTER.get(message.provider, _KEPT_MS)


def maybe(place: Place, message: Message | None) -> bool:
    """Whether a message that nobody has confirmed may have gone: it was offered to a provider that knows keys, so that doing it again
    was not asked with much care."""
    if message is None or message.state not in ("again", "handing"):
        return False
    return bool(message.state == "handing" or message.reason) and place.reach.knows(message.provider)
