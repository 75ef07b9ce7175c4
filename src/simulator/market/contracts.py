"""The instruments of the simulated exchange: finding them, describing them, market rules.

A request may name an instrument by contract id or local symbol alone, or by symbol with its
security type; every other field that is given has to agree. What is not found is error 200, and so
is anything by ISIN or another foreign id: none are known here.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from src.simulator.market.prices import Market
from src.simulator.messages.market import (
    ContractDetails,
    ContractDetailsEnd,
    MarketRule,
    PriceIncrement,
    SecTypeName,
    SymbolSample,
    SymbolSamples,
)
from src.simulator.messages.orders import ContractKey
from src.simulator.messages.requests import (
    ReqContractDetails,
    ReqMarketRule,
    ReqMatchingSymbols,
    Request,
)
from src.simulator.outbox.delivery import Delivery, complain, deliver, invalid
from src.simulator.scenario.records import ContractSetup, Scenario

NOT_FOUND = "No security definition has been found for the request"
_MOST_SAMPLES = 16
_SAME_VENUE = {"ISLAND": "NASDAQ"}
_ORDER_TYPES = (
    "ACTIVETIM,AD,ADDONT,ADJUST,ALERT,{algo}ALLOC,AON,AVGCOST,BASKET,BENCHPX,CASHQTY,COND,"
    "CONDORDER,DARKONLY,DARKPOLL,DAY,DEACT,DEACTDIS,DEACTEOD,DIS,DUR,GAT,GTC,GTD,GTT,HID,IBKRATS,"
    "ICE,IMB,IOC,LIT,LMT,LOC,{midprice}MIT,MKT,MOC,MTL,NGCOMB,NODARK,NONALGO,OCA,OPG,OPGREROUT,"
    "PEGBENCH,PEGMID,POSTATS,POSTONLY,PREOPGRTH,PRICECHK,REL,REL2MID,RELPCTOFS,RPI,RTH,SCALE,"
    "SCALEODD,SCALERST,SIZECHK,SNAPMID,SNAPMKT,SNAPREL,STP,STPLMT,SWEEP,TRAIL,TRAILLIT,TRAILLMT,"
    "TRAILMIT,WHATIF"
)


class ContractDesk:
    """Answers questions about instruments."""

    def __init__(self, scenario: Scenario, market: Market) -> None:
        self._contracts = tuple(one for one in scenario.contracts if not one.is_delisted)
        self._market = market
        self._by_id = {contract.con_id: contract for contract in self._contracts}

    def find(self, key: ContractKey) -> list[ContractSetup]:
        """All contracts that agree with every field given; none without an id or a symbol."""
        if not (key.con_id or key.symbol or key.local_symbol):
            return []
        if key.con_id:
            named = self._by_id.get(key.con_id)
            return [named] if named is not None and _trades_on(named, key.exchange) else []
        return [contract for contract in self._contracts if _agrees(contract, key)]

    def handle(self, client_id: int, request: Request, now: datetime) -> list[Delivery]:
        """Answer a request about instruments; nothing for any other request."""
        match request:
            case ReqContractDetails():
                return self._details(client_id, request, now)
            case ReqMatchingSymbols():
                return deliver(client_id, self._samples(request))
            case ReqMarketRule():
                return self._market_rule(client_id, request.rule_id)
        return []

    def _details(
        self, client_id: int, request: ReqContractDetails, now: datetime
    ) -> list[Delivery]:
        key, req_id = request.contract, request.req_id
        if not (key.con_id or key.local_symbol or key.sec_type):
            return invalid(client_id, req_id, "Please enter a valid security type")
        is_foreign = request.sec_id or request.issuer_id
        found = [] if is_foreign else self.find(key)
        if not found:
            return complain(client_id, req_id, 200, NOT_FOUND)
        rows = [
            self._describe(contract, venue, req_id, now)
            for contract in found
            for venue in _venues(contract, key)
        ]
        return deliver(client_id, *rows, ContractDetailsEnd(req_id=req_id))

    def _describe(
        self, contract: ContractSetup, venue: str, req_id: int, now: datetime
    ) -> ContractDetails:
        hours = self._market.hours(contract, now)
        key = contract_key(contract, venue)
        if contract.details_con_id is not None:
            key = key._replace(con_id=contract.details_con_id)
        if contract.details_symbol is not None:
            key = key._replace(symbol=contract.details_symbol)
        venues = len(contract.valid_exchanges)
        return ContractDetails(
            req_id=req_id,
            contract=key,
            market_name=key.trading_class,
            min_tick=contract.min_tick,
            order_types=_order_types(contract),
            valid_exchanges=",".join(contract.valid_exchanges),
            long_name=contract.long_name,
            contract_month=contract.last_trade_date[:6],
            time_zone_id=(
                contract.time_zone
                if contract.details_time_zone is None
                else contract.details_time_zone
            ),
            trading_hours=hours.trading,
            liquid_hours=hours.liquid,
            agg_group=1,
            under_symbol=contract.symbol if contract.sec_type == "OPT" else "",
            under_sec_type="STK" if contract.sec_type == "OPT" else "",
            market_rule_ids=",".join([str(contract.market_rule_id)] * venues),
            real_expiration_date=contract.last_trade_date,
            stock_type=contract.stock_type,
            min_size=contract.size_increment,
            size_increment=contract.size_increment,
            suggested_size_increment=Decimal(100),
        )

    def _samples(self, request: ReqMatchingSymbols) -> SymbolSamples:
        wanted = request.pattern.strip().upper()
        stocks = [contract for contract in self._contracts if contract.sec_type == "STK"]
        near = [c for c in stocks if wanted and _resembles(c, wanted)]
        near.sort(key=lambda c: (c.symbol != wanted, not c.symbol.startswith(wanted), c.symbol))
        return SymbolSamples(
            req_id=request.req_id,
            samples=tuple(self._sample(contract) for contract in near[:_MOST_SAMPLES]),
        )

    def _sample(self, contract: ContractSetup) -> SymbolSample:
        has_options = any(
            other.sec_type == "OPT" and other.symbol == contract.symbol for other in self._contracts
        )
        return SymbolSample(
            con_id=contract.con_id,
            symbol=contract.symbol,
            sec_type=contract.sec_type,
            primary_exchange=contract.primary_exchange,
            currency=contract.currency,
            derivative_sec_types=(SecTypeName(name="OPT"),) if has_options else (),
            description=contract.long_name,
        )

    def _market_rule(self, client_id: int, rule_id: int) -> list[Delivery]:
        """The rule; an unknown one is empty, for an error without a request id ends no call."""
        ticks = [c.min_tick for c in self._contracts if c.market_rule_id == rule_id]
        steps = (PriceIncrement(low_edge=Decimal(0), increment=min(ticks)),) if ticks else ()
        return deliver(client_id, MarketRule(rule_id=rule_id, increments=steps))


def contract_key(contract: ContractSetup, exchange: str) -> ContractKey:
    """The contract as messages name it, on ``exchange``."""
    return ContractKey(
        con_id=contract.con_id,
        symbol=contract.symbol,
        sec_type=contract.sec_type,
        last_trade_date=contract.last_trade_date,
        strike=contract.strike,
        right=contract.right,
        multiplier=contract.multiplier,
        exchange=exchange,
        primary_exchange=contract.primary_exchange,
        currency=contract.currency,
        local_symbol=contract.local_symbol or contract.symbol,
        trading_class=contract.trading_class or contract.symbol,
    )


def _venues(contract: ContractSetup, key: ContractKey) -> tuple[str, ...]:
    """Where the rows are of: every venue if a symbol comes without one, else one row."""
    if key.exchange:
        return (key.exchange,)
    is_one = key.con_id or key.local_symbol
    return contract.valid_exchanges[:1] if is_one else contract.valid_exchanges


def _agrees(contract: ContractSetup, key: ContractKey) -> bool:
    if not _trades_on(contract, key.exchange):
        return False
    own = contract_key(contract, key.exchange)
    given = (
        (key.symbol.upper(), own.symbol.upper()),
        (key.local_symbol, own.local_symbol),
        (key.sec_type, own.sec_type),
        (key.currency, own.currency),
        (_venue(key.primary_exchange), _venue(own.primary_exchange)),
        (key.right[:1].replace("?", "").replace("0", ""), own.right),
        (key.multiplier, own.multiplier),
        (key.trading_class, own.trading_class),
        (key.strike, own.strike),
    )
    return all(not wanted or wanted == actual for wanted, actual in given) and (
        own.last_trade_date.startswith(key.last_trade_date)
    )


def _trades_on(contract: ContractSetup, exchange: str) -> bool:
    return not exchange or _venue(exchange) in map(_venue, contract.valid_exchanges)


def _venue(name: str) -> str:
    return _SAME_VENUE.get(name.upper(), name.upper())


def _resembles(contract: ContractSetup, wanted: str) -> bool:
    return contract.symbol.startswith(wanted) or wanted in contract.long_name.upper()


def _order_types(contract: ContractSetup) -> str:
    return _ORDER_TYPES.format(
        algo="ALGO," if contract.algos else "", midprice="MIDPX," if contract.midprice else ""
    )
