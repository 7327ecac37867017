"""./dev run: builds the release, serves it in the foreground and fills in the demo media."""
import signal
import subprocess
import time
import urllib.error
import urllib.request

from dev import build, demo, packages, shell

START_SECONDS_MAX = 30


def wait_until_ready(server: subprocess.Popen, base_url: str) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise shell.Failed(f"the server ended with {server.returncode} before it was ready")
        try:
            with urllib.request.urlopen(f"{base_url}/readyz", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise shell.Failed(f"the server was not ready within {START_SECONDS_MAX} s")


def main(address: str, data_dir: str) -> int:
    packages.setup("serve")
    build.build("release", ["reelhouse"])
    command = [build.folder("release") / "reelhouse", "serve", "--http", address, "--data-dir", data_dir]
    shell.show(command)
    # In a session of its own, so that ^C reaches the server once: through us.
    server = subprocess.Popen(command, start_new_session=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda received, _: server.send_signal(received))
    host, _, port = address.rpartition(":")
    base_url = f"http://{'127.0.0.1' if host in ('', '0.0.0.0', '[::]') else host}:{port}"
    try:
        wait_until_ready(server, base_url)
        demo.ensure_demo_media(base_url)
        print(f"Reelhouse serves {base_url}; ^C stops it.", flush=True)
        return server.wait()
    finally:
        if server.poll() is None:
            server.terminate()
            server.wait()
