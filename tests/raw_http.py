"""HTTP by hand, for what client libraries would put right before they send it."""
import socket
from dataclasses import dataclass, field


@dataclass
class Answer:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


class Connection:
    """One connection; the test writes the bytes."""

    def __init__(self, address: tuple[str, int], seconds_max: float = 30):
        self.socket = socket.create_connection(address, timeout=seconds_max)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def request(self, method: str, target: str, body: bytes = b"", **headers: str) -> Answer:
        lines = [f"{method} {target} HTTP/1.1", "Host: test"]
        if body or method in ("PUT", "POST"):
            lines.append(f"Content-Length: {len(body)}")
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)
        return self.answer(method)

    def more(self) -> bool:
        """Waits for bytes; False when the server closed."""
        try:
            piece = self.socket.recv(65536)
        except ConnectionResetError:
            return False
        self.received += piece
        return bool(piece)

    def answer(self, method: str = "GET") -> Answer | None:
        """The next answer; None when the server closed instead."""
        while b"\r\n\r\n" not in self.received:
            if not self.more():
                return None
        head, _, self.received = self.received.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        answer = Answer(int(first.split()[1]))
        for line in lines:
            name, _, value = line.partition(":")
            answer.headers[name.lower()] = value.strip()
        if answer.status == 100:
            return answer
        length = 0 if method == "HEAD" else int(answer.headers.get("content-length", 0))
        while len(self.received) < length:
            if not self.more():
                return None
        answer.body, self.received = self.received[:length], self.received[length:]
        return answer

    def is_closed(self) -> bool:
        """Whether the server closes; waits for it."""
        while self.more():
            pass
        return True
