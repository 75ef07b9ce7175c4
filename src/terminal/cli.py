"""What all commands share: flags, one-line errors, exit codes, and a console that never breaks.

``run_main`` is the only place that turns an error into text and a code. The console shows one
line per problem, escaped and with account ids masked, never a traceback; that goes to the log.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NoReturn

from src.base.errors import ExitCode, InputError, Interrupted, RebalancerError
from src.base.text import did_you_mean, printable
from src.terminal.console import complain, finish_output, make_console_safe, remark

if TYPE_CHECKING:
    import logging
    from pathlib import Path
    from types import TracebackType

DEFAULT_CONFIG: Final = "config/settings.ini"
DEFAULT_CSV: Final = "data/portfolios.csv"
_HELP_WIDTH: Final = 88
_ALLOCATIONS_PER_LOOK: Final = 100_000
_REPORT_IT: Final = "a fault of this program, please report it"


def run_main(main: Callable[[], int]) -> int:
    """Run a command and return the exit code of its result or of the error that ended it."""
    make_console_safe()
    return finish_output(_run(main))


def exit_with(main: Callable[[], int]) -> NoReturn:
    """Run a command as ``run_main`` does and end the process with its exit code.

    Garbage is looked for seldom, as what a start-up allocates stays, and not at the very end, as
    everything ends then: a tenth of a dry run's time, and 50 ms.
    """
    gc.set_threshold(_ALLOCATIONS_PER_LOOK)
    code = run_main(main)
    gc.freeze()
    sys.exit(code)


def _run(main: Callable[[], int]) -> int:
    try:
        return int(main())
    except SystemExit as stop:  # argparse: --help and wrong flags
        return stop.code if isinstance(stop.code, int) else ExitCode.OK
    except RebalancerError as error:
        _tell(error)
        for line in error.details:
            remark(line)
        if error.aftermath:
            remark(error.aftermath)
        return error.exit_code
    except KeyboardInterrupt:
        remark("interrupted")
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        complain("the output was closed before it was complete")
    except RecordedBug as bug:
        complain(f"internal error: {bug}; details in {bug.log_path}: {_REPORT_IT}")
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes a line of text
        complain(f"internal error: {_describe(error)}; no log was open: {_REPORT_IT}")
    return ExitCode.BUG


def _tell(error: RebalancerError) -> None:
    """One line per problem; lines to paste, and an interrupt, stand there without a label."""
    if isinstance(error, Interrupted):
        remark(str(error))
        return
    if not isinstance(error, InputError) or not error.problems:
        complain(str(error))
        return
    for problem in error.problems:
        complain(str(problem._replace(to_paste=())))
        for line in problem.to_paste:
            remark(line)


class RecordedBug(Exception):
    """An unexpected exception whose traceback is already in the log at ``log_path``."""

    def __init__(self, description: str, log_path: str) -> None:
        super().__init__(description)
        self.log_path = log_path


class errors_recorded_in:  # noqa: N801 - read as a phrase: with errors_recorded_in(log)
    """Write the error that ends the block to the log's file, before the log is closed.

    A ``RebalancerError`` is logged line by line and passes on; an unexpected exception is logged
    with its traceback and leaves as ``RecordedBug``, which names the file.
    """

    def __init__(self, log: logging.FileHandler) -> None:
        self._log = log

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Record the error; see the class."""
        if isinstance(error, RebalancerError):
            for line in (*str(error).splitlines(), *error.details):
                self._record(line, None)
        elif isinstance(error, Exception) and not isinstance(error, RecordedBug):
            self._record("unexpected exception", error)
            raise RecordedBug(_describe(error), self._log.baseFilename) from error

    def _record(self, message: str, error: Exception | None) -> None:
        """Hand the record to the file alone: the screen has its own line."""
        import logging

        info = (type(error), error, error.__traceback__) if error else None
        record = logging.LogRecord(__name__, logging.ERROR, __file__, 0, message, None, info)
        self._log.handle(record)


