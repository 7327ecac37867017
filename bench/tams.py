#!/usr/bin/env python3
"""The speed table of the TAMS API against a server of its own. Run by `./dev bench tams`; README.md says what each
line means."""
import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

import flows
from client import Client, download, upload
from measure import HERE, Failed, Server, Wrk, halves, nginx, rss_mb, wait_until_idle


@dataclass
class Row:
    work: str
    goal: str
    measured: str
    ours: str
    against: str
    passed: bool


def best(runs: list[dict]) -> dict:
    return max(runs, key=lambda run: run["per_second"])


def requests_text(run: dict) -> str:
    return f"{run['per_second']:,.0f} req/s, {run['cpu_us']:.1f} µs CPU"


class Lane:
    """A client that appends bulk requests to a flow of its own."""

    def __init__(self, port: int):
        self.client = Client(port)
        self.flow = flows.new_flow(self.client)
        self.bodies: list[bytes] = []
        self.posted = 0
        self.failure: Exception | None = None

    def prepare(self, count: int, requests: int) -> None:
        name = self.flow.rpartition("/")[2]
        for _ in range(requests):
            self.bodies.append(flows.segments_body(name, self.posted, count).encode())
            self.posted += count

    def post(self) -> None:
        try:
            for body in self.bodies:
                self.client.ask("POST", f"{self.flow}/segments", body, 201)
        except Exception as failure:
            self.failure = failure
        self.bodies = []

    def check(self) -> None:
        if self.failure:
            raise self.failure
        stored = flows.count_segments(self.client, self.flow)
        if stored != self.posted:
            raise Failed(f"{self.posted} segments were posted in bulk, {stored} are there")


