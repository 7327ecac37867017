"""A receiver of webhooks, whose manners a test chooses."""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver:
    """Keeps what it accepted, in order. `behave(body) -> int | None` decides the status; None: drops the connection
    without an answer. It may block."""

    def __init__(self, behave=None):
        self.behave = behave or (lambda body: 200)
        self.accepted: list[dict] = []
        self.headers: list[dict] = []
        self.attempts = 0
        self.changed = threading.Condition()
        self.port = 0
        self.server = None
        self.start()

    def start(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.attempts += 1
                status = receiver.behave(body)
                if status is None:
                    self.close_connection = True
                    return
                if 200 <= status < 300:
                    with receiver.changed:
                        receiver.accepted.append(body)
                        receiver.headers.append(dict(self.headers))
                        receiver.changed.notify_all()
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, request, client_address):
                pass  # a killed server's connections

        self.server = Quiet(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Nobody listens any more; start() takes the same port again."""
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def wait(self, condition, seconds: float = 30) -> list[dict]:
        """Until condition(accepted) holds."""
        with self.changed:
            assert self.changed.wait_for(lambda: condition(self.accepted), seconds), \
                f"{len(self.accepted)} accepted of {self.attempts} attempts: {self.accepted[-3:]}"
            return list(self.accepted)

    def wait_for(self, count: int, seconds: float = 30) -> list[dict]:
        return self.wait(lambda accepted: len(accepted) >= count, seconds)
