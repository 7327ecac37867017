#!/usr/bin/env python3
"""Whether changes of columns cost the same for many rows as for few, and hold no writer up. Run by `./dev bench
columns`."""
import argparse
import contextlib
import json
import statistics
import sys
import tempfile
import threading
import time
import tomllib
from pathlib import Path

import flows
from client import Client
from measure import HERE, Failed, Server
from tams import Row, describe_machine, print_table


class Writer(threading.Thread):
    """Posts one segment after the other, and notes how long each took."""

    def __init__(self, port: int):
        super().__init__(daemon=True)
        self.client, self.stopped, self.times = Client(port), threading.Event(), []
        self.flow = flows.new_flow(self.client)

    def run(self) -> None:
        for i in range(10**9):
            if self.stopped.is_set():
                return
            begin = time.perf_counter()
            self.client.ask("POST", f"{self.flow}/segments", flows.segments_body(self.flow[-8:], i, 1), 201)
            self.times.append(time.perf_counter() - begin)

    def stop(self) -> list[float]:
        self.stopped.set()
        self.join()
        return self.times


class Side:
    """A server with so many segments."""

    def __init__(self, server: Server, segments: int):
        self.client, self.port, self.segments = Client(server.port), server.port, segments
        flows.fill(self.client, flows.new_flow(self.client), "bench", segments)
        self.client.close()
        self.client = Client(server.port)

    def rows(self) -> int:
        return self.client.get("/tables/segments/stats")["rows"]

    def change(self, **operation) -> float:
        """Milliseconds of one migration."""
        begin = time.perf_counter()
        self.client.ask("POST", "/tables/segments/migrations", json.dumps({"operations": [operation]}))
        return (time.perf_counter() - begin) * 1e3

    def measure(self, changes: int) -> dict[str, list[float]]:
        """What each kind of change took, and the writes meanwhile, in milliseconds."""
        writer = Writer(self.port)
        writer.start()
        times = {"add a column": [], "rename a column": [], "drop a column": []}
        for i in range(changes):
            times["add a column"].append(
                self.change(op="add_column", name=f"c{i}", type="int64", nullable=False, default=i))
            times["rename a column"].append(self.change(op="rename_column", column=f"c{i}", name=f"d{i}"))
            times["drop a column"].append(self.change(op="drop_column", column=f"d{i}"))
        times["writes"] = [seconds * 1e3 for seconds in writer.stop()]
        return times


def compare(small: dict, large: dict, goals: dict) -> list[Row]:
    rows = []
    for name in small:
        if name == "writes":
            continue
        few, many = statistics.median(small[name]), statistics.median(large[name])
        rows.append(Row(name, f"≤ {goals['time_at_most']} ×", f"{many / few:.2f} ×", f"{many:.2f} ms", f"{few:.2f} ms",
                        many / few <= goals["time_at_most"]))
    slowest, slowest_few = max(large["writes"]), max(small["writes"])
    rows.append(Row("slowest write meanwhile", f"≤ {goals['blocked_ms_at_most']} ms", f"{slowest:.1f} ms",
                    f"p50 {statistics.median(large['writes']):.2f} ms of {len(large['writes']):,}",
                    f"{slowest_few:.1f} ms", slowest <= goals["blocked_ms_at_most"]))
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=Path, required=True, help="the build with reelhouse")
    parser.add_argument("--quick", action="store_true", help="1 M rows instead of 10 M")
    parser.add_argument("--folder", type=Path, help="where the data lies (default: a temporary folder)")
    arguments = parser.parse_args()
    scenario = tomllib.loads((HERE / "scenarios/columns.toml").read_text())
    counts = (scenario["rows"]["small"], scenario["rows"]["large_quick" if arguments.quick else "large"])
    rows: list[Row] = []
    code = 0
    with tempfile.TemporaryDirectory(prefix="reelhouse-bench-", dir=arguments.folder) as folder:
        try:
            measured = []
            for name, count in zip(("small", "large"), counts):
                data = Path(folder) / name / "data"
                data.mkdir(parents=True)
                with contextlib.ExitStack() as stack:
                    side = Side(stack.enter_context(Server(arguments.programs.resolve() / "reelhouse", data)), count)
                    if side.rows() != count:
                        raise Failed(f"the table has {side.rows()} rows, not {count}")
                    measured.append(side.measure(scenario["run"]["changes"]))
            rows = compare(*measured, scenario["goals"])
        except Failed as failure:
            print(f"bench: {failure}", file=sys.stderr)
            code = 1
        describe_machine(Path(folder))
    print(f"{counts[1]:,} rows against {counts[0]:,}:")
    print_table(rows)
    return code


if __name__ == "__main__":
    sys.exit(main())
