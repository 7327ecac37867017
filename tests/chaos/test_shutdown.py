"""SIGTERM while requests are on their way: every request that was taken is answered."""
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest
import reelhouse_server
import requests
from raw_http import Connection
from reelhouse_server import Server
from tams_client import Client, segment, video_flow


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path / "data", "--set", "limits.connections_per_peer_max=16384")
    server.start()
    yield server
    server.kill()


def end(server) -> None:
    """Waits for a graceful end."""
    process, server.process = server.process, None
    assert process.wait(60) == 0, server.log()


@pytest.mark.skipif(not shutil.which("wrk"), reason="no wrk")
@pytest.mark.parametrize("connections", [1, 64])
def test_sigterm_under_wrk_fails_no_request(server, connections):
    client = Client(server.url)
    flow = client.put_flow()
    client.add_segments(flow["id"], 50)
    command = ["wrk", "-t1", f"-c{connections}", "-d4", f"{server.url}/flows/{flow['id']}/segments?accept_get_urls="]
    wrk = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    time.sleep(2)
    server.process.send_signal(signal.SIGTERM)
    end(server)
    report, _ = wrk.communicate(timeout=60)
    print(report)
    assert "Non-2xx" not in report
    errors = next((line for line in report.splitlines() if "Socket errors" in line), "read 0, timeout 0")
    counts = {word.split()[0]: int(word.split()[1]) for word in errors.replace("Socket errors:", "").split(",")}
    # A request that was sent and not answered is a read error. Write errors are wrk's name for connections that are
    # refused because the server is gone by then.
    assert counts["read"] == counts["timeout"] == 0, report
    assert int(re.search(r"(\d+) requests in", report)[1]) > 100


def test_sigterm_under_writers_loses_nothing(server):
    """Every write that was acknowledged is there, and every one that was taken is acknowledged."""
    flow = video_flow()
    Client(server.url).put_flow(flow)
    acknowledged, broken = [], []
    lock = threading.Lock()

    def write(number):
        with requests.Session() as session:
            session.trust_env = False
            objects = session.post(f"{server.url}/flows/{flow['id']}/storage", json={"limit": 1000}, timeout=30).json()
            for i, media in enumerate(objects["media_objects"]):
                body = segment(media["object_id"], number * 1000 + i)
                try:
                    answer = session.post(f"{server.url}/flows/{flow['id']}/segments", json=body, timeout=30)
                except requests.ConnectionError as error:
                    # A refused connection is a client that came too late. A reset one is a request that was lost.
                    if "refused" not in str(error):
                        with lock:
                            broken.append(str(error))
                    return
                with lock:
                    (acknowledged if answer.status_code == 201 else broken).append(
                        body["timerange"] if answer.status_code == 201 else answer.text)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    time.sleep(1.5)
    server.process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join(60)
    end(server)
    assert not broken, broken[:3]
    assert acknowledged
    check = reelhouse_server.run("check", "--data-dir", server.data_dir)
    assert check.returncode == 0, check.stdout
    server.start()
    stored = {item["timerange"] for item in Client(server.url).items(f"/flows/{flow['id']}/segments", limit=1000,
                                                                     accept_get_urls="")}
    assert stored == set(acknowledged)


def test_an_upload_in_flight_is_finished(server):
    client = Client(server.url)
    flow = client.put_flow()
    media = client.allocate(flow["id"])[0]
    path = media["put_url"]["url"].removeprefix(client.url)
    with Connection(server.address) as connection:
        connection.send(f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {media['put_url']['content-type']}\r\n"
                        "Content-Length: 3000\r\n\r\n".encode() + b"x" * 1000)
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        for _ in range(2):
            time.sleep(0.5)
            connection.send(b"x" * 1000)
        answer = connection.answer()
        assert answer is not None and answer.status == 200
        assert answer.headers.get("connection", "").lower() == "close"
    end(server)
    server.start()
    client = Client(server.url)
    client.post(f"/flows/{flow['id']}/segments", segment(media["object_id"], 0), expect=201)
    url = client.get(f"/objects/{media['object_id']}").json()["get_urls"][0]["url"]
    assert client.get(url).content == b"x" * 3000


def test_draining_is_bounded(tmp_path):
    """A request that never ends is cut when the time is up."""
    server = Server(tmp_path / "data", "--set", "limits.drain_ms_max=1000")
    server.start()
    try:
        with socket.create_connection(server.address) as stuck:
            stuck.sendall(b"PUT /flows/x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
            time.sleep(0.3)
            start = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            end(server)
            assert time.monotonic() - start < 8
    finally:
        server.kill()


def test_idle_connections_do_not_hold_it_up(server):
    held = [Connection(server.address) for _ in range(50)]
    for connection in held:
        connection.request("GET", "/livez")
    start = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    end(server)
    assert time.monotonic() - start < 5
    for connection in held:
        connection.socket.close()
