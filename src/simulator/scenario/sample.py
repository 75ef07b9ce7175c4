"""Scenario files by name, and files that only say what differs from the sample account."""

from __future__ import annotations

import difflib
from pathlib import Path

from src.simulator.scenario.reader import ScenarioError, read_json

_DATA = Path(__file__).resolve().parents[3] / "data"
SAMPLE_ACCOUNT = _DATA / "simulated_account.json"
SCENARIOS = _DATA / "scenarios"
_KEPT_KEYS = ("kept_at", "accounts", "usd_rates", "orders")
_BASE_KEYS = ("accounts", "contracts", "usd_rates")


def find_scenario(name: str) -> Path:
    """The file of a scenario given by name or as a file; nothing given is the sample account.

    Raises: ScenarioError when there is neither.
    """
    if not name:
        return SAMPLE_ACCOUNT
    known = sorted(path.stem for path in SCENARIOS.glob("*.json"))
    if name in known:
        return SCENARIOS / f"{name}.json"
    file = Path(name)
    if file.is_file() or file.suffix or len(file.parts) > 1:
        return file
    near = difflib.get_close_matches(name.lower(), known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    raise ScenarioError(f"there is no scenario {ascii(name)[:60]}, nor a file of that name; {hint}")


def scenario_data(file: Path) -> object:
    """The JSON of a scenario file, laid over the sample account where it leaves that out.

    Raises: ScenarioError for what cannot be read.
    """
    data = read_json(file)
    if isinstance(data, dict) and not _stands_alone(data):
        return _lay_over(data, read_json(SAMPLE_ACCOUNT))
    return data


def _stands_alone(data: dict[str, object]) -> bool:
    """True with accounts and contracts of its own, none of which only changes one of the sample."""
    contracts = data.get("contracts")
    return "accounts" in data and not (
        contracts is None or (isinstance(contracts, list) and any(map(_is_change, contracts)))
    )


def _is_change(contract: object) -> bool:
    return isinstance(contract, dict) and not {"con_id", "price"} <= contract.keys()


def go_on_with(data: object, kept: object) -> object:
    """``data`` with the accounts, orders and prices that an earlier gateway left.

    Raises: ScenarioError for a file that no gateway wrote.
    """
    if not isinstance(data, dict) or not isinstance(kept, dict) or "kept_at" not in kept:
        raise ScenarioError("this is no account kept by --keep; name a new file")
    merged = {**data, **{key: kept[key] for key in _KEPT_KEYS if key in kept}}
    given, known = data.get("contracts"), kept.get("contracts")
    if isinstance(given, list) and isinstance(known, list):
        merged["contracts"] = _lay_over_contracts([_unpriced(one, known) for one in given], known)
    return merged


def _unpriced(item: object, known: list[object]) -> object:
    """A contract without its price, where ``known`` has one for it."""
    if isinstance(item, dict) and any(_is_same(item, other) for other in known):
        return {key: value for key, value in item.items() if key != "price"}
    return item


def _lay_over(data: dict[str, object], sample: object) -> dict[str, object]:
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
