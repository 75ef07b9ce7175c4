"""Run the simulated gateway alone: ``python -m src.simulator --port 4002``.

Prints one ready line to stdout, logs to stderr, and stops on Ctrl+C or SIGTERM.
Exit codes: 0 stopped, 2 bad input (port in use, not a loopback address, unreadable file).
"""

import argparse
import asyncio
import contextlib
import difflib
import logging
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NoReturn, TextIO

from src.simulator.gateway.server import LOOPBACK_HOSTS, SimulatedGateway, utc_now
from src.simulator.keeping import begin, save_scenario
from src.simulator.scenario.records import (
    SAMPLE_ACCOUNT,
    Scenario,
    ScenarioError,
    find_scenario,
    load_scenario,
)

DONE = 0
BAD_INPUT = 2
MAX_PORT = 65535
MAX_LATENCY_MS = 600_000
_EXAMPLES = """\
examples:
  python -m src.simulator
      sample account, market open, on 127.0.0.1:4002
  python -m src.simulator --port 0 --market closed
      any free port (the ready line names it), outside trading hours
  python -m src.simulator --scenario faults.json --wire-log received.jsonl
      scripted trouble; every message received goes to the file, one JSON object a line

stop it with Ctrl+C. exit codes: 0 stopped, 2 bad input"""


class _BadInput(Exception):
    """What the user gave cannot be used; the text is the one line to show."""


class _Parser(argparse.ArgumentParser):
    """Reports a usage error in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"simulator: {message} (see --help)\n")

    def refuse(self, argument: str) -> NoReturn:
        """End with the nearest flag there is."""
        given = argument.partition("=")[0]
        near = difflib.get_close_matches(given, self._option_string_actions, n=1)
        hint = f", did you mean {near[0]}?" if near else ""
        self.error(f"unknown argument {given}{hint}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run until stopped; returns the exit code."""
    parser = _parser()
    args, unknown = parser.parse_known_args(argv)
    if unknown:
        parser.refuse(unknown[0])
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    try:
        if args.host not in LOOPBACK_HOSTS:
            hosts = " and ".join(LOOPBACK_HOSTS)
            raise _BadInput(f"--host {args.host}: only {hosts} are allowed")  # noqa: TRY301
        scenario = _scenario(args)
        with _open_log(args.wire_log) as wire_log:
            exchange = begin(scenario, utc_now())
            gateway = SimulatedGateway(
                exchange, host=args.host, port=args.port, wire_log_file=wire_log
            )
            if args.keep:
                gateway.on_order_news = lambda: save_scenario(exchange.kept(utc_now()), args.keep)
            asyncio.run(_run(gateway))
    except (ScenarioError, _BadInput) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        return DONE  # Ctrl+C before the ready line
    return DONE


def _parser() -> _Parser:
    parser = _Parser(
        prog="python -m src.simulator",
        description="A simulated TWS / IB Gateway on this machine: any client of the TWS API"
        " can connect to it. No real account, no real orders.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="loopback address to listen on (default %(default)s)"
    )
    parser.add_argument(
        "--port", type=_port, default=4002, help="0 takes a free one (default %(default)s)"
    )
    parser.add_argument(
        "--account",
        type=Path,
        metavar="FILE",
        help=f"accounts, contracts and rates to start from (default data/{SAMPLE_ACCOUNT.name})",
    )
    parser.add_argument(
        "--scenario",
        default="",
        metavar="SCENARIO",
        help="scripted behaviour and faults, by name or file; --account replaces its accounts",
    )
    parser.add_argument(
        "--market",
        choices=("open", "closed", "pre", "holiday", "halfday"),
        help="state of the market around now, instead of the scenario's own (default open)",
    )
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="FILE",
        help="go on with this account, and leave it there again",
    )
    parser.add_argument("--frozen", action="store_true", help="prices stand still")
    parser.add_argument(
        "--latency-ms", type=_latency, metavar="N", help="delay every response (default 0)"
    )
    parser.add_argument(
        "--wire-log", type=Path, metavar="FILE", help="append every message received as JSON lines"
    )
    return parser


def _port(text: str) -> int:
    return _whole_number(text, MAX_PORT)


def _latency(text: str) -> int:
    return _whole_number(text, MAX_LATENCY_MS)


def _whole_number(text: str, highest: int) -> int:
    if not (text.isascii() and text.isdecimal() and int(text[:9]) <= highest):
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 0 to {highest}")
    return int(text)


def _scenario(args: argparse.Namespace) -> Scenario:
    kept = args.keep if args.keep and args.keep.exists() else None
    file = find_scenario(args.scenario) if args.scenario else args.account or SAMPLE_ACCOUNT
    scenario = load_scenario(file, moves=True, kept=kept)
    if args.frozen:
        scenario = replace(scenario, daily_move_pct=0)
    try:
        if args.scenario and args.account and not kept:
            given = load_scenario(args.account)
            scenario = replace(
                scenario,
                accounts=given.accounts,
                contracts=given.contracts,
                usd_rates=given.usd_rates,
            )
        if args.market:
            scenario = replace(scenario, market=args.market)
        if args.latency_ms is not None:
            wire = replace(scenario.wire, latency_sec=args.latency_ms / 1000)
            scenario = replace(scenario, wire=wire)
    except ValueError as error:
        raise _BadInput(f"the options do not fit together: {error}") from error
    return scenario


@contextlib.contextmanager
def _open_log(path: Path | None) -> Iterator[TextIO | None]:
    if path is None:
        yield None
        return
    try:
        file = path.open("a", encoding="utf-8", newline="\n")
    except OSError as error:
        raise _BadInput(f"cannot write the wire log {path}: {error.strerror}") from error
    with file:
        yield file


async def _run(gateway: SimulatedGateway) -> None:
    try:
        gateway.on_order_news()
    except OSError as error:
        raise _BadInput(f"the account cannot be kept: {error.strerror}") from error
    try:
        await gateway.start()
    except OSError as error:
        where = f"{gateway.host} port {gateway.port}"
        raise _BadInput(f"cannot listen on {where}: {error.strerror}") from error
    stop = asyncio.Event()
    _stop_on_signals(stop)
    accounts = ",".join(one.account_id for one in gateway.exchange.scenario.accounts)
    print(f"ready host={gateway.host} port={gateway.port} accounts={accounts}", flush=True)
    try:
        await stop.wait()
    finally:
        await gateway.stop()
        gateway.on_order_news()


def _stop_on_signals(stop: asyncio.Event) -> None:
    """Plain signal handlers: loop.add_signal_handler does not exist on Windows."""
    loop = asyncio.get_running_loop()
    names = ("SIGINT", "SIGTERM", "SIGBREAK")
    for number in (getattr(signal, name) for name in names if hasattr(signal, name)):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))


if __name__ == "__main__":
    sys.exit(main())
