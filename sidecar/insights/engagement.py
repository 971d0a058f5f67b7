"""How a contact answers to e-mails, as one number. Pure.

Over the newest 20 e-mails that were sent to them, the newest first (i = 0): a weight w = 0.9^i, and a value v of 1 when
it was clicked in, 0.6 when it was opened, 0 when it was neither.

    score = 100 * sum(w * v) / sum(w)

0: never an answer; 60: opens everything; 100: clicks in everything. What was answered last counts most: the newest e-mail
weighs seven times as much as the twentieth. Fewer than three e-mails say nothing yet.
"""

from __future__ import annotations

from typing import Final

NEWEST: Final = 20
LEAST: Final = 3
_FADES: Final = 0.9
_VALUES: Final = {"2": 1.0, "1": 0.6, "0": 0.0}


def score(answers: str) -> float | None:
    """0 to 100, to one decimal; None with fewer than three e-mails.

    `answers`: one character an e-mail, the newest first: 2 clicked, 1 opened, 0 neither.
    """
    newest = answers[:NEWEST]
    if len(newest) < LEAST:
        return None
    weights = [_FADES**number for number in range(len(newest))]
    reached = sum(weight * _VALUES[answer] for weight, answer in zip(weights, newest, strict=True))
    return round(100 * reached / sum(weights), 1)
