"""The SQL shell, driven through a terminal."""
import stat
from pathlib import Path

import pytest
import shell_recording
from reelhouse_server import environment, has_terminals, program
from terminal import Terminal

pytestmark = pytest.mark.skipif(not has_terminals(), reason="no terminals here to try a shell on (/dev/pts)")

PROMPT = "reel> "
OPEN = "reel*> "  # in a transaction
LONG = "SELECT count(*) FROM range(100000000000) a, range(1000) b;"


class Shell(Terminal):
    def __init__(self, home: Path, *words, **variables):
        variables = {"HOME": str(home), "XDG_STATE_HOME": "", **variables}
        super().__init__([program(), "sql", *words], environment(**variables))
        self.wait_for_line(PROMPT)

    def sql(self, line: str, prompt: str = PROMPT) -> str:
        return self.enter(line, prompt)

    def edit(self, keys: str, line: str) -> None:
        """Types keys that leave this line."""
        self.type(keys)
        self.wait_for_line(line)

    def leave(self) -> int:
        self.type("\x04")
        return self.end()


@pytest.fixture
def shell_with(tmp_path):
    shells = []

    def start(*words, **variables) -> Shell:
        words = words or ("--data-dir", tmp_path / "data")
        shells.append(Shell(tmp_path, *words, **variables))
        return shells[-1]

    yield start
    for shell in shells:
        shell.close()


@pytest.fixture
def shell(shell_with) -> Shell:
    shell = shell_with()
    shell.sql("CREATE TABLE takes (id BIGINT PRIMARY KEY, scene VARCHAR);")
    return shell


def test_a_statement_has_as_many_lines_as_it_wants(shell):
    assert shell.sql("SELECT 1 AS one,", "   -> ") == ""
    assert shell.sql("  'a;", "   -> ") == ""
    assert shell.sql("b' AS two", "   -> ") == ""
    assert shell.sql(";").split("\n") == ["one  two", "  1  a; b", "(1 row)"]
    assert shell.sql("SELECT 1; SELECT 'ÿé漢' AS text;").split("\n")[-2:] == ["ÿé漢", "(1 row)"]


def test_an_error_keeps_the_session(shell):
    shell.sql("CREATE TEMP TABLE mine (k INT);")
    assert shell.sql("SELEC 1;").startswith("error: ")
    assert "scenes" in shell.sql("SELECT scenes FROM takes;")
    assert shell.sql("INSERT INTO mine VALUES (7);") == "1 row changed"
    assert shell.sql("SELECT * FROM mine;").split("\n") == ["k", "7", "(1 row)"]
    assert shell.leave() == 0


def test_transactions_go_over_lines(shell, shell_with):
    shell.sql("BEGIN;", OPEN)
    shell.sql("INSERT INTO takes VALUES (1, 'opening');", OPEN)
    shell.sql("ROLLBACK;")
    assert "(0 rows)" in shell.sql("FROM takes;")
    shell.sql("BEGIN; INSERT INTO takes VALUES (2, 'closing');", OPEN)
    shell.sql("COMMIT;")
    shell.sql("BEGIN; DELETE FROM takes;", OPEN)
    assert shell.leave() == 0
    assert "the transaction was not committed" in shell.screen.text()
    assert "closing" in shell_with().sql("FROM takes;")


def test_tab_completes(shell):
    shell.edit("SELECT sce\t", "reel> SELECT scene")
    shell.edit("FROM tak\t", "reel> SELECT scene FROM takes")
    assert "(0 rows)" in shell.sql(";")
    shell.sql("SELECT *", "   -> ")
    shell.edit("FROM tak\t", "   -> FROM takes")
    assert "(0 rows)" in shell.sql(";")
    shell.edit(".tab\t", "reel> .tables")
    assert "takes" in shell.sql("")


def test_tab_lists_what_is_left(shell):
    shell.sql("CREATE TABLE takes_of_day_one (id INT PRIMARY KEY);")
    shell.type("FROM take\t")
    shell.wait_for_line("reel> FROM takes")
    row = shell.screen.row
    shell.type("\t")
    shell.wait_for_line("reel> FROM takes", after=row)
    assert shell.screen.lines[row + 1].split() == ["takes", "takes_of_day_one"]
    shell.edit("\t_\t", "reel> FROM takes_of_day_one")
    shell.edit("\x15  \t1", "reel>     1")  # at the beginning of a line it indents


def test_ctrl_c_cancels_the_statement_and_keeps_the_shell(shell):
    shell.sql("INSERT INTO takes SELECT i, 'x' FROM range(9000) r(i);")
    shell.sql("BEGIN;", OPEN)
    shell.type("SELECT count(*) FROM takes a, takes b, takes c WHERE a.scene || b.scene || c.scene = '';\r")
    shell.wait_for(lambda: "%, 0:01" in shell.screen.line, "the progress")
    row = shell.screen.row
    shell.type("\x03")
    shell.wait_for_line(OPEN, after=row)
    assert "error: the statement was cancelled" in shell.screen.text()
    assert "%, 0:0" not in shell.screen.text(), "the progress is taken away"
    shell.sql("ROLLBACK;")
    assert "(1 row)" in shell.sql("SELECT 1;")


def test_ctrl_c_drops_the_line(shell):
    shell.sql("SELECT 'x", "   -> ")
    shell.edit("abc", "   -> abc")
    row = shell.screen.row
    shell.type("\x03")
    shell.wait_for_line(PROMPT, after=row)
    assert shell.screen.lines[row] == "   -> abc^C"
    assert "(1 row)" in shell.sql("SELECT 1;")


