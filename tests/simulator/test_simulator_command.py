"""``python -m src.simulator`` as a person runs it."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from src.simulator.__main__ import main
from src.simulator.scenario.records import load_scenario
from tests.kits.raw_client import HELLO, start_api

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_SEC = 30
if sys.platform == "win32":
    STOPS = [signal.CTRL_BREAK_EVENT]
    NEW_GROUP = subprocess.CREATE_NEW_PROCESS_GROUP
else:
    STOPS = [signal.SIGINT, signal.SIGTERM]
    NEW_GROUP = 0


@contextlib.contextmanager
def running(*args: str) -> "Iterator[subprocess.Popen[str]]":
    command = [sys.executable, "-m", "src.simulator", *args]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        creationflags=NEW_GROUP,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("stop", STOPS)
def test_it_says_when_it_is_ready_serves_and_stops_cleanly(
    stop: signal.Signals, tmp_path: Path
) -> None:
    wire_log = tmp_path / "wire.jsonl"
    with running("--port", "0", "--latency-ms", "1", "--wire-log", str(wire_log)) as process:
        assert process.stdout is not None
        ready = dict(part.split("=") for part in process.stdout.readline().split()[1:])
        assert (ready["host"], ready["accounts"][:2]) == ("127.0.0.1", "DU")
        with socket.create_connection((ready["host"], int(ready["port"])), TIMEOUT_SEC) as client:
            client.sendall(HELLO + start_api(3))
            assert client.recv(7) == b"\0\0\0\x1a178"
            assert client.recv(1000)
        process.send_signal(stop)
        out, err = process.communicate(timeout=TIMEOUT_SEC)
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err
    (line,) = wire_log.read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["name"] == "StartApi"


def test_a_port_in_use_is_one_line_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main(["--port", port]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"simulator: cannot listen on 127.0.0.1 port {port}")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--host", "0.0.0.0"], "only 127.0.0.1"),  # noqa: S104
        (["--scenario", "no-such-file.json"], "no-such-file.json"),
        (["--account", "no-such-file.json"], "no-such-file.json"),
        (["--wire-log", "no-such-folder/x"], "no-such-folder"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    args: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--port", "0", *args]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "args", [["--port", "65536"], ["--port", "x"], ["--latency-ms", "-1"], ["--market", "sunny"]]
)
def test_bad_usage_is_one_line_and_exit_code_2(
    args: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(args)
    assert stopped.value.code == 2
    _, err = capsys.readouterr()
    assert args[0] in err
    assert err.count("\n") == 1


def test_an_unknown_flag_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--prot=4002"])
    assert "unknown argument --prot, did you mean --port?" in capsys.readouterr().err


def test_a_scenario_file_that_is_wrong_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.json"
    path.write_text('{"accounts": []}', encoding="utf-8")
    assert main(["--scenario", str(path)]) == 2
    assert str(path) in capsys.readouterr().err


def test_help_names_every_flag_and_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    flags = [
        "--host",
        "--port",
        "--account",
        "--scenario",
        "--market",
        "--latency-ms",
        "--wire-log",
    ]
    assert [flag for flag in flags if flag not in text] == []
    assert "examples:" in text


@pytest.mark.parametrize("stop", STOPS)
def test_it_keeps_the_account_in_a_file(stop: signal.Signals, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    for _ in range(2):
        with running("--port", "0", "--frozen", "--keep", str(kept)) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("ready")
            process.send_signal(stop)
            process.communicate(timeout=TIMEOUT_SEC)
            assert process.returncode == 0
    assert load_scenario(kept=kept).kept_at is not None


def test_an_account_that_cannot_be_kept_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", "0", "--keep", "no-such-folder/kept.json"]) == 2
    assert "cannot be kept: No such file" in capsys.readouterr().err
