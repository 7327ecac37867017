"""Processes under measurement: the server, wrk, nginx, and the time that they took on the processor."""
import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

HERE = Path(__file__).parent
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """The measurement cannot be trusted or could not be made."""


def halves() -> tuple[list[int], list[int]]:
    """Processors for the server and for its clients; the same ones where there is only one."""
    cores = sorted(os.sched_getaffinity(0))
    middle = (len(cores) + 1) // 2
    return cores[:middle], cores[middle:] or cores


def pin(pid: int, cores: list[int]) -> None:
    """Moves a running process with all its threads."""
    subprocess.run(["taskset", "--all-tasks", "--cpu-list", "--pid", ",".join(map(str, cores)), str(pid)], check=True,
                   stdout=subprocess.DEVNULL)


def pinned(cores: list[int], command: list) -> list[str]:
    return ["taskset", "--cpu-list", ",".join(map(str, cores)), *map(str, command)]


def cpu_seconds(pid: int) -> float:
    """User and system time of a process with all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def rss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise Failed(f"no VmRSS of process {pid}")


def wait_until_idle(pid: int, seconds_max: float = 120) -> None:
    """Until a process has nothing left to do of what it was given, and the disk neither."""
    os.sync()
    deadline = time.monotonic() + seconds_max
    while time.monotonic() < deadline:
        before = cpu_seconds(pid)
        time.sleep(2)
        if cpu_seconds(pid) - before <= 2 / TICKS_PER_SECOND:
            return
    raise Failed(f"process {pid} was not idle after {seconds_max:.0f} s")


class Server:
    """`reelhouse serve` on a free port, for a with-statement."""

    def __init__(self, program: Path, data: Path, *flags: str):
        self.program, self.data, self.flags = program, data, flags

    def __enter__(self):
        log = (self.data.parent / "server.log").open("w")
        command = [self.program, "serve", "--http", "127.0.0.1:0", "--data-dir", self.data, *self.flags]
        self.process = subprocess.Popen(list(map(str, command)), text=True, stdout=subprocess.PIPE, stderr=log)
        line = self.process.stdout.readline()
        if not line.startswith("ready "):
            raise Failed(f"the server did not start: {(self.data.parent / 'server.log').read_text()}")
        self.url = line.split()[1]
        self.port = int(self.url.rpartition(":")[2])
        return self

    def __exit__(self, *_):
        self.process.terminate()
        if self.process.wait(60) != 0:
            raise Failed(f"the server ended with {self.process.returncode}")

    @property
    def pid(self) -> int:
        return self.process.pid


class Wrk:
    """Runs of wrk against one server. Each has processors of its own meanwhile, so that a ratio of requests per second
    is one of what the server does, and not of what wrk leaves it."""

    def __init__(self, server: Server, connections: int, seconds: float, headers: dict[str, str] | None = None):
        self.server, self.connections, self.seconds = server, connections, seconds
        self.headers = [part for name, value in (headers or {}).items() for part in ("--header", f"{name}: {value}")]

    def run(self, script: str, path: str = "/", *arguments) -> dict:
        """What was counted, with req/s and the server's processor time per request."""
        server_cores, cores = halves()
        pin(self.server.pid, server_cores)
        command = ["wrk", "--threads", len(cores), "--connections", self.connections, "--duration",
                   f"{self.seconds}s", *self.headers, "--latency", "--script", HERE / "lua" / f"{script}.lua",
                   self.server.url + path, "--", *arguments]
        before = cpu_seconds(self.server.pid)
        done = subprocess.run(pinned(cores, command), text=True, capture_output=True,
                              env={**os.environ, "LUA_PATH": f"{HERE}/lua/?.lua"})
        used = cpu_seconds(self.server.pid) - before
        pin(self.server.pid, sorted(os.sched_getaffinity(0)))
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode or not lines:
            raise Failed(f"wrk: {done.stdout}{done.stderr}")
        counted = json.loads(lines[0])
        if counted["failed"] or not counted["requests"]:
            raise Failed(f"{script} {path}: {counted['failed']} of {counted['requests']} requests failed")
        counted["per_second"] = counted["requests"] / counted["micros"] * 1e6
        counted["cpu_us"] = used / counted["requests"] * 1e6
        return counted


@contextlib.contextmanager
def nginx(folder: Path, files: Path):
    """Serves `files` on a free port, which it yields; as Debian configures it, with one worker."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise Failed("nginx is not installed")
    port = free_port()
    user = "user root; " if os.geteuid() == 0 else ""  # its worker would otherwise not see into our folder
    (folder / "nginx.conf").write_text(f"""
{user}daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 64; }}
http {{
  access_log off; sendfile on; tcp_nopush on;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; root {files}; }}
}}
""")
    command = pinned(halves()[0], [program, "-p", folder, "-c", folder / "nginx.conf"])
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise Failed(f"nothing listens on port {port}")
