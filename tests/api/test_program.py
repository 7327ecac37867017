"""The program around the API: start, stop, configuration, health, metrics, backup, restore, check."""
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import threading
import time

import pytest
import reelhouse_server
import requests
from reelhouse_server import ROOT, Server
from tams_client import Client, new_id, segment


def run(*arguments, **variables):
    return reelhouse_server.run(*arguments, **variables)


def refused(result, *words) -> None:
    """One clear line, and the exit code that says: put this right first."""
    assert result.returncode == 2, result
    lines = [line for line in result.stderr.splitlines() if line.startswith("reelhouse ")]
    assert len(lines) == 1, result.stderr
    for word in words:
        assert word in lines[0], result.stderr
    assert "ready" not in result.stdout


@pytest.fixture
def filled(fresh_server, fresh_client):
    """A server with a flow of ten segments with bytes."""
    flow = fresh_client.put_flow()
    objects = fresh_client.allocate(flow["id"], 10)
    for i, media in enumerate(objects):
        fresh_client.upload(media, b"bytes %d" % i)
    segments = [segment(media["object_id"], i) for i, media in enumerate(objects)]
    fresh_client.post(f"/flows/{flow['id']}/segments", segments, expect=201)
    return fresh_server, flow


def contents(url: str) -> dict:
    """Everything that a client can see."""
    client = Client(url)
    found = {"service": client.get("/service").json(), "backends": client.get("/service/storage-backends").json(),
             "flows": client.items("/flows"), "sources": client.items("/sources")}
    for flow in found["flows"]:
        segments = client.items(f"/flows/{flow['id']}/segments", presigned="true", limit=50)
        for item in segments:
            found[item["object_id"]] = client.get(re.sub("^https?://[^/]*", url, item.pop("get_urls")[0]["url"])).content
        found[flow["id"]] = segments
    return found


# Starting.

def test_a_taken_port(fresh_server, tmp_path):
    address = fresh_server.url.removeprefix("http://")
    refused(run("serve", "--data-dir", tmp_path / "other", "--http", address), address.rpartition(":")[2])


def test_a_data_directory_in_use(fresh_server):
    refused(run("serve", "--data-dir", fresh_server.data_dir, "--http", "127.0.0.1:0"), "running",
            str(fresh_server.pid))
    refused(run("check", "--data-dir", fresh_server.data_dir), "running")
    assert fresh_server.is_running()


