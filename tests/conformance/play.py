"""Makes an environment per client library, plays the script with each, prints the table.

``python -m tests.conformance.play [FOLDER]``: the environments are kept in FOLDER (default: a
temporary one). Exit 1 if a client saw anything but what is expected. Needs the package index.
"""

import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LIMIT_SEC, INSTALL_LIMIT_SEC = 60, 300
# package, version, the module it brings, and the script that speaks it
LIBRARIES = (
    ("ib_async", "1.0.3", "ib_async", "with_ib.py"),
    ("ib_async", "2.1.0", "ib_async", "with_ib.py"),
    ("ib_insync", "0.9.70", "ib_insync", "with_ib.py"),
    ("ib_insync", "0.9.86", "ib_insync", "with_ib.py"),
    ("ibapi", "9.81.1.post1", "ibapi", "with_ibapi.py"),
    ("nautilus_ibapi", "10.19.4", "ibapi", "with_ibapi.py"),
    ("ibapi-latest", "10.51.1", "ibapi", "with_ibapi.py"),
)
EXPECTED: Mapping[str, object] = {
    "accounts": ["DU1234567"],
    "contract": [756733],
    "contract by id": ["SPY"],
    "quote": True,
    "holds SPY": True,
    "net liquidation": True,
    "market": ["Filled", 1.0],
    "adaptive": ["Filled", 1.0],
    "limit, changed, cancelled": ["Cancelled", 1.5],
    "all or none refused": [0.0, 0],
    "bars refused": True,
    "open orders": 0,
    "executions": 2,
    "completed": ["Cancelled", "Filled"],
}


def main(folder: Path) -> int:
    """Play with every library; 0 if all saw what is expected."""
    rows = {}
    for package, version, module, script in LIBRARIES:
        python = _environment(folder / f"{package}-{version}", f"{package}=={version}")
        rows[f"{package} {version}"] = _play(python, script, module)
    print(f"| {'client':28} | " + " | ".join(EXPECTED) + " |")
    print("|" + "---|" * (len(EXPECTED) + 1))
    for name, seen in rows.items():
        cells = [_cell(seen, action) for action in EXPECTED]
        print(f"| {name:28} | " + " | ".join(cells) + " |")
    return 0 if all(seen == EXPECTED for seen in rows.values()) else 1


def _environment(folder: Path, requirement: str) -> Path:
    """The interpreter of an environment that has this package."""
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.exists():
        venv.create(folder, with_pip=True)
        command = [str(python), "-m", "pip", "install", "--quiet", requirement]
        subprocess.run(command, check=True, timeout=INSTALL_LIMIT_SEC)
    return python


def _play(python: Path, script: str, module: str) -> Mapping[str, object]:
    """What one client saw of a gateway of its own; what went wrong, under ``error``."""
    command = [sys.executable, "-m", "src.simulator", "--port", "0"]
    gateway = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert gateway.stdout is not None
        port = gateway.stdout.readline().partition("port=")[2].split()[0]
        done = subprocess.run(
            [python, HERE / script, module, port],
            check=False,
            capture_output=True,
            text=True,
            timeout=LIMIT_SEC,
        )
    except subprocess.TimeoutExpired:
        return {"error": f"not done within {LIMIT_SEC} s"}
    finally:
        gateway.kill()
        gateway.wait()
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1:]}
    seen: Mapping[str, object] = json.loads(done.stdout.splitlines()[-1])
    return seen


def _cell(seen: Mapping[str, object], action: str) -> str:
    if action not in seen:
        return f"no: {seen.get('error', 'missing')}"
    return "yes" if seen[action] == EXPECTED[action] else f"no: {seen[action]}"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(main(Path(sys.argv[1])))
    with tempfile.TemporaryDirectory() as made:
        sys.exit(main(Path(made)))