def _describe(error: BaseException) -> str:
    """``ValueError: message at module.py:12``, on one line; what to do about a missing package."""
    if isinstance(error, ModuleNotFoundError) and not (error.name or "src").startswith("src"):
        return f"the package {error.name} is not installed: run pip install -r requirements.txt"
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    text = f"{type(error).__name__}: {printable(str(error), 300)}"
    if trace is None:
        return text
    return f"{text} at {as_path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"


# --- flags ----------------------------------------------------------------------------------


class CommandParser(argparse.ArgumentParser):
    """argparse with one-line errors, exit code 2, no abbreviations, and did-you-mean."""

    def __init__(self, *, prog: str, description: str, examples: Sequence[str]) -> None:
        lines = "\n".join(f"  {example}" for example in examples)
        super().__init__(
            prog=prog,
            description=description,
            epilog=f"examples:\n{lines}",
            formatter_class=_HelpFormat,
            allow_abbrev=False,
        )

    def parse(self, argv: Sequence[str] | None = None) -> argparse.Namespace:
        """Parse; an unknown flag ends the program, naming the nearest valid one."""
        arguments, unknown = self.parse_known_args(argv)
        flags = [text.partition("=")[0] for text in unknown if text.startswith("-")]
        if flags:
            hint = did_you_mean(flags[0], self._option_string_actions)
            self.error(f"unknown flag {flags[0]}" + (f", {hint}" if hint else ""))
        if unknown:
            self.error(f"unexpected argument {unknown[0]}")
        return arguments

    def error(self, message: str) -> NoReturn:
        """One line on stderr and exit code 2."""
        complain(f"{message} (--help shows all flags)")
        self.exit(ExitCode.INPUT)


class _HelpFormat(argparse.RawDescriptionHelpFormatter):
    """Fixed width: measuring the terminal costs more at start-up than it is worth."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=28, width=_HELP_WIDTH)


def as_word(path: Path | str) -> str:
    """A path as it is typed on a command line."""
    return f'"{path}"' if " " in str(path) else str(path)


def as_path(text: str) -> Path:
    """A flag's value as a path; the import waits until one is needed, ``--help`` needs none."""
    from pathlib import Path

    return Path(text)


def as_usual_path(text: str) -> Path:
    """A path whose default is looked for here, then beside ``rebalance.py``."""
    path = as_path(text)
    if text in (DEFAULT_CONFIG, DEFAULT_CSV) and not path.exists():
        beside = as_path(__file__).resolve().parents[2] / path
        return beside if beside.exists() else path
    return path


def add_config_flag(
    parser: argparse.ArgumentParser, kind: Callable[[str], Path] = as_usual_path
) -> None:
    """``--config FILE``."""
    parser.add_argument(
        "--config",
        type=kind,
        default=DEFAULT_CONFIG,
        metavar="FILE",
        help=f"settings file (default: {DEFAULT_CONFIG})",
    )


def add_csv_flag(parser: argparse.ArgumentParser, default: str | None = DEFAULT_CSV) -> None:
    """``--csv FILE``; ``default`` None where the portfolios are optional."""
    shown = f" (default: {default})" if default else ""
    parser.add_argument(
        "--csv",
        type=as_usual_path,
        default=default,
        metavar="FILE",
        help=f"model portfolios{shown}",
    )


def add_account_flag(parser: argparse._ActionsContainer) -> None:
    """``--account NAME,...``: names of sections, each once."""
    parser.add_argument(
        "--account",
        type=_account_names,
        default=(),
        metavar="NAME,...",
        help="with several accounts in the settings: which, by the names of their sections",
    )


def _account_names(text: str) -> tuple[str, ...]:
    found = [one.strip() for one in text.split(",")]
    if "" in found:
        raise argparse.ArgumentTypeError("names of accounts are expected, such as joint,ira")
    return tuple(dict.fromkeys(found))


def add_simulate_flag(parser: argparse._ActionsContainer) -> None:
    """``--simulate``; also takes a group of flags that exclude each other."""
    parser.add_argument(
        "--simulate",
        action="store_true",
        help="connect to the built-in simulated gateway instead of TWS or IB Gateway",
    )
