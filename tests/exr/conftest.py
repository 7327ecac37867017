"""Files and the command for the tests of OpenEXR."""
from pathlib import Path

import pytest
from exr_program import Exr


@pytest.fixture(scope="session")
def exr() -> Exr:
    return Exr()


@pytest.fixture(scope="session")
def write(tmp_path_factory):
    """Writes files of a dict of names and bytes into a folder of their own."""
    def into(files: dict[str, bytes]) -> Path:
        folder = tmp_path_factory.mktemp("exr")
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return folder

    return into
