"""Schemathesis against the running server: with the document that it serves, and with the specification's. All checks;
what it finds beyond excuses.py fails. With --full, the seed repeats a run: ./dev test --full --seed N tests/conformance."""
import json
import os
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import reelhouse_server
from api_documents import specification_folder

PROGRAM = reelhouse_server.ROOT / "build" / "pypi" / "schemathesis" / "bin" / "schemathesis"
# The body of an event stream never ends, and Schemathesis waits for the end of every body.
ENDLESS = "GET_events"


def schemathesis(tmp_path, location, url: str, document: str, seed: int, examples: int, *flags: str) -> dict:
    """One run; its report. Fails with what it said when it found something."""
    assert PROGRAM.is_file(), f"{PROGRAM} is missing: run ./dev setup --group test"
    # Tokens that it makes up would hide everything behind 401; whether they are refused is a check of its own.
    (tmp_path / "schemathesis.toml").write_text("[generation]\nwith-security-parameters = false\n")
    report, excused = tmp_path / "report.json", tmp_path / "excused"
    command = [PROGRAM, "run", location, "--url", url, "--checks", "all", "--max-examples", examples, "--seed", seed,
               "--continue-on-failure", "--request-timeout", 30, "--no-color", "--warnings", "off",
               "--report", "json", "--report-json-path", report, *flags]
    # The environment of the caller may name a proxy, which does not know this machine's ports.
    variables = reelhouse_server.environment(
        NO_PROXY="127.0.0.1", no_proxy="127.0.0.1", SCHEMATHESIS_HOOKS="excuses",
        PYTHONPATH=str(Path(__file__).parent), REELHOUSE_CONFORMANCE_DOCUMENT=document,
        REELHOUSE_CONFORMANCE_EXCUSED=str(excused))
    done = subprocess.run([str(word) for word in command], cwd=tmp_path, env=variables, text=True, capture_output=True,
                          timeout=1100, check=False)
    print(done.stdout[-20_000:], done.stderr[-2_000:])
    assert report.is_file(), "Schemathesis did not come to its report"
    told = json.loads(report.read_text())
    reasons = Counter(excused.read_text().splitlines()) if excused.exists() else Counter()
    for reason, count in reasons.most_common():
        print(f"excused {count} times: {reason}")
    assert done.returncode == 0 and told["complete"] and not told["errors"] and not told["failures"]
    assert told["operations"]["tested"] == told["operations"]["selected"]
    return told


def examples_of(request) -> int:
    """Per operation and phase; many where slow tests are wanted."""
    return 100 if "not full" not in request.config.getoption("-m", "") else 3


@pytest.fixture
def seed(request, rng) -> int:
    """Always the same in the run that gates a change, which must not fail by chance; new ones where it may take long."""
    return 20261121 if "not full" in request.config.getoption("-m", "") else rng.randrange(1 << 31)


def test_own_document(request, fresh_server, tmp_path, seed):
    told = schemathesis(tmp_path, fresh_server.url + "/openapi.json", fresh_server.url, "own", seed,
                        examples_of(request), "--exclude-operation-id", ENDLESS)
    assert told["operations"]["total"] - told["operations"]["selected"] == 1
    assert told["test_cases"]["generated"] > 1000


@pytest.mark.skipif(specification_folder() is None, reason="no TAMS 8.2 specification")
def test_specification(request, serve_in, tmp_path, seed):
    """With credentials, because the specification asks for some everywhere."""
    key = reelhouse_server.run("keys", "create", "schemathesis", "--role", "admin", "--data-dir", tmp_path / "data")
    server = serve_in(tmp_path, "--set", "auth.modes=api_key", "--set", "limits.auth_failures_per_second=0")
    told = schemathesis(tmp_path, specification_folder() / "TimeAddressableMediaStore.yaml", server.url,
                        "specification", seed, examples_of(request), "--header",
                        f"Authorization: Bearer {key.stdout.strip()}")
    assert told["operations"]["tested"] == 85
