"""A bad network between a client and a server."""

import contextlib
import socket
import threading
import time
import urllib.parse


class Gate:
    """A TCP proxy that can be shut, as a network fails: connections break, new ones are refused."""

    def __init__(self, url: str, pause: float = 0):
        """`pause`: seconds that each piece of a transfer waits, so that tests can be in the middle of one."""
        self.pause = pause
        target = urllib.parse.urlsplit(url)
        self.target = (target.hostname, target.port)
        self.sockets = []
        self.listener = None
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.open()

    def open(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def shut(self):
        # close() alone would leave accept() waiting on the old descriptor.
        for one in [self.listener, *self.sockets]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self.sockets = []

    def accept(self, listener):
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self.target)
                self.sockets += [near, far]
                for a, b in ((near, far), (far, near)):
                    threading.Thread(target=self.copy, args=(a, b), daemon=True).start()

    def copy(self, a, b):
        with contextlib.suppress(OSError):
            while data := a.recv(65536):
                time.sleep(self.pause)
                b.sendall(data)
        with contextlib.suppress(OSError):
            b.shutdown(socket.SHUT_WR)
