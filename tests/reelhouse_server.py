"""Starts, stops and kills the real server."""
import os
import select
import signal
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Sanitizer builds on a loaded machine are slow.
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60


def sanitized() -> bool:
    """The sanitizers keep shadow memory and freed blocks, so what a connection costs cannot be told there."""
    return any(f"/build/{preset}/" in program() for preset in ("asan", "tsan"))


def has_terminals() -> bool:
    """Bare chroots lack /dev/pts."""
    try:
        for end in os.openpty():
            os.close(end)
    except OSError:
        return False
    return True


def program() -> str:
    return os.environ.get("REELHOUSE_BIN") or str(ROOT / "build" / "dev" / "reelhouse")


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without what would configure a server."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REELHOUSE_")}
    return kept | variables


def run(*arguments, **variables) -> subprocess.CompletedProcess:
    """Runs a verb to its end."""
    return subprocess.run([program(), *map(str, arguments)], env=environment(**variables), text=True,
                          capture_output=True, timeout=120, check=False)


def rows(data_dir) -> dict[str, int]:
    """How many rows each table of a stopped server has, after a check of the whole store."""
    result = run("check", "--data-dir", data_dir)
    assert result.returncode == 0, result.stdout + result.stderr
    return {line.split()[0]: int(line.split()[1]) for line in result.stdout.splitlines() if "rows" in line}


class Server:
    """One data directory, and the server that runs on it, if any. `start()` may follow `stop()` or `kill()`."""

    def __init__(self, data_dir: Path, *flags: str, **variables: str):
        self.data_dir = Path(data_dir)
        self.flags = flags
        self.variables = variables
        self.log_file = self.data_dir.parent / f"{self.data_dir.name}.log"
        self.process = None
        self.url = ""

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.url.removeprefix("https://").removeprefix("http://").rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def pid(self) -> int:
        return self.process.pid

    def command(self, http: str) -> list:
        return [program(), "serve", "--data-dir", str(self.data_dir), "--http", http, *self.flags]

    def start(self, http: str = "127.0.0.1:0") -> "Server":
        with self.log_file.open("ab") as log:
            self.process = subprocess.Popen(self.command(http), stdout=subprocess.PIPE, stderr=log,
                                            env=environment(**self.variables), start_new_session=True)
        self.url = self.wait_for_ready()
        return self

    def wait_for_ready(self) -> str:
        deadline = time.monotonic() + START_SECONDS_MAX
        text = b""
        while not text.endswith(b"\n"):
            readable, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            piece = os.read(self.process.stdout.fileno(), 4096) if readable else b""
            if not piece:
                self.kill()
                raise AssertionError(f"the server did not become ready; its log:\n{self.log()}")
            text += piece
        word, url = text.decode().split()
        assert word == "ready", text
        return url

    def stop(self) -> None:
        """Asks the server to end; it must do so in time and without complaint."""
        if self.process is None:
            return
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"SIGTERM did not end the server; its log:\n{self.log()}") from None
        finally:
            process.stdout.close()
        assert code == 0, f"the server ended with {code}; its log:\n{self.log()}"

    def kill(self) -> None:
        """Ends the server as a power cut would."""
        if self.process is None:
            return
        process, self.process = self.process, None
        process.kill()
        process.wait()
        process.stdout.close()

    def restart(self) -> None:
        self.stop()
        self.start()

    def log(self, since: int = 0) -> str:
        if not self.log_file.exists():
            return ""
        return self.log_file.read_bytes()[since:].decode(errors="replace")

    def wait_for_log(self, text: str) -> None:
        """The log is written by a thread of its own, a little behind what it tells."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while text not in self.log():
            assert time.monotonic() < deadline, f"the log does not say {text!r}:\n{self.log()}"
            time.sleep(0.01)

    def log_size(self) -> int:
        return self.log_file.stat().st_size if self.log_file.exists() else 0

    def memory_bytes(self) -> int:
        """Resident memory."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None
