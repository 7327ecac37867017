"""Running commands, always shown before they run."""
import os
import shlex
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORES = os.cpu_count() or 1


class Failed(Exception):
    """Ends a verb with a message and an exit code."""

    def __init__(self, message: str, code: int = 1):
        super().__init__(message)
        self.code = code


def show(command: list) -> None:
    print("+", shlex.join(str(word) for word in command), flush=True)


def run(command: list, **options) -> None:
    """Shows and runs a command in the checkout; Failed unless it succeeds."""
    show(command)
    code = subprocess.run(command, cwd=ROOT, **options).returncode
    if code:
        raise Failed(f"{Path(command[0]).name} ended with {code}", code if code > 0 else 1)


def output(command: list) -> str:
    """The standard output of a quick look-up, not shown; Failed unless it succeeds."""
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
    if done.returncode:
        raise Failed(f"{shlex.join(command)}: {done.stderr.strip()}")
    return done.stdout


def git(*words: str) -> list[str]:
    """The lines that a git command prints. Works in a checkout that another user owns, as in a container."""
    return output(["git", "-c", "safe.directory=*", *words]).splitlines()