def test_history_is_kept_for_the_user_alone(shell, shell_with, tmp_path):
    shell.sql("SELECT 'one'", "   -> ")
    shell.sql("AS first;")
    shell.sql(".timer off")
    shell.leave()
    path = tmp_path / ".local/state/reelhouse/sql_history"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    again = shell_with()
    again.edit("\x1b[A", "reel> .timer off")
    again.type("\x1b[A")
    again.wait_for_line("AS first;")
    assert "one" in again.sql("")
    again.type("\x12'on")
    again.wait_for(lambda: "SELECT 'one'" in again.screen.text().split(PROMPT)[-1], "the statement")


def test_history_stands_where_xdg_says(shell_with, tmp_path):
    shell = shell_with(XDG_STATE_HOME=str(tmp_path / "state"))
    shell.sql("SELECT 1;")
    assert (tmp_path / "state/reelhouse/sql_history").read_text() == '"SELECT 1;"\n'
    assert not (tmp_path / ".local").exists()


def test_a_history_that_cannot_be_kept_is_no_obstacle(shell_with, tmp_path):
    (tmp_path / "state").write_text("no folder")
    shell = shell_with(XDG_STATE_HOME=str(tmp_path / "state"))
    assert "the history is not kept: " in shell.screen.text() + shell.sql("SELECT 1;")
    assert "history" not in shell.sql("SELECT 1;")


def test_commands(shell, tmp_path):
    assert shell.sql(".tables").split("\n") == ["name", "takes", "(1 row)"]
    assert shell.sql(".schema takes").startswith("CREATE TABLE takes(id BIGINT")
    assert shell.sql(".schema nowhere") == "error: there is no table 'nowhere'"
    shell.sql(".timer on")
    assert shell.sql("SELECT 1;").split("\n")[-1].startswith("time: 0.")
    shell.sql(".timer off")
    shell.sql(".format json")
    shell.sql(f".output {tmp_path}/out.json")
    assert shell.sql("SELECT 1 AS one;") == ""
    shell.sql(".output stdout")
    assert (tmp_path / "out.json").read_text() == '[\n{"one":1}\n]\n'
    (tmp_path / "in.sql").write_text("INSERT INTO takes VALUES (1, 'a');\n.quit\nSELECT 2;")
    assert "error: " in shell.sql(f".read {tmp_path}/in.sql"), "a file has statements only"
    (tmp_path / "in.sql").write_text("INSERT INTO takes VALUES (2, 'a');\nSELECT scene FROM takes;")
    assert shell.sql(f".read {tmp_path}/in.sql").count('{"scene":"a"}') == 2, "what stood before the error was executed"
    assert ".timer on|off" in shell.sql(".help")
    shell.type(".quit\r")
    assert shell.end() == 0


def test_long_results_are_cut(shell):
    shown = shell.sql("SELECT i, repeat('x', 500) AS text FROM range(1000) r(i);").split("\n")
    assert shown[-1] == "(1000 rows, the first 40 shown)" and len(shown) == 42
    assert shown[1].endswith("x…")


@pytest.mark.parametrize("pipe", ["cat {file} | {shell}", "cat {file} - | {shell} | cat", "{shell} -f {file}"])
def test_piped_it_is_no_shell(tmp_path, pipe):
    """Everything is read, executed and printed in full, whatever else is a terminal."""
    file = tmp_path / "query.sql"
    file.write_text("SELECT i FROM range(1000) r(i); SELECT wrong; SELECT 'not executed'")
    command = pipe.format(file=file, shell=f"{program()} sql --data-dir {tmp_path}/data")
    terminal = Terminal(["bash", "-o", "pipefail", "-c", command], environment(HOME=str(tmp_path)))
    terminal.type("\x04")
    assert terminal.end() == 1
    terminal.close()
    shown = terminal.screen.text()
    assert "999" in shown and "(1000 rows)" in shown and "reelhouse sql: " in shown
    assert "reel>" not in shown and "not executed" not in shown.split("reelhouse sql: ")[1]
    assert not (tmp_path / ".local").exists()


def test_against_a_server(shell_with, serve):
    shell = shell_with("--to", serve("--set", "sql.seconds_max=10").url)
    assert "(0 rows)" in shell.sql("SELECT id FROM flows;")
    shell.edit("SELECT max_bit\t", "reel> SELECT max_bit_rate")
    assert "(0 rows)" in shell.sql("FROM flows;")
    assert "segments" in shell.sql(".tables")
    assert "every statement is a session of its own" in shell.sql("BEGIN;").replace("\n", " ")
    assert "error: " in shell.sql("SELECT nothing FROM flows;")
    shell.type(LONG + "\r")
    shell.wait_for(lambda: "0:01" in shell.screen.line, "the elapsed time")
    row = shell.screen.row
    shell.type("\x03")
    shell.wait_for_line(PROMPT, after=row)
    assert "error: cancelled" in shell.screen.text()
    assert "(1 row)" in shell.sql("SELECT 1;")
    assert shell.leave() == 0


def test_the_picture_in_the_documentation_is_true(tmp_path):
    shown = shell_recording.text_of(shell_recording.PICTURE.read_text())
    assert shell_recording.timeless(shown) == shell_recording.timeless(shell_recording.record(tmp_path))
