"""Requests for history and profit and loss: read from the wire, but refused by the exchange."""

from dataclasses import dataclass

from src.simulator.messages.orders import ComboLeg, ContractKey


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqHistoricalData:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelHistoricalData:
    """End one historical data request."""

    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqHeadTimestamp:
    """Date of the earliest bar."""

    req_id: int
    contract: ContractKey
    include_expired: bool = False
    use_rth: int = 0
    what_to_show: str = ""
    format_date: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqPnl:
    """Profit and loss of an account."""

    req_id: int
    account: str = ""
    model_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReqPnlSingle:
    """Profit and loss of one position."""

    req_id: int
    account: str = ""
    model_code: str = ""
    con_id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPnl:
    """End one ``ReqPnl``."""

    req_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPnlSingle:
    """End one ``ReqPnlSingle``."""

    req_id: int
