"""Fixtures of the black-box tests: the real binary, on a free port, with a data directory of its own."""
import os
import random

import pytest
from reelhouse_server import Server
from tams_client import Client

running: list[Server] = []


def start(directory, *flags: str, **variables: str) -> Server:
    server = Server(directory / "data", *flags, **variables)
    server.start()
    running.append(server)
    return server


def end(server: Server) -> None:
    running.remove(server)
    server.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One server for the tests of a file, which must not mind each other's flows."""
    server = start(tmp_path_factory.mktemp("server"))
    yield server
    end(server)


@pytest.fixture
def client(server) -> Client:
    return Client(server.url)


@pytest.fixture
def fresh_server(tmp_path):
    """An empty server for one test."""
    server = start(tmp_path)
    yield server
    end(server)


@pytest.fixture
def fresh_client(fresh_server) -> Client:
    return Client(fresh_server.url)


@pytest.fixture
def serve(tmp_path):
    """Starts servers with flags of the test's choice, each in a folder of its own."""
    started = []

    def serve_with(*flags: str, **variables: str) -> Server:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        started.append(start(folder, *flags, **variables))
        return started[-1]

    yield serve_with
    for server in started:
        end(server)


@pytest.fixture(scope="module")
def serve_in():
    """Starts servers in folders of the test's choice, on `folder/data`, which may have been prepared."""
    started = []

    def serve_with(folder, *flags: str) -> Server:
        started.append(start(folder, *flags))
        return started[-1]

    yield serve_with
    for server in started:
        end(server)


@pytest.fixture
def rng(request) -> random.Random:
    """Random numbers that REELHOUSE_SEED repeats."""
    seed = os.environ.get("REELHOUSE_SEED") or str(random.randrange(100_000))
    print(f"REELHOUSE_SEED={seed}")
    return random.Random(f"{seed}/{request.node.nodeid}")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item):
    item.log_starts = {id(server): server.log_size() for server in running}
    yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if not report.failed:
        return
    for server in running:
        since = getattr(item, "log_starts", {}).get(id(server), 0)
        report.sections.append((f"log of the server at {server.url}", server.log(since)[-20_000:]))
