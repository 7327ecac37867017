"""./dev fmt and lint: clang-format and clang-tidy with the rules at the root of the checkout."""
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dev import build, packages, shell

CPP = ["*.h", "*.cc"]


def fmt(check: bool) -> None:
    packages.setup("all")
    files = shell.git("ls-files", "--cached", "--others", "--exclude-standard", "--", *CPP)
    mode = ["--dry-run", "-Werror"] if check else ["-i"]
    if files:
        shell.run(["clang-format-19", *mode, *[name for name in files if (shell.ROOT / name).exists()]])


def changed() -> list[str]:
    """What differs from the point where this branch left main, with what is not committed yet."""
    base = shell.git("merge-base", "HEAD", "main")[0]
    return (shell.git("diff", "--name-only", "--diff-filter=d", base, "--", *CPP)
            + shell.git("ls-files", "--others", "--exclude-standard", "--", *CPP))


def lint(everything: bool) -> None:
    packages.setup("all")
    build.build("dev", [])  # for the compilation database and the precompiled headers it refers to
    names = shell.git("ls-files", "--", *CPP) if everything else changed()
    # A header is read through the source beside it.
    sources = sorted({str(Path(name).with_suffix(".cc")) for name in names})
    sources = [name for name in sources if (shell.ROOT / name).exists()]

    def tidy(source: str) -> bool:
        command = ["clang-tidy-19", "-p", str(build.folder("dev")), "--quiet", source]
        done = subprocess.run(command, cwd=shell.ROOT, text=True, capture_output=True)
        print(f"+ {' '.join(command)}\n{done.stdout}", end="", flush=True)
        if done.returncode and not done.stdout:
            print(done.stderr, flush=True)
        return done.returncode == 0

    with ThreadPoolExecutor(shell.CORES) as pool:
        results = list(pool.map(tidy, sources))
    print(f"{len(results)} sources, {results.count(False)} with findings")
    if not all(results):
        raise shell.Failed("clang-tidy found something")
