"""What the broker's message codes mean for an order: one table, nothing else decides.

A code is a hint about what to look for, never a status by itself: a refusal is believed once open
orders and executions show nothing, and a code that is not in the table means "ask the broker".

Source: the error-code list of the TWS API, completed by what gateways send in practice (10349 is
missing from the published list).
"""

from __future__ import annotations

from enum import Enum
from typing import Final


class CodeKind(str, Enum):
    """What a code says about the order, or the session, that it names."""

    INFO = "info"
    WARNING = "warning"
    PACING = "pacing"
    REJECTED = "order rejected"
    CANCELLED = "order cancelled"
    AMBIGUOUS = "ambiguous"
    SESSION_DOWN = "session down"
    SESSION_BACK_WITH_LOSS = "session back with loss"
    SESSION_BACK = "session back"


_KINDS: Final[dict[CodeKind, tuple[int, ...]]] = {
    # The order lives on; the text is worth keeping for the log only.
    CodeKind.INFO: (10167, 10349),
    # The order lives on; the text is shown: held until the open, attribute ignored, and the like.
    CodeKind.WARNING: (399, 404),
    CodeKind.PACING: (100,),
    CodeKind.REJECTED: (
        *(110, 163, 164, 200, 201, 203, 320, 321, 382, 383, 387, 388, 389),
        *(434, 435, 436, 439, 440, 441, 442, 443, 451, 460, 492, 10243, 10311, 10318),
    ),
    CodeKind.CANCELLED: (202,),
    # 103 may name an earlier order of ours; 161, 10147 and 10148 answer a cancel that came too
    # late or too early: none of them says what became of the order.
    CodeKind.AMBIGUOUS: (102, 103, 104, 105, 135, 136, 161, 10147, 10148),
    CodeKind.SESSION_DOWN: (1100, 1300, 2110, 504),
    CodeKind.SESSION_BACK_WITH_LOSS: (1101,),
    CodeKind.SESSION_BACK: (1102,),
}
_BY_CODE: Final[dict[int, CodeKind]] = {
    code: kind for kind, codes in _KINDS.items() for code in codes
}
_FARM_NOTICES: Final = range(2100, 2200)
_ALGO_REFUSALS: Final = frozenset({387, 439, 442})

GENERAL_REFUSAL: Final = 201
"""Refused for any reason, which only its text tells, in the language of the login."""

READ_ONLY_CODE: Final = 321
"""Answered to order messages while the gateway's API is in read-only mode (among other faults)."""

READ_ONLY_ADVICE: Final = "untick Read-Only API (Configure > API > Settings)"

ORDER_UNKNOWN: Final = (135, 10147)
"""Answered to a cancel of an order that the gateway does not know, or does not know yet."""

FEED_TAKEN: Final = 2101
"""Another program of this login is subscribed to a different account."""

FEED_TAKEN_ADVICE: Final = (
    "another program is subscribed to a different account of this login (2101); end it, let it "
    "follow this account, or list the accounts in sections [account:NAME]"
)


def classify(code: int) -> CodeKind:
    """Tell what a code means; an unknown one is ambiguous: verify by asking, never by guessing."""
    kind = _BY_CODE.get(code)
    if kind is not None:
        return kind
    return CodeKind.WARNING if code in _FARM_NOTICES else CodeKind.AMBIGUOUS


def says_read_only(code: int, text: str) -> bool:
    """Tell whether the API takes no orders at all, as far as the text says so.

    It does in English; in every language the gateway then refuses to list orders, too.
    """
    return code == READ_ONLY_CODE and "read-only" in text.lower()


def blames_algo(code: int, *, is_plain_refused: bool) -> bool:
    """Tell whether a refused order might be taken as a plain one, by its code in any language.

    201 covers everything from margin to permissions and algos. So it is tried once: as long as no
    plain order of the run was refused with it (``is_plain_refused``).
    """
    return code in _ALGO_REFUSALS or (code == GENERAL_REFUSAL and not is_plain_refused)
