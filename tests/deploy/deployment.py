"""What several tests read of deploy/."""
import tomllib
from pathlib import Path

import yaml
from reelhouse_server import ROOT, run

DEPLOY = ROOT / "deploy"
UID = 10001  # of the image's user, which Kubernetes must be told


def load(name: str):
    return yaml.safe_load((DEPLOY / name).read_text())


def compose() -> dict:
    return load("compose/compose.yaml")


def effective(config: Path) -> dict:
    """The configuration that a file leads to; the program refuses keys that it does not know."""
    done = run("config", "--config", config)
    assert done.returncode == 0, done.stderr
    return tomllib.loads(done.stdout)