class Bench:
    def __init__(self, scenario: dict, folder: Path, programs: Path, full: bool, only: str):
        self.scenario, self.folder, self.programs, self.full, self.only = scenario, folder, programs, full, only
        self.goals = scenario["goals"]
        self.rows: list[Row] = []
        self.complete = True

    def run(self) -> None:
        data = self.folder / "data"
        data.mkdir()
        with Server(self.programs / "reelhouse", data) as server:
            self.server, self.client = server, Client(server.port)
            self.wrk = Wrk(server, self.scenario["run"]["connections"], self.scenario["run"]["seconds"])
            for name in ("reads", "posts", "bulk", "auth", "large", "deletion", "media"):
                if self.only in ("", name):
                    print(f"bench: {name}", flush=True)
                    try:
                        getattr(self, f"measure_{name}")()
                    except (Failed, OSError) as failure:  # the other rows still say something
                        print(f"bench: {name}: {failure}", file=sys.stderr)
                        self.complete = False
                    self.client.close()
                    self.client = Client(server.port)
            self.client.close()

    def rounds(self, *sides) -> list[dict]:
        """Runs each side in turn, several times over, so that a busy moment of the machine hits all; the best of each."""
        runs = [[] for _ in sides]
        for _ in range(self.scenario["run"]["rounds"]):
            for side, found in zip(sides, runs):
                found.append(side())
        return [best(found) for found in runs]

    def no_op_get(self) -> dict:
        return self.wrk.run("no_op_get", "/")

    def no_op_post(self) -> dict:
        return self.wrk.run("no_op_post", "/service")

    def get_pages(self, flow: str, segments: int, query: str) -> dict:
        path = f"{flow}/segments"
        return self.wrk.run("get_segments", path, path, segments, self.scenario["flow"]["page"], query)

    def small_flow(self) -> tuple[str, int]:
        count = self.scenario["flow"]["small"]
        if not hasattr(self, "small"):
            self.small = flows.new_flow(self.client)
            flows.fill_with_own_objects(self.client, self.small, "small", count)
        return self.small, count

    def measure_reads(self) -> None:
        flow, count = self.small_flow()
        page = self.scenario["flow"]["page"]
        flows.check_pages(self.client, flow, count, page, "&accept_get_urls=", signed=False)
        flows.check_pages(self.client, flow, count, page, "&presigned=true", signed=True)
        no_op, plain, signed = self.rounds(self.no_op_get,
                                           lambda: self.get_pages(flow, count, "&accept_get_urls="),
                                           lambda: self.get_pages(flow, count, "&presigned=true"))
        for work, run, goal in ((f"GET {page} segments, accept_get_urls=", plain, self.goals["segments"]),
                                (f"GET {page} segments, signed URLs", signed, self.goals["signed"])):
            self.ratio_row(work, run["per_second"] / no_op["per_second"], goal, requests_text(run),
                           f"GET /: {requests_text(no_op)}")

    def measure_posts(self) -> None:
        post = self.scenario["post"]
        targets = [flows.new_flow(self.client) for _ in range(post["flows"])]
        paths = [f"{flow}/segments" for flow in targets]
        posted, first = 0, 0

        def post_one() -> dict:
            nonlocal posted, first
            run = self.wrk.run("post_segment", paths[0], first, *paths)
            posted, first = posted + run["requests"], first + 1_000_000
            return run

        syncs = max(fsyncs_per_second(self.folder, post["fsyncs"]) for _ in range(3))
        no_op, run = self.rounds(self.no_op_post, post_one)
        syncs = max(syncs, fsyncs_per_second(self.folder, post["fsyncs"]))
        stored = sum(flows.count_segments(self.client, flow) for flow in targets)
        rounds, clients = self.scenario["run"]["rounds"], self.wrk.connections
        if not posted <= stored <= posted + rounds * clients:  # wrk does not wait for the last answer of a connection
            raise Failed(f"{posted} segments were acknowledged, {stored} are there")
        limit = syncs * clients
        ratio, of_limit = run["per_second"] / no_op["per_second"], run["per_second"] / limit
        self.rows.append(Row(
            f"POST one segment, durable, {clients} clients",
            f"≥ {self.goals['post']} × no-op POST or ≥ {self.goals['post_of_fsync']} × fsync limit",
            f"{ratio:.2f} ×, {of_limit:.2f} × limit", f"{requests_text(run)}, p99 {run['p99_us'] / 1000:.1f} ms",
            f"POST /service: {requests_text(no_op)}; {syncs:,.0f} fsync/s × {clients} clients = {limit:,.0f}/s",
            ratio >= self.goals["post"] or of_limit >= self.goals["post_of_fsync"]))

    def measure_bulk(self) -> None:
        post = self.scenario["post"]
        count, requests, clients = post["bulk"], post["bulk_requests"], post["bulk_clients"]
        lanes = [Lane(self.server.port) for _ in range(clients)]

        def ours(some: list[Lane]) -> dict:
            for lane in some:
                lane.prepare(count, requests // len(some))
            threads = [threading.Thread(target=lane.post) for lane in some]
            begin = time.perf_counter()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return {"per_second": requests * count / (time.perf_counter() - begin)}

        def loop() -> dict:
            command = [self.programs / "bench_sqlite_loop", self.folder / "loop", count, requests]
            done = subprocess.run(list(map(str, command)), text=True, capture_output=True)
            if done.returncode:
                raise Failed(f"bench_sqlite_loop: {done.stderr}")
            return json.loads(done.stdout)

        many, one, bare = self.rounds(lambda: ours(lanes), lambda: ours(lanes[:1]), loop)
        for lane in lanes:
            lane.check()
        self.ratio_row(f"bulk POST of {count}, {clients} clients", many["per_second"] / bare["per_second"],
                       self.goals["bulk"], f"{many['per_second']:,.0f} segments/s (one client {one['per_second']:,.0f})",
                       f"bare SQLite loop: {bare['per_second']:,.0f} segments/s")

    def measure_auth(self) -> None:
        """The first row's GET with an API key, at a server of its own, against the same without."""
        flow, count = self.small_flow()
        data = self.folder / "guarded"
        made = subprocess.run([self.programs / "reelhouse", "keys", "create", "bench", "--role", "admin", "--data-dir",
                               data], text=True, capture_output=True)
        if made.returncode:
            raise Failed(f"keys create: {made.stderr}")
        key = {"X-Api-Key": made.stdout.strip()}
        with Server(self.programs / "reelhouse", data, "--set", "auth.modes=api_key") as server:
            client = Client(server.port, key)
            guarded = flows.new_flow(client)
            flows.fill_with_own_objects(client, guarded, "small", count)
            client.close()
            wrk = Wrk(server, self.wrk.connections, self.wrk.seconds, key)
            query, page = "&accept_get_urls=", self.scenario["flow"]["page"]
            path = f"{guarded}/segments"
            without, with_key = self.rounds(lambda: self.get_pages(flow, count, query),
                                            lambda: wrk.run("get_segments", path, path, count, page, query))
        ratio, goal = with_key["cpu_us"] / without["cpu_us"], self.goals["auth_cpu_at_most"]
        self.rows.append(Row("CPU of that GET with an API key", f"≤ {goal} ×", f"{ratio:.2f} ×", requests_text(with_key),
                             requests_text(without), ratio <= goal))

    def measure_large(self) -> None:
        small, small_count = self.small_flow()
        count = self.scenario["flow"]["large_full" if self.full else "large"]
        page = self.scenario["flow"]["page"]
        large = flows.new_flow(self.client)
        begin = time.perf_counter()
        flows.fill(self.client, large, "large", count)
        loaded = count / (time.perf_counter() - begin)
        query = "&accept_get_urls="
        flows.check_pages(self.client, large, count, page, query, signed=False)
        # One client: the median is then the time of a request and not of the queue before it.
        one = Wrk(self.server, 1, self.wrk.seconds)
        path = f"{large}/segments"
        runs = [[], []]
        for _ in range(self.scenario["run"]["rounds"]):
            for found, flow, segments in ((runs[0], small, small_count), (runs[1], large, count)):
                path = f"{flow}/segments"
                found.append(one.run("get_segments", path, path, segments, page, query))
        few, many = (min(run["p50_us"] for run in found) for found in runs)
        goal = self.goals["large_p50_at_most"]
        self.rows.append(Row(f"p50 of that GET, flow of {count:,} against {small_count:,}", f"≤ {goal} ×",
                             f"{many / few:.2f} ×", f"{many} µs", f"{few} µs", many / few <= goal))
        self.get_pages(large, count, query)
        rss, most = rss_mb(self.server.pid), self.goals["rss_mb_at_most"]
        self.rows.append(Row("server RSS after that", f"≤ {most} MB", f"{rss:.0f} MB", f"{rss:.0f} MB",
                             f"loaded at {loaded:,.0f} segments/s", rss <= most))

    def measure_deletion(self) -> None:
        """One client reads and writes at a steady pace, alone and then beside the deletion of a long flow."""
        small, count = self.small_flow()
        written = flows.new_flow(self.client)
        posted = 0

        def pace(seconds: float) -> float:
            """The 99th percentile, in ms."""
            nonlocal posted
            took, end = [], time.perf_counter() + seconds
            while time.perf_counter() < end:
                begin = time.perf_counter()
                if len(took) % 2:
                    self.client.ask("POST", f"{written}/segments", flows.segments_body("paced", posted, 1), 201)
                    posted += 1
                else:
                    self.client.ask("GET", f"{small}/segments?timerange=[{posted % count}:0_&limit=30&accept_get_urls=")
                took.append(time.perf_counter() - begin)
                time.sleep(max(0.0, 0.005 - took[-1]))
            return 1000 * sorted(took)[len(took) * 99 // 100]

        doomed_count = self.scenario["flow"]["deletion_full" if self.full else "deletion"]
        doomed = flows.new_flow(self.client)
        flows.fill(self.client, doomed, "doomed", doomed_count)
        seconds = self.scenario["run"]["deletion_seconds"]
        wait_until_idle(self.server.pid)  # figures are taken in after a load
        idle = pace(seconds)
        begin = time.perf_counter()
        self.client.ask("DELETE", doomed, expected=202)
        answered = 1000 * (time.perf_counter() - begin)
        request = self.client.headers["Location"].removeprefix(self.server.url)
        other = Client(self.server.port)
        running = lambda: other.get(request)["status"] != "done"  # noqa: E731
        busy = pace(seconds)
        if not running():
            raise Failed("the deletion ended too soon to be measured")
        begin_rest = time.perf_counter()
        while running():
            time.sleep(0.5)
        whole = seconds + time.perf_counter() - begin_rest
        goal, times = self.goals["deletion_ms_at_most"], self.goals["deletion_p99_at_most"]
        self.rows.append(Row(f"DELETE of a flow of {doomed_count:,} segments", f"≤ {goal} ms", f"{answered:.1f} ms",
                             f"all gone after {whole:.0f} s", "", answered <= goal))
        self.rows.append(Row("p99 of a GET or POST meanwhile", f"≤ {times} × idle", f"{busy / idle:.2f} ×",
                             f"{busy:.2f} ms", f"{idle:.2f} ms", busy / idle <= times))

    def measure_media(self) -> None:
        size = self.scenario["media"]["bytes" if self.full else "bytes_quick"]
        files = self.folder / "files"
        files.mkdir()
        block = os.urandom(1 << 20)
        with (files / "object").open("wb") as out:
            for _ in range(size >> 20):
                out.write(block)
            os.fsync(out.fileno())
        gib = f"{size / (1 << 30):g} GiB"
        rounds = self.scenario["run"]["rounds"]
        flow = flows.new_flow(self.client)
        with (files / "object").open("rb") as source:
            digest = hashlib.file_digest(source, "sha256").hexdigest()
            puts, loops = [], []
            for i in range(rounds):
                body = json.dumps({"object_ids": [f"big/{i}"]})
                answer = json.loads(self.client.ask("POST", f"{flow}/storage", body, 201))
                place = answer["media_objects"][0]["put_url"]
                url = place["url"].removeprefix(self.server.url)
                puts.append(upload(self.server.port, url, source, size, place["content-type"]))
                loops.append(write_and_sync(self.folder / "written", block, size))
        self.ratio_row(f"upload of {gib}", min(loops) / min(puts), self.goals["upload"], speed_text(size, min(puts)),
                       f"pwrite + fsync: {speed_text(size, min(loops))}")
        self.client.ask("POST", f"{flow}/segments", '{"object_id":"big/0","timerange":"[0:0_1:0)"}', 201)
        found = self.client.get(f"{flow}/segments?presigned=true")
        url = found[0]["get_urls"][0]["url"].removeprefix(self.server.url)
        arrived = hashlib.sha256()
        download(self.server.port, url, arrived.update)
        if arrived.hexdigest() != digest:
            raise Failed("the downloaded bytes differ from those uploaded")
        with nginx(self.folder, files) as port:
            ours, theirs = [], []
            for _ in range(2 * rounds):
                ours.append(complete(download(self.server.port, url), size))
                theirs.append(complete(download(port, "/object"), size))
        self.ratio_row(f"download of {gib}", min(theirs) / min(ours), self.goals["download"],
                       speed_text(size, min(ours)), f"nginx: {speed_text(size, min(theirs))}")

    def ratio_row(self, work: str, ratio: float, goal: float, ours: str, against: str) -> None:
        self.rows.append(Row(work, f"≥ {goal} ×", f"{ratio:.2f} ×", ours, against, ratio >= goal))


def fsyncs_per_second(folder: Path, count: int) -> float:
    """What the disk can do: 4 kB appended and made durable, again and again, by one thread."""
    page = os.urandom(4096)
    path = folder / "fsyncs"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    begin = time.perf_counter()
    for i in range(count):
        os.pwrite(descriptor, page, i * len(page))
        os.fdatasync(descriptor)
    seconds = time.perf_counter() - begin
    os.close(descriptor)
    path.unlink()
    return count / seconds


def write_and_sync(path: Path, block: bytes, size: int) -> float:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    begin = time.perf_counter()
    for at in range(0, size, len(block)):
        os.pwrite(descriptor, block, at)
    os.fsync(descriptor)
    seconds = time.perf_counter() - begin
    os.close(descriptor)
    path.unlink()
    return seconds


def complete(run: tuple[float, int], size: int) -> float:
    if run[1] != size:
        raise Failed(f"{run[1]} of {size} bytes arrived")
    return run[0]


def speed_text(size: int, seconds: float) -> str:
    return f"{size / seconds / 1e6:,.0f} MB/s"


def print_table(rows: list[Row]) -> None:
    head = ("work", "goal", "measured", "Reelhouse", "against", "verdict")
    lines = [(row.work, row.goal, row.measured, row.ours, row.against, "met" if row.passed else "SHORT") for row in rows]
    widths = [max(map(len, column)) for column in zip(head, *lines)]
    for line in (head, ["-" * width for width in widths], *lines):
        print("| " + " | ".join(text.ljust(width) for text, width in zip(line, widths)) + " |")


def describe_machine(folder: Path) -> None:
    model = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    git = subprocess.run(["git", "-c", "safe.directory=*", "describe", "--always", "--dirty", "--abbrev=12"],
                         cwd=HERE, text=True, capture_output=True).stdout.strip()
    kind = subprocess.run(["stat", "--file-system", "--format=%T", folder], text=True, capture_output=True).stdout.strip()
    server, clients = halves()
    load = os.getloadavg()[0]
    print(f"commit {git or 'unknown'}; {model}, {os.cpu_count()} processors (server on {server}, clients on {clients}), "
          f"Linux {platform.release()}, {kind}, load average {load:.1f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=Path, required=True, help="the build with reelhouse and bench_*")
    parser.add_argument("--full", action="store_true", help="10 M segments and 1 GiB instead of 1 M and a quarter")
    parser.add_argument("--only", default="", choices=["reads", "posts", "bulk", "auth", "large", "deletion", "media"])
    parser.add_argument("--folder", type=Path, help="where the data lies (default: a temporary folder)")
    arguments = parser.parse_args()
    scenario = tomllib.loads((HERE / "scenarios/tams.toml").read_text())
    with tempfile.TemporaryDirectory(prefix="reelhouse-bench-", dir=arguments.folder) as folder:
        bench = Bench(scenario, Path(folder), arguments.programs.resolve(), arguments.full, arguments.only)
        code = 0
        try:
            bench.run()
            code = 0 if bench.complete else 1
        except Failed as failure:
            print(f"bench: {failure}", file=sys.stderr)
            code = 1
        describe_machine(Path(folder))
        print_table(bench.rows)
    return code


if __name__ == "__main__":
    sys.exit(main())