def test_a_data_directory_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("x")
    refused(run("serve", "--data-dir", tmp_path / "file", "--http", "127.0.0.1:0"), str(tmp_path / "file"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_directory_that_cannot_be_written(tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    refused(run("serve", "--data-dir", tmp_path / "closed", "--http", "127.0.0.1:0"), str(tmp_path / "closed"))


def test_a_store_that_is_no_database(tmp_path):
    (tmp_path / "store.db").write_bytes(b"this is not a database" * 1000)
    refused(run("serve", "--data-dir", tmp_path, "--http", "127.0.0.1:0"), "store.db")


def test_a_store_of_somebody_else(tmp_path):
    with sqlite3.connect(tmp_path / "store.db") as database:
        database.execute("CREATE TABLE theirs (x)")
    refused(run("serve", "--data-dir", tmp_path, "--http", "127.0.0.1:0"), "store.db")


def test_a_store_of_a_newer_program(filled):
    server, _ = filled
    server.stop()
    with sqlite3.connect(server.data_dir / "store.db") as database:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        assert version > 0
        database.execute(f"PRAGMA user_version = {version + 1}")
    database.close()
    refused(run("serve", "--data-dir", server.data_dir, "--http", "127.0.0.1:0"), str(version + 1))
    with sqlite3.connect(server.data_dir / "store.db") as database:
        database.execute(f"PRAGMA user_version = {version}")
    database.close()
    server.start()


def test_a_url_key_that_others_can_read(filled):
    server, _ = filled
    key = server.data_dir / "url.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    server.stop()
    key.chmod(0o644)
    refused(run("serve", "--data-dir", server.data_dir, "--http", "127.0.0.1:0"), "url.key")
    key.chmod(0o600)
    server.start()


@pytest.mark.parametrize("arguments, word", [
    (["--http", "nowhere"], "nowhere"), (["--http", "127.0.0.1:99999"], "99999"), (["--http", "256.0.0.1:80"], "256"),
    (["--set", "nothing=1"], "nothing"), (["--set", "limits.page_max=many"], "limits.page_max"),
    (["--config", "missing.toml"], "missing.toml"), (["--set", "tls.certificate=x"], "tls"),
    (["--set", "log.level=loud"], "log.level"),
])
def test_wrong_flags(tmp_path, arguments, word):
    refused(run("serve", "--data-dir", tmp_path / "data", *arguments), word)
    assert not (tmp_path / "data").exists()


def test_wrong_files(tmp_path):
    file = tmp_path / "c.toml"
    for content, words in (("[http]\nadress = 'x'\n", ["c.toml:2", "http.adress"]), ("x = \n", ["c.toml:1"]),
                           ("[[storage]]\nlabel = 'a'\n", ["c.toml", "path"])):
        file.write_text(content)
        refused(run("serve", "--data-dir", tmp_path / "data", "--config", file), *words)


def test_flags_environment_file(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text("data_dir = 'file'\n[service]\nname = 'file'\ndescription = 'file'\n")
    shown = run("config", "--config", file, "--data-dir", "flag", REELHOUSE_SERVICE_NAME="environment").stdout
    assert 'data_dir = "flag"' in shown and 'name = "environment"' in shown and 'description = "file"' in shown
    file.write_text(shown)
    assert run("config", "--config", file).stdout == shown


def test_the_effective_configuration_is_logged(serve):
    log = serve("--set", "limits.page_max=77").log()
    assert "limits.page_max=77" in log and "http.io_threads=" in log


def test_logs_as_json(serve):
    import json
    server = serve("--set", "log.format=json")
    server.wait_for_log('"ready"')
    lines = [json.loads(line) for line in server.log().splitlines()]
    assert [line["message"] for line in lines] == ["starting", "ready"]


def test_every_setting_is_documented_with_its_default():
    document = (ROOT / "docs" / "operations.md").read_text()
    documented = dict(re.findall(r"^\| `([a-z_.]+)` \| ([^|]*) \|", document, re.M))
    section, compared = "", 0
    for line in run("config").stdout.splitlines():
        if line.startswith("[["):
            section = "storage."
        elif line.startswith("["):
            section = line.strip("[]") + "."
        elif "=" in line and not line.startswith("#"):
            key, _, value = line.partition(" = ")
            said = documented[section + key]
            if said == "empty":
                said = '""'
            elif section == "storage." or "…" in said:
                continue  # a place that is made at the first start; a list that is told in words
            compared += 1
            said = said.strip("`").replace('", "', '","')
            assert said.strip('"') == value.strip('"'), section + key
    assert compared > 40


# Running.

def test_health(client):
    health = client.get("/health").json()
    assert health["status"] == "ok"
    assert health["dependencies"]["store"]["status"] == "ok"
    assert health["dependencies"]["storage:local"]["free_bytes"] > 0
    assert all(dependency["needed"] for dependency in health["dependencies"].values())
    assert health["events"] == {"lag_changes": 0, "lag_s": 0}
    assert set(health["dependencies"]) == {"store", "data_directory", "storage:local"}
    told = re.search(r"```json\n(\{\n  \"status\".*?)```", (ROOT / "docs/operations.md").read_text(), re.DOTALL)[1]
    example = json.loads(told)
    assert set(example) == set(health) and set(example["events"]) == set(health["events"])
    assert client.get("/livez").json() == client.get("/readyz").json() == {"status": "ok"}


def test_a_full_disk_is_told(serve):
    client = Client(serve("--set", f"limits.disk_free_bytes_min={2**50}").url)
    assert client.get("/health", expect=503).json()["status"] == "unwell"
    client.get("/readyz", expect=503)
    client.get("/livez", expect=200)


def test_metrics(fresh_client):
    flow = fresh_client.put_flow()
    fresh_client.add_segments(flow["id"], 3)
    fresh_client.get("/flows/not-a-uuid", expect=404)
    response = fresh_client.get("/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    text = response.text
    assert text.endswith("\n")
    for line in ("tams_sources_total 1", "tams_flows_total 1", "tams_segments_total 3", "tams_objects_total 3"):
        assert line in text.splitlines()
    assert re.search(r"tams_memory_usage_bytes [1-9]", text)
    assert re.search(r"tams_active_connections [1-9]", text)
    requests_ = re.findall(r'^tams_http_requests_total\{(.*)\} (\d+)', text, re.MULTILINE)
    assert any('route="/flows/{flowId}"' in labels and 'method="PUT"' in labels for labels, _ in requests_)
    assert not any(flow["id"] in labels for labels, _ in requests_), "routes are named by template, not by path"
    assert "tams_http_request_duration_seconds_bucket" in text
    names = re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE)
    assert len(names) == len(set(names)) and set(re.findall(r"^# HELP (\S+) ", text, re.MULTILINE)) == set(names)


def test_sigterm_ends_it_and_frees_the_directory(fresh_server, fresh_client):
    fresh_client.put_flow()
    start = time.monotonic()
    fresh_server.stop()
    assert time.monotonic() - start < 5, "idle connections must not hold it up"
    fresh_server.start()
    assert len(Client(fresh_server.url).ids("/flows")) == 1


def test_sigint_ends_it(fresh_server):
    fresh_server.process.send_signal(signal.SIGINT)
    assert fresh_server.process.wait(20) == 0
    fresh_server.process = None


def test_stopping_right_after_the_start(tmp_path):
    """A signal must find every thread prepared, however early it comes."""
    for i in range(10):
        server = Server(tmp_path / str(i))
        server.start()
        server.stop()


def test_a_second_signal_ends_it_at_once(fresh_server):
    with socket.create_connection(fresh_server.address) as slow:
        slow.sendall(b"PUT /flows/x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        time.sleep(0.3)
        fresh_server.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        if fresh_server.process.poll() is None:
            fresh_server.process.send_signal(signal.SIGTERM)
        assert fresh_server.process.wait(5) in (0, -signal.SIGTERM)
    fresh_server.process = None
    fresh_server.start()


def test_sighup_reads_the_log_level_again(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text("[log]\nlevel = 'error'\n")
    server = Server(tmp_path / "data", "--config", str(file))
    server.start()
    try:
        assert "ready" not in server.log()
        file.write_text("[log]\nlevel = 'info'\n")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_log("configuration read again")
        file.write_text("[log]\nlevel = 'loud'\n")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_log("stays as it was")
        Client(server.url).get("/")
    finally:
        server.stop()


def make_certificate(folder, name: str) -> str:
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out",
                    folder / "certificate.pem"], check=True, capture_output=True)
    return (folder / "certificate.pem").read_text()


def test_tls_and_its_certificate_is_read_again(tmp_path):
    import ssl
    first = make_certificate(tmp_path, "first")
    flags = ["--set", f"tls.certificate={tmp_path}/certificate.pem", "--set", f"tls.key={tmp_path}/key.pem"]
    server = Server(tmp_path / "data", *flags)
    server.start()
    try:
        assert server.url.startswith("https://")
        assert ssl.get_server_certificate(server.address).strip() == first.strip()
        answer = requests.get(server.url + "/flows", verify=str(tmp_path / "certificate.pem"), timeout=20)
        assert answer.status_code == 200
        second = make_certificate(tmp_path, "second")
        server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 10
        while ssl.get_server_certificate(server.address).strip() != second.strip():
            assert time.monotonic() < deadline, server.log()
            time.sleep(0.1)
        (tmp_path / "certificate.pem").write_text("broken")
        server.process.send_signal(signal.SIGHUP)
        server.wait_for_log("stays as it was")
        assert ssl.get_server_certificate(server.address).strip() == second.strip()
    finally:
        server.stop()


def test_a_certificate_that_cannot_be_read(tmp_path):
    refused(run("serve", "--data-dir", tmp_path / "data", "--http", "127.0.0.1:0", "--set", "tls.certificate=/no/c",
                "--set", "tls.key=/no/k"), "/no/")


# Backup, restore, check.

def test_backup_and_restore(filled, tmp_path):
    server, _ = filled
    before = contents(server.url)
    result = run("backup", tmp_path / "copy", "--data-dir", server.data_dir)
    assert result.returncode == 0 and "10 objects" in result.stdout, result
    assert contents(server.url) == before, "the server goes on"
    server.stop()
    shutil.rmtree(server.data_dir)
    result = run("restore", tmp_path / "copy", "--data-dir", server.data_dir)
    assert result.returncode == 0 and "10 objects" in result.stdout, result
    check = run("check", "--data-dir", server.data_dir, "--bytes")
    assert check.returncode == 0 and "all is well" in check.stdout, check
    server.start()
    assert contents(server.url) == before


def test_backup_of_a_stopped_server(filled, tmp_path):
    server, _ = filled
    before = contents(server.url)
    server.kill()
    assert run("backup", tmp_path / "copy", "--data-dir", server.data_dir).returncode == 0
    assert run("restore", tmp_path / "copy", "--data-dir", tmp_path / "other").returncode == 0
    other = Server(tmp_path / "other")
    other.start()
    try:
        assert contents(other.url) == before
    finally:
        other.stop()
    server.start()


def test_a_backup_under_load_is_one_moment(fresh_server, tmp_path):
    """Segments with bytes come and go while backups are made; every backup is whole."""
    client = Client(fresh_server.url)
    stop = threading.Event()
    failures = []

    def write():
        try:
            own = Client(fresh_server.url)
            while not stop.is_set():
                flow = own.put_flow()
                objects = own.allocate(flow["id"], 5)
                for media in objects:
                    own.upload(media, media["object_id"].encode())
                own.post(f"/flows/{flow['id']}/segments",
                         [segment(media["object_id"], i) for i, media in enumerate(objects)], expect=201)
                own.delete(f"/flows/{flow['id']}")
        except BaseException as error:
            failures.append(error)

    kept = client.put_flow()
    client.add_segments(kept["id"], 20)
    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for i in range(4):
            result = run("backup", tmp_path / f"copy{i}", "--data-dir", fresh_server.data_dir)
            assert result.returncode == 0, result
            result = run("restore", tmp_path / f"copy{i}", "--data-dir", tmp_path / f"restored{i}")
            assert result.returncode == 0, result
            result = run("check", "--data-dir", tmp_path / f"restored{i}", "--bytes")
            assert result.returncode == 0, result.stdout
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures, failures[0]


def test_backups_go_to_empty_places_only(filled, tmp_path):
    server, _ = filled
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").write_text("x")
    refused(run("backup", tmp_path / "full", "--data-dir", server.data_dir), "not empty")
    refused(run("backup", tmp_path / "copy", "--data-dir", tmp_path / "nothing"), "nothing")
    assert run("backup", tmp_path / "good", "--data-dir", server.data_dir).returncode == 0
    refused(run("restore", tmp_path / "good", "--data-dir", server.data_dir), "not empty")
    refused(run("restore", tmp_path / "nothing", "--data-dir", tmp_path / "x"), "nothing")


def test_an_unfinished_backup_is_refused(filled, tmp_path):
    server, _ = filled
    assert run("backup", tmp_path / "copy", "--data-dir", server.data_dir).returncode == 0
    (tmp_path / "copy" / "manifest.json").unlink()
    refused(run("restore", tmp_path / "copy", "--data-dir", tmp_path / "x"), "no complete backup")
    assert not (tmp_path / "x" / "store.db").exists()


def test_a_backup_of_a_newer_program_is_refused(filled, tmp_path):
    server, _ = filled
    assert run("backup", tmp_path / "copy", "--data-dir", server.data_dir).returncode == 0
    manifest = tmp_path / "copy" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"format":1', '"format":2'))
    refused(run("restore", tmp_path / "copy", "--data-dir", tmp_path / "x"), "format 2")


def test_check_finds_missing_and_changed_bytes(filled):
    server, _ = filled
    server.stop()
    files = sorted(path for path in (server.data_dir / "media").rglob("*") if path.is_file())
    files[0].unlink()
    files[1].write_bytes(b"x")
    files[2].write_bytes(b"bytes X")
    result = run("check", "--data-dir", server.data_dir)
    assert result.returncode == 1 and result.stdout.count("found: ") == 2, result
    result = run("check", "--data-dir", server.data_dir, "--bytes")
    assert result.returncode == 1 and result.stdout.count("found: ") == 3, result
    server.start()


def test_check_finds_a_wrong_ledger(filled):
    server, flow = filled
    server.stop()
    database = sqlite3.connect(server.data_dir / "store.db")
    tables = [row[0] for row in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    removed = 0
    for table in tables:
        if re.fullmatch(r"t\d+", table) and database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] == 10:
            removed += delete_one(database, table)
    assert removed
    database.commit()
    database.close()
    result = run("check", "--data-dir", server.data_dir)
    assert result.returncode == 1 and "DIFFERS" in result.stdout, result
    shutil.rmtree(server.data_dir)
    server.start()


def delete_one(database, table: str) -> int:
    """Deletes a row of a table without rowid."""
    keys = [row[1] for row in database.execute(f"PRAGMA table_info({table})") if row[5]]
    columns = ", ".join(keys)
    return database.execute(f"DELETE FROM {table} WHERE ({columns}) = (SELECT {columns} FROM {table} LIMIT 1)").rowcount


def test_version_and_help():
    assert re.fullmatch(r"reelhouse \d+\.\d+\.\d+\n", run("--version").stdout)
    for verb in ("serve", "backup", "restore", "check", "config"):
        result = run(verb, "--help")
        assert result.returncode == 0 and "--data-dir" in result.stdout
    assert run().returncode == 2
    assert run("nonsense").returncode == 2


def test_an_unused_object_id_is_not_a_path(fresh_server, fresh_client):
    """Nothing outside of the data directory's own folders is ever written."""
    flow = fresh_client.put_flow()
    ids = ["../../../escape-" + new_id(), "/escape-" + new_id(), "..", "a/../../escape"]
    answer = fresh_client.post(f"/flows/{flow['id']}/storage", {"object_ids": ids}, expect=201)
    for media in answer.json()["media_objects"]:
        fresh_client.session.put(media["put_url"]["url"], data=b"x", headers=media["put_url"]["headers"], timeout=30)
    assert not list(fresh_server.data_dir.parent.rglob("escape*"))
    assert {path.name for path in fresh_server.data_dir.iterdir()} <= {
        "media", "staging", "store.db", "store.db-wal", "store.db-shm", "store.db.lock", "url.key", "storage.json"}
