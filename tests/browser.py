"""Headless Chromium, spoken to in the DevTools protocol over a pipe."""
import json
import os
import shutil
import subprocess
import time


class Browser:
    """One page after another; its console and its requests are written down. It can reach loopback only."""

    def __init__(self, folder):
        program = shutil.which("chromium")
        assert program, "Debian's chromium is missing: ./dev setup"
        to_read, self.to = os.pipe()
        self.of, to_write = os.pipe()

        def as_three_and_four():
            # Above 4 first, so that neither copy overwrites the other's original.
            spare = os.dup(to_read), os.dup(to_write)
            os.dup2(spare[0], 3)
            os.dup2(spare[1], 4)

        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
             "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe",
             "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", f"--user-data-dir={folder}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=as_three_and_four, pass_fds=(3, 4))
        os.close(to_read)
        os.close(to_write)
        self.number, self.rest, self.session = 0, b"", None
        self.console: list[str] = []
        self.requested: list[str] = []
        page = next(one for one in self.ask("Target.getTargets")["targetInfos"] if one["type"] == "page")
        self.session = self.ask("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Runtime", "Log", "Network", "Page"):
            self.ask(f"{domain}.enable")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.to)
        os.close(self.of)

    def open(self, url: str) -> None:
        self.ask("Page.navigate", url=url)

    def text(self) -> str:
        """What the page shows."""
        return self.ask("Runtime.evaluate", expression="document.body ? document.body.innerText : ''")["result"]["value"]

    def await_text(self, *wanted: str, seconds: float = 60) -> None:
        """Scrolls down, and begins anew at the end, until all was seen: a long page may show only what is in sight."""
        deadline = time.monotonic() + seconds
        missing = set(wanted)
        while missing:
            shown = self.text()
            missing -= {text for text in missing if text in shown}
            assert time.monotonic() < deadline, f"{missing} not in {shown[:2000]}; console: {self.console}"
            self.ask("Runtime.evaluate", expression="""scrollY + innerHeight + 2 < document.documentElement.scrollHeight
                                                       ? scrollBy(0, innerHeight / 2) : scrollTo(0, 0)""")
            time.sleep(0.05)

    def ask(self, method: str, **parameters) -> dict:
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.next_message()
            if answer.get("id") == self.number:
                assert "error" not in answer, answer
                return answer["result"]
            self.note(answer)

    def next_message(self) -> dict:
        while b"\0" not in self.rest:
            piece = os.read(self.of, 1 << 16)
            assert piece, "chromium has ended"
            self.rest += piece
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def note(self, event: dict) -> None:
        parameters = event.get("params", {})
        if event.get("method") == "Runtime.consoleAPICalled":
            self.console.append(" ".join(str(one.get("value")) for one in parameters["args"]))
        elif event.get("method") == "Runtime.exceptionThrown":
            self.console.append(json.dumps(parameters["exceptionDetails"]))
        elif event.get("method") == "Log.entryAdded":
            self.console.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")
        elif event.get("method") == "Network.requestWillBeSent":
            self.requested.append(parameters["request"]["url"])
