"""./dev bench: scenarios of bench/ against the release server, and the google-benchmark executables of the modules."""
import sys

from dev import build, packages, shell

SCENARIOS = shell.ROOT / "bench/scenarios"


def main(name: str | None, arguments: list[str]) -> None:
    packages.setup("all")
    if name and (SCENARIOS / f"{name}.toml").is_file():
        return scenario(name, arguments)
    if arguments:
        raise shell.Failed(f"only scenarios take arguments: {' '.join(path.stem for path in SCENARIOS.glob('*.toml'))}")
    build.build("release", [f"{name}_bench"] if name else [])
    programs = sorted(build.folder("release").glob(f"{name or '*'}_bench"))
    if not programs:
        raise shell.Failed("no module has a *_bench.cc yet")
    for program in programs:
        shell.run([program])


def scenario(name: str, arguments: list[str]) -> None:
    build.build("release", ["reelhouse", "bench_programs"])
    shell.run([sys.executable, shell.ROOT / f"bench/{name}.py", "--programs", build.folder("release"), *arguments])
