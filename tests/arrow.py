"""pyarrow, which is no package of Debian: ./dev setup puts it where this looks."""
import sys
from pathlib import Path

sys.path.extend(map(str, (Path(__file__).resolve().parent.parent / "build" / "pypi" / "pyarrow")
                    .glob("lib/python3*/site-packages")))

import pyarrow  # noqa: E402
import pyarrow.ipc  # noqa: E402
import pyarrow.parquet  # noqa: E402

STREAM = "application/vnd.apache.arrow.stream"
__all__ = ["STREAM", "pyarrow"]
