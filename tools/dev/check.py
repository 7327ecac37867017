"""./dev fmt and lint: clang-format and clang-tidy with the rules at the root of the checkout."""
import hashlib
import json
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


def output_of(command: str) -> str:
    words = command.split()
    return words[words.index("-o") + 1]


class Clean:
    """Remembers in the build folder which sources were found clean, with all that clang-tidy read for them."""

    def __init__(self, folder: Path):
        self.folder, self.file = folder, folder / "lint.json"
        self.known = json.loads(self.file.read_text()) if self.file.exists() else {}
        rules = shell.git("ls-files", "--", ".clang-tidy", "**/.clang-tidy")
        self.rules = [shell.output(["clang-tidy-19", "--version"]).encode(),
                      *((shell.ROOT / name).read_bytes() for name in rules)]
        self.read = self.files_read()

    def files_read(self) -> dict[str, list[Path]]:
        """Each source's own headers and itself, as ninja knows them."""
        objects, found = {}, []
        for line in shell.output(["ninja", "-C", self.folder, "-t", "deps"]).splitlines():
            if line.endswith("(VALID)"):
                found = objects.setdefault(line.split(":")[0], [])
            elif line.startswith("    "):
                path = (self.folder / line.strip()).resolve()
                if path.is_relative_to(shell.ROOT) and not path.is_relative_to(self.folder):
                    found.append(path)
        commands = json.loads((self.folder / "compile_commands.json").read_text())
        return {str(Path(command["file"]).relative_to(shell.ROOT)): objects.get(output_of(command["command"]), [])
                for command in commands if Path(command["file"]).is_relative_to(shell.ROOT)}

    def state(self, source: str) -> str:
        """A hash; empty when it is not known what the source reads."""
        files = self.read.get(source)
        if not files:
            return ""
        parts = [*self.rules, *(path.read_bytes() for path in sorted(set(files)) if path.exists())]
        return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()

    def has(self, source: str) -> bool:
        return self.known.get(source, "") == self.state(source) != ""

    def add(self, source: str, state: str) -> None:
        self.known[source] = state
        self.file.write_text(json.dumps(self.known, indent=1))


def lint(everything: bool) -> None:
    packages.setup("all")
    build.build("dev", [])  # for the compilation database and the precompiled headers it refers to
    names = shell.git("ls-files", "--", *CPP) if everything else changed()
    # A header is read through the source beside it.
    sources = sorted({str(Path(name).with_suffix(".cc")) for name in names})
    sources = [name for name in sources if (shell.ROOT / name).exists()]
    clean = Clean(build.folder("dev"))
    todo = [source for source in sources if not clean.has(source)]

    def tidy(source: str) -> bool:
        state = clean.state(source)  # before it is read: it may be edited meanwhile
        command = ["clang-tidy-19", "-p", str(build.folder("dev")), "--quiet", source]
        done = subprocess.run(command, cwd=shell.ROOT, text=True, capture_output=True)
        print(f"+ {' '.join(command)}\n{done.stdout}", end="", flush=True)
        if done.returncode and not done.stdout:
            print(done.stderr, flush=True)
        if done.returncode == 0:
            clean.add(source, state)
        return done.returncode == 0

    with ThreadPoolExecutor(shell.CORES) as pool:
        results = list(pool.map(tidy, todo))
    print(f"{len(sources)} sources, {len(sources) - len(todo)} of them clean since last time, "
          f"{results.count(False)} with findings")
    if not all(results):
        raise shell.Failed("clang-tidy found something")
