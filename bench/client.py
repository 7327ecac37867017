"""A small HTTP client on one keep-alive connection, cheap enough to measure with."""
import http.client
import json
import socket
import time

from measure import Failed

PIECE_BYTES = 1 << 20


class Client:
    """One connection to 127.0.0.1."""

    def __init__(self, port: int, headers: dict[str, str] | None = None):
        self.always = headers or {}
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.connection.connect()
        self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, method: str, path: str, body: str | bytes | None = None, expected: int = 200) -> bytes:
        headers = self.always | ({"Content-Type": "application/json"} if body is not None else {})
        try:
            self.connection.request(method, path, body, headers)
        except OSError:  # a connection that was idle for too long
            self.connection.close()
            self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status != expected:
            raise Failed(f"{method} {path}: {answer.status} {content[:500]!r}")
        self.headers = answer.headers
        return content

    def get(self, path: str):
        return json.loads(self.ask("GET", path))

    def close(self) -> None:
        self.connection.close()


def download(port: int, path: str, check=None) -> tuple[float, int]:
    """Seconds and bytes of a GET; `check` gets every piece."""
    buffer = memoryview(bytearray(PIECE_BYTES))
    begin = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as peer:
        peer.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += peer.recv(4096) or b"\r\n\r\n"
        lines, _, first = head.partition(b"\r\n\r\n")
        if not lines.startswith(b"HTTP/1.1 200"):
            raise Failed(f"GET {path}: {lines[:200]!r}")
        received = len(first)
        if check:
            check(first)
        while count := peer.recv_into(buffer):
            received += count
            if check:
                check(buffer[:count])
    return time.perf_counter() - begin, received


def upload(port: int, path: str, source, size: int, content_type: str) -> float:
    """Seconds of a PUT of a file until its answer."""
    begin = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as peer:
        peer.sendall(f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: {content_type}\r\n"
                     f"Content-Length: {size}\r\nConnection: close\r\n\r\n".encode())
        source.seek(0)
        peer.sendfile(source)
        answer = b""
        while piece := peer.recv(4096):
            answer += piece
    if not answer.startswith(b"HTTP/1.1 200"):
        raise Failed(f"PUT {path}: {answer[:300]!r}")
    return time.perf_counter() - begin
