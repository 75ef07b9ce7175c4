"""Requests for history and profit and loss: read from the wire, but refused by the exchange."""

from typing import NamedTuple

from src.simulator.messages.orders import ComboLeg, ContractKey


class ReqHistoricalData(NamedTuple):
    """Bars of the past."""

    req_id: int
    contract: ContractKey
    include_expired: bool = False
    end_date_time: str = ""
    bar_size: str = ""
    duration: str = ""
    use_rth: int = 0
    what_to_show: str = ""
    format_date: int = 1
    combo_legs: tuple[ComboLeg, ...] = ()
    keep_up_to_date: bool = False
    chart_options: str = ""


class CancelHistoricalData(NamedTuple):
    """End one historical data request."""

    req_id: int


class ReqHeadTimestamp(NamedTuple):
    """Date of the earliest bar."""

    req_id: int
    contract: ContractKey
    include_expired: bool = False
    use_rth: int = 0
    what_to_show: str = ""
    format_date: int = 1


class ReqPnl(NamedTuple):
    """Profit and loss of an account."""

    req_id: int
    account: str = ""
    model_code: str = ""


class ReqPnlSingle(NamedTuple):
    """Profit and loss of one position."""

    req_id: int
    account: str = ""
    model_code: str = ""
    con_id: int = 0


class CancelPnl(NamedTuple):
    """End one ``ReqPnl``."""

    req_id: int


class CancelPnlSingle(NamedTuple):
    """End one ``ReqPnlSingle``."""

    req_id: int
