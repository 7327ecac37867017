"""The picture of a session with the SQL shell in docs/guide/sql-shell.svg.

`tests/cli/shell_recording.py` makes it anew, from what the program does; test_sql_shell.py checks that it is true.
"""
import re
import sys
import tempfile
from html import escape, unescape
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from reelhouse_server import ROOT, environment, program  # noqa: E402: the path comes first
from terminal import Terminal  # noqa: E402

PICTURE = ROOT / "docs/guide/sql-shell.svg"
COLUMNS = 100
# What is typed, and the prompt that follows.
SESSION = [
    ("CREATE TABLE takes (id BIGINT PRIMARY KEY, scene VARCHAR NOT NULL, start DECIMAL(24,9));", "reel> "),
    ("INSERT INTO takes", "   -> "),
    ("SELECT i, 'scene ' || i % 5, i * 4.5 FROM range(1000) r(i);", "reel> "),
    ("SELECT count(*) AS takes, max(start) AS last, sce\t", "   -> "),
    ("FROM tak\tGROUP BY scene ORDER BY scene;", "reel> "),
    ("SELECT scenes FROM takes;", "reel> "),
    (".timer on", "reel> "),
    ("BEGIN; DELETE FROM takes WHERE scene = 'scene 3';", "reel*> "),
    ("SELECT count(*) FROM takes;", "reel*> "),
    ("ROLLBACK;", "reel> "),
    (".schema takes", "reel> "),
]


def record(home: Path) -> str:
    """What the terminal shows in the end."""
    variables = environment(HOME=str(home), XDG_STATE_HOME="")
    terminal = Terminal([program(), "sql", "--data-dir", "media"], variables, COLUMNS, folder=home)
    try:
        terminal.wait_for_line("reel> ")
        for line, prompt in SESSION:
            *pieces, rest = line.split("\t")
            for piece in pieces:
                terminal.type(piece + "\t")
                word = piece.split()[-1]
                terminal.wait_for(lambda: terminal.screen.line[:terminal.screen.column].split()[-1] != word, f"more of {word}")
            terminal.enter(rest, prompt)
        return terminal.screen.text()
    finally:
        terminal.close()


def picture(text: str) -> str:
    lines = text.rstrip("\n").split("\n")
    shown = "\n".join(f'<text x="16" y="{31 + 18 * i}">{escape(line, quote=False)}</text>'
                      for i, line in enumerate(lines))
    width, height = round(COLUMNS * 8.43) + 32, 18 * len(lines) + 32
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"
     font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" fill="#e6e6e6">
<title>A session with reelhouse sql</title>
<style>text {{ white-space: pre }}</style>
<rect width="100%" height="100%" rx="8" fill="#1b1e24"/>
{shown}
</svg>
"""


def timeless(text: str) -> str:
    """Without what differs from one run to the next."""
    return re.sub(r"time: \d+\.\d+ s", "time: … s", text)


def text_of(picture_: str) -> str:
    return unescape("\n".join(re.findall(r"<text [^>]*>(.*)</text>", picture_)))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        PICTURE.write_text(picture(record(Path(folder))))
