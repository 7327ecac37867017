#!/usr/bin/env python3
"""What SQL costs over the tables of the store. Run by `./dev bench sql`."""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from measure import HERE, Failed
from tams import Row, describe_machine, print_table


def measure(program: Path, folder: Path, segments: int, lookups: int) -> dict:
    done = subprocess.run([program, folder / "data", str(segments), str(lookups)], text=True, capture_output=True)
    if done.returncode:
        raise Failed(f"{program.name}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def judge(found: dict, goals: dict) -> list[Row]:
    times, share = found["point_us"] / found["select_one_us"], found["scan_one_thread"] / found["loop"]
    used = found["aggregation_cpu_per_wall"]
    return [
        Row("point query by key", f"≤ {goals['point_times_at_most']} ×", f"{times:.2f} ×", f"{found['point_us']:.0f} µs",
            f"SELECT 1: {found['select_one_us']:.0f} µs", times <= goals["point_times_at_most"]),
        Row("full scan, all columns, one thread", f"≥ {goals['scan_share_at_least']} ×", f"{share:.2f} ×",
            f"{found['scan_one_thread']:,.0f} rows/s", f"sqlite3_step: {found['loop']:,.0f} rows/s",
            share >= goals["scan_share_at_least"]),
        Row(f"the same, {found['threads']} threads", "", f"{found['scan'] / found['loop']:.2f} ×",
            f"{found['scan']:,.0f} rows/s", f"{found['scan_cpu_per_wall']:.2f} processors", True),
        Row("aggregation", f"≥ {goals['processors_used_at_least']} processors", f"{used:.2f}",
            f"{found['rows'] / found['aggregation_seconds']:,.0f} rows/s", "",
            used >= goals["processors_used_at_least"] or os.cpu_count() == 1),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=Path, required=True, help="the build with bench_sql_in_process")
    parser.add_argument("--quick", action="store_true", help="300,000 rows instead of 5 M")
    parser.add_argument("--folder", type=Path, help="where the data lies (default: a temporary folder)")
    arguments = parser.parse_args()
    scenario = tomllib.loads((HERE / "scenarios/sql.toml").read_text())
    rows = scenario["rows"]
    segments = rows["segments_quick" if arguments.quick else "segments"]
    with tempfile.TemporaryDirectory(prefix="reelhouse-bench-", dir=arguments.folder) as folder:
        try:
            found = measure(arguments.programs.resolve() / "bench_sql_in_process", Path(folder), segments, rows["lookups"])
        except Failed as failure:
            print(f"bench: {failure}", file=sys.stderr)
            return 1
        describe_machine(Path(folder))
    print(f"{segments:,} segments of one flow:")
    print_table(judge(found, scenario["goals"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
