"""A terminal: runs a program on a pty, types, and shows what is then on the screen."""
import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

SECONDS_MAX = 60
SEQUENCE = re.compile(r"\x1b\[([?0-9;]*)([@-~])|\x1b([=>()].?)")


class Screen:
    """What a terminal shows, with all that has scrolled out of it. It knows what line editors use."""

    def __init__(self, columns: int):
        self.columns = columns
        self.lines = [""]
        self.row = 0
        self.column = 0
        self.unread = ""

    def feed(self, text: str) -> None:
        text = self.unread + text
        at = 0
        while at < len(text):
            if text[at] != "\x1b":
                self.put(text[at])
                at += 1
            elif match := SEQUENCE.match(text, at):
                if match.group(2):
                    self.control(match.group(2), match.group(1))
                at = match.end()
            else:
                break
        self.unread = text[at:]

    def put(self, char: str) -> None:
        if char == "\n":
            self.move(self.row + 1, self.column)
        elif char == "\r":
            self.column = 0
        elif char == "\b":
            self.column = max(0, self.column - 1)
        elif char >= " ":
            if self.column == self.columns:
                self.move(self.row + 1, 0)
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[:self.column] + char + line[self.column + 1:]
            self.column += 1

    def move(self, row: int, column: int) -> None:
        self.row, self.column = max(0, row), max(0, column)
        self.lines += [""] * (self.row + 1 - len(self.lines))

    def control(self, kind: str, words: str) -> None:
        count = int(words) if words.isdigit() else 1
        line = self.lines[self.row].ljust(self.column)
        before, after = line[:self.column], line[self.column:]
        if kind == "K":
            self.lines[self.row] = before
        elif kind == "J":
            del self.lines[self.row + 1:]
            self.lines[self.row] = before
        elif kind == "@":
            self.lines[self.row] = before + " " * count + after
        elif kind == "P":
            self.lines[self.row] = before + after[count:]
        elif kind in "ABCD":
            rows, columns = {"A": (-1, 0), "B": (1, 0), "C": (0, 1), "D": (0, -1)}[kind]
            self.move(self.row + rows * count, self.column + columns * count)
        elif kind == "G":
            self.column = count - 1
        else:
            assert kind in "mhl", f"the screen does not know CSI {words}{kind}"

    @property
    def line(self) -> str:
        """Where the cursor is."""
        return self.lines[self.row]

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines)


class Terminal:
    def __init__(self, command: list, environment: dict, columns: int = 100, rows: int = 40, folder: str = "."):
        self.screen = Screen(columns)
        self.decoder = codecs.getincrementaldecoder("utf-8")()
        self.closed = False
        self.code = None
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(folder)
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
                os.execvpe(command[0], list(map(str, command)), environment | {"TERM": "xterm"})
            finally:
                os._exit(127)

    def type(self, keys: str) -> None:
        os.write(self.descriptor, keys.encode())

    def wait_for(self, condition, what: str) -> None:
        deadline = time.monotonic() + SECONDS_MAX
        while not condition():
            left = deadline - time.monotonic()
            assert left > 0 and not self.closed, f"{what} did not come; the screen:\n{self.screen.text()}"
            self.read(left)

    def read(self, seconds: float) -> None:
        """Takes what the program prints next."""
        if not select.select([self.descriptor], [], [], seconds)[0]:
            return
        try:
            piece = os.read(self.descriptor, 65536)
        except OSError:  # EIO: nobody has the other side open any more
            piece = b""
        self.closed = not piece
        self.screen.feed(self.decoder.decode(piece))

    def wait_for_line(self, text: str, after: int = -1) -> None:
        """Until the cursor is in such a line, below the row `after`."""
        self.wait_for(lambda: self.screen.row > after and self.screen.line.rstrip() == text.rstrip(),
                      f"the line {text!r}")

    def enter(self, line: str, prompt: str) -> str:
        """Types a line; returns what is printed until the prompt is there."""
        row = self.screen.row
        self.type(line + "\r")
        self.wait_for_line(prompt, after=row)
        return "\n".join(line.rstrip() for line in self.screen.lines[row + 1:self.screen.row])

    def end(self) -> int:
        """The exit code of the program, which is to end now."""
        self.wait_for(lambda: self.closed, "the end")
        if self.code is None:
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.code

    def close(self) -> None:
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.descriptor)
