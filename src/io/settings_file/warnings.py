"""Set-ups that are allowed and yet look like a mistake with real money: plain warnings.

A port or account id only hints at paper or live. What the login's accounts are decides later.
"""

from __future__ import annotations

from typing import Final

from src.base.accounts import is_paper_account
from src.base.settings import IbkrSettings

PLACEHOLDER: Final = "DU0000000"
_LIVE_PORTS: Final = (4001, 7496)
_PAPER_PORTS: Final = (4002, 7497)


def connection_warnings(ibkr: IbkrSettings) -> tuple[str, ...]:
    """Sentences for the preview about the [ibkr] section."""
    account = ibkr.account_id
    is_paper = is_paper_account(ibkr.account_id)
    warnings = []
    if account == PLACEHOLDER:
        warnings.append(
            f"account_id {account} is the sample's placeholder: put your own account there"
        )
    if is_paper and ibkr.port in _LIVE_PORTS:
        warnings.append(
            f"port {ibkr.port} is usually a LIVE session, but {account} is a paper account"
        )
    if not is_paper and ibkr.port in _PAPER_PORTS:
        warnings.append(
            f"port {ibkr.port} is usually a paper session, but {account} is a LIVE account"
        )
    if not is_paper and not ibkr.allow_live:
        warnings.append(
            f"{account} is a LIVE account and allow_live is false: orders will be refused"
        )
    if not is_paper and ibkr.allow_live and not ibkr.read_only:
        warnings.append(
            f"{account} is a LIVE account and allow_live is true: orders use real money"
        )
    if not _is_loopback(ibkr.host):
        warnings.append(
            f"host {ibkr.host} is another machine: the connection is not encrypted, "
            "and whoever controls the network between can read and change it"
        )
    return tuple(warnings)


def _is_loopback(host: str) -> bool:
    return host.lower() == "localhost" or host == "::1" or host.startswith("127.")
