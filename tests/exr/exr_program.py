"""`reelhouse exr` as the tests call it."""
import json
import os
import subprocess


class Exr:
    """The binary, whose answers are read back."""

    def run(self, *words, code: int = 0, **options) -> subprocess.CompletedProcess:
        options = {"capture_output": True} | options
        done = subprocess.run([os.environ["REELHOUSE_BIN"], "exr", *map(str, words)], timeout=120, check=False, **options)
        assert done.returncode == code, (words, (done.stdout or b"")[-2000:], done.stderr[-2000:])
        return done

    def inspect(self, *words, code: int = 0, **options) -> list[dict]:
        """The lines of --json."""
        done = self.run("inspect", "--json", "--quiet", *words, code=code, **options)
        return [json.loads(line, parse_constant=no_json) for line in done.stdout.splitlines()]


def no_json(name: str):
    raise ValueError(f"{name} is no JSON")


def codes(line: dict) -> list[str]:
    return [finding["code"] for finding in line["findings"]]
