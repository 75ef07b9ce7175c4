"""Scenario files that only say what differs from the sample account."""

from __future__ import annotations

_BASE_KEYS = ("accounts", "contracts", "usd_rates")


def lay_over_sample(data: dict[str, object], sample: object) -> dict[str, object]:
    """``data`` with accounts, contracts and rates of the sample where it gives none.

    A contract in ``data`` replaces single keys of the sample's contract of the same ``con_id``, or
    of the stock with the same symbol; any other is a further one. What is malformed stays as it is,
    for the reader to complain about.
    """
    whole = sample if isinstance(sample, dict) else {}
    base = {key: whole[key] for key in _BASE_KEYS if key in whole}
    merged = {**base, **data}
    given, known = data.get("contracts"), base.get("contracts")
    if isinstance(given, list) and isinstance(known, list):
        merged["contracts"] = _lay_over_contracts(given, known)
    return merged


def _lay_over_contracts(given: list[object], known: list[object]) -> list[object]:
    contracts = list(known)
    for item in given:
        same = [other for other in contracts if _is_same(item, other)]
        if isinstance(item, dict) and len(same) == 1 and isinstance(same[0], dict):
            contracts[contracts.index(same[0])] = {**same[0], **item}
        else:
            contracts.append(item)
    return contracts


def _is_same(item: object, other: object) -> bool:
    if not isinstance(item, dict) or not isinstance(other, dict):
        return False
    if "con_id" in item:
        return bool(item["con_id"] == other.get("con_id"))
    is_stock = "STK" == item.get("sec_type", "STK") == other.get("sec_type", "STK")
    return is_stock and "symbol" in item and item["symbol"] == other.get("symbol")
