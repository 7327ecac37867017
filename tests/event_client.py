"""Reads Server-Sent Events."""
import json

import requests


class EventClient:
    """One connection to GET /events. Iterates over (id, type, document); a change of the id alone is seen in
    `last_id`."""

    def __init__(self, url: str, last_id=None, timeout: float = 30, **query):
        headers = {} if last_id is None else {"Last-Event-ID": str(last_id)}
        self.last_id = last_id
        self.comments = 0
        self.session = requests.Session()
        self.session.trust_env = False
        self.response = self.session.get(url + "/events", params=query, headers=headers, stream=True, timeout=timeout)
        assert self.response.status_code == 200, self.response.text
        assert self.response.headers["Content-Type"] == "text/event-stream"
        self.lines = self.read_lines()
        self.next_block()  # the greeting, or what is wrong with the id
        self.greeting = self.block

    def read_lines(self):
        """As they come: a chunk is not waited for to be followed by another."""
        rest = b""
        for chunk in self.response.raw.read_chunked():
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (line.decode() for line in lines)

    def next_block(self) -> None:
        self.block = {}
        for line in self.lines:
            if not line:
                if "id" in self.block:
                    self.last_id = int(self.block["id"])
                return
            name, _, value = line.partition(":")
            if name:
                self.block[name] = value.removeprefix(" ")
            else:
                self.comments += 1
        raise EOFError

    def next(self) -> tuple[int, str, dict]:
        while True:
            self.next_block()
            if "data" in self.block:
                return self.last_id, self.block["event"], json.loads(self.block["data"])

    def take(self, count: int) -> list[tuple[int, str, dict]]:
        return [self.next() for _ in range(count)]

    def close(self) -> None:
        self.response.close()
        self.session.close()

    def __enter__(self) -> "EventClient":
        return self

    def __exit__(self, *_) -> None:
        self.close()
