#!/usr/bin/env python3
"""Whether reports cost the same for many segments as for few. Run by `./dev bench analytics`."""
import argparse
import contextlib
import re
import statistics
import sys
import tempfile
import time
import tomllib
from pathlib import Path

import flows
from client import Client
from measure import HERE, Failed, Server, rss_mb, wait_until_idle
from tams import Row, describe_machine, print_table

TAKEN_IN_SECONDS_MAX = 7200


class Side:
    """A server with one flow of so many segments, one after the other."""

    def __init__(self, server: Server, segments: int):
        self.server, self.client, self.segments = server, Client(server.port), segments
        self.flow = flows.new_flow(self.client)
        begin = time.perf_counter()
        flows.fill(self.client, self.flow, "bench", segments)
        self.loaded_s = time.perf_counter() - begin
        self.wait_until_taken_in()
        self.taken_in_s = time.perf_counter() - begin

    def wait_until_taken_in(self) -> None:
        deadline = time.monotonic() + TAKEN_IN_SECONDS_MAX
        while time.monotonic() < deadline:
            text = self.client.ask("GET", "/metrics").decode()
            if float(re.search(r"^reelhouse_analytics_lag_changes (\S+)$", text, re.M)[1]) == 0:
                return
            time.sleep(0.5)
        raise Failed("the segments were not taken in")

    def reports(self) -> dict[str, tuple[str, dict]]:
        """Name, path and some of what must be answered. The range cuts segments at both ends."""
        id_ = self.flow.rpartition("/")[2]
        middle = self.segments // 3
        cut = f"timerange=[{middle}:500000000_{2 * middle}:500000000)"
        return {
            "time-range-analysis": ("/analytics/time-range-analysis", {"total_segments": self.segments}),
            "time-range-analysis of a flow": (f"/analytics/time-range-analysis?flow_id={id_}", {"total_segments": self.segments}),
            "time-range-analysis of a flow and a range": (f"/analytics/time-range-analysis?flow_id={id_}&{cut}",
                                       {"total_segments": middle + 1, "total_duration_seconds": middle + 1}),
            "storage-usage": ("/analytics/storage-usage", {"total_objects": self.segments}),
            "storage-usage of a flow": (f"/analytics/storage-usage?flow_id={id_}", {"total_objects": self.segments}),
            "flow-usage": ("/analytics/flow-usage", {"total_flows": 1}),
            "catalog-summary": ("/analytics/catalog-summary", {}),
        }

    def p50_us(self, path: str, expected: dict, requests: int) -> float:
        self.client.close()
        self.client = Client(self.server.port)  # the old one may have been idle for too long
        answer = self.client.get(path)
        if not answer or any(answer[name] != value for name, value in expected.items()):
            raise Failed(f"GET {path} answers {answer}, not {expected}")
        times = []
        for _ in range(requests):
            begin = time.perf_counter()
            self.client.ask("GET", path)
            times.append(time.perf_counter() - begin)
        return statistics.median(times) * 1e6


def measure(small: Side, large: Side, scenario: dict) -> list[Row]:
    goal, run = scenario["goals"]["p50_at_most"], scenario["run"]
    rows = []
    for name, few, many in zip(small.reports(), small.reports().values(), large.reports().values()):
        pairs = [[side.p50_us(*what, run["requests"]) for side, what in ((small, few), (large, many))]
                 for _ in range(run["rounds"])]
        best = [min(pair[i] for pair in pairs) for i in range(2)]
        ratio = best[1] / best[0]
        rows.append(Row(f"p50 of GET {name}", f"≤ {goal} ×", f"{ratio:.2f} ×", f"{best[1]:,.0f} µs",
                        f"{best[0]:,.0f} µs", ratio <= goal))
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=Path, required=True, help="the build with reelhouse")
    parser.add_argument("--quick", action="store_true", help="1 M segments instead of 10 M")
    parser.add_argument("--folder", type=Path, help="where the data lies (default: a temporary folder)")
    arguments = parser.parse_args()
    scenario = tomllib.loads((HERE / "scenarios/analytics.toml").read_text())
    counts = (scenario["flow"]["small"], scenario["flow"]["large_quick" if arguments.quick else "large"])
    rows: list[Row] = []
    code = 0
    with tempfile.TemporaryDirectory(prefix="reelhouse-bench-", dir=arguments.folder) as folder:
        with contextlib.ExitStack() as stack:
            sides = []
            try:
                for name, count in zip(("small", "large"), counts):
                    data = Path(folder) / name / "data"
                    data.mkdir(parents=True)
                    server = stack.enter_context(Server(arguments.programs.resolve() / "reelhouse", data))
                    side = Side(server, count)
                    print(f"bench: {count:,} segments: {count / side.loaded_s:,.0f}/s posted, "
                          f"{count / side.taken_in_s:,.0f}/s until the figures contained them, "
                          f"RSS {rss_mb(server.pid):.0f} MB", flush=True)
                    sides.append(side)
                for side in sides:
                    wait_until_idle(side.server.pid)
                rows = measure(*sides, scenario)
            except Failed as failure:
                print(f"bench: {failure}", file=sys.stderr)
                code = 1
        describe_machine(Path(folder))
    print(f"{counts[1]:,} segments against {counts[0]:,}:")
    print_table(rows)
    return code


if __name__ == "__main__":
    sys.exit(main())
