"""./dev bench: the google-benchmark executables of the release build."""
from dev import build, packages, shell


def main(module: str | None) -> None:
    packages.setup("all")
    build.build("release", [f"{module}_bench"] if module else [])
    programs = sorted(build.folder("release").glob(f"{module or '*'}_bench"))
    if not programs:
        raise shell.Failed("no module has a *_bench.cc yet")
    for program in programs:
        shell.run([program])
