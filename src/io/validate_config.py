"""``python -m src.io.validate_config FILE``: check a settings file, alone and offline."""

from __future__ import annotations

from collections.abc import Sequence

from src.base.accounts import is_master, is_paper_account, master_refusal
from src.base.errors import ExitCode, Refused
from src.base.money import plain_text, weight_to_percent
from src.base.settings import Settings, account_title
from src.base.text import printable
from src.io.config_loader import load_settings_file
from src.terminal.cli import DEFAULT_CONFIG, CommandParser, as_usual_path, exit_with
from src.terminal.console import emit, warn


def main(argv: Sequence[str] | None = None) -> int:
    """Print OK and a summary of each account, or raise ConfigError with every problem.

    Raises: Refused for a master account, as every command does that would use it.
    """
    arguments = _parser().parse(argv)
    accounts = load_settings_file(arguments.config).accounts
    masters = [one.ibkr.account_id for one in accounts if is_master(one.ibkr.account_id)]
    if masters:
        raise Refused("; ".join(master_refusal(one) for one in masters))
    for warning in dict.fromkeys(text for one in accounts for text in one.warnings):
        warn(warning)
    lines = [f"OK: {one.source}: {settings_summary(one)}" for one in accounts]
    return ExitCode.OK if emit("\n".join(lines)) else ExitCode.BUG


def settings_summary(settings: Settings) -> str:
    """Account, what may be done in it, and the mix."""
    ibkr = settings.ibkr
    kind = "paper" if is_paper_account(ibkr.account_id) else "LIVE"
    mode = "read-only" if ibkr.read_only else "may trade"
    mix = ", ".join(
        f"{printable(name)} {plain_text(weight_to_percent(weight))}%"
        for name, weight in settings.models.items()
    )
    text = f"account {ibkr.account_id} ({kind}, {mode}), mix {mix}"
    return f"{account_title(settings)}: {text}" if settings.name else text


def _parser() -> CommandParser:
    parser = CommandParser(
        prog="python -m src.io.validate_config",
        description="Check a settings file: every key, type, range and sum. Nothing is connected.",
        examples=(
            "python -m src.io.validate_config config/settings.ini",
            "python -m src.io.validate_config config/settings.local.ini",
        ),
    )
    parser.add_argument(
        "config",
        type=as_usual_path,
        nargs="?",
        default=DEFAULT_CONFIG,
        metavar="FILE",
        help=f"settings file (default: {DEFAULT_CONFIG})",
    )
    return parser


if __name__ == "__main__":
    exit_with(main)
