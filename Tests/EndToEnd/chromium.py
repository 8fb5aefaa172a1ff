"""Chromium without a window, driven over the DevTools protocol by a pair of pipes."""

import base64
import json
import os
import shutil
import subprocess
import threading
import time

from waiting import PATIENCE as MOST_PATIENCE

# A page that does not come about within this never does.
PATIENCE = min(MOST_PATIENCE, int(os.environ.get("GATEHOUSE_PAGE_PATIENCE", 60)))

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Refused(Exception):
    """The browser did not do what it was asked to."""


class Browser:
    """A browser with a profile of its own in `folder`. Its messages are read as they come."""

    def __init__(self, folder):
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()

        def prepare():
            # The browser reads from descriptor 3 and writes to 4; by way of high ones, as these may be among the pipes.
            source, sink = os.dup2(theirs_in, 203), os.dup2(theirs_out, 204)
            os.dup2(source, 3)
            os.dup2(sink, 4)

        flags = ["--headless", "--remote-debugging-pipe", f"--user-data-dir={folder}", "--no-first-run", "--disable-gpu",
                 "--disable-dev-shm-usage", "--hide-scrollbars", "--no-proxy-server", "--disable-background-networking",
                 "--force-color-profile=srgb"]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")
        self.process = subprocess.Popen(
            [PROGRAM, *flags, "about:blank"], preexec_fn=prepare, close_fds=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._sink = os.fdopen(ours_out, "wb", buffering=0)
        self._source = os.fdopen(ours_in, "rb")
        self._changed = threading.Condition()
        self._answers, self._number, self._is_over = {}, 0, False
        self.events = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        pending = b""
        while chunk := self._source.read1(65536):
            *messages, pending = (pending + chunk).split(b"\0")
            with self._changed:
                for message in map(json.loads, messages):
                    if "id" in message:
                        self._answers[message["id"]] = message
                    else:
                        self.events.append(message)
                self._changed.notify_all()
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    def call(self, method, session=None, **parameters):
        with self._changed:
            self._number += 1
            number = self._number
        message = {"id": number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        self._sink.write(json.dumps(message).encode() + b"\0")
        with self._changed:
            self._changed.wait_for(lambda: number in self._answers or self._is_over, PATIENCE)
            answer = self._answers.pop(number, None)
        assert answer is not None, f"no answer to {method}"
        if "error" in answer:
            raise Refused(method, answer["error"])
        return answer["result"]

    def page(self, **options):
        return Page(self, **options)

    def close(self):
        try:
            self.call("Browser.close")
            self.process.wait(PATIENCE)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self._sink.close()
            self._reader.join(PATIENCE)
            self._source.close()


class Page:
    """A tab, with cookies of its own."""

    def __init__(self, browser, width=1400, height=900, scheme="light"):
        self.browser = browser
        self._context = browser.call("Target.createBrowserContext")["browserContextId"]
        target = browser.call("Target.createTarget", url="about:blank", browserContextId=self._context)["targetId"]
        self._session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._target = target
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility", "DOM"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.browser.call("Target.disposeBrowserContext", browserContextId=self._context)

    def call(self, method, **parameters):
        return self.browser.call(method, session=self._session, **parameters)

    def events(self, method):
        return [event["params"] for event in list(self.browser.events)
                if event.get("sessionId") == self._session and event["method"] == method]

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def evaluate(self, expression):
        """The value of an expression, awaited if it is a promise."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, (expression, answer["exceptionDetails"])
        return answer["result"].get("value")

    def until(self, condition):
        """Waits, in the page, until the condition holds there; it may be another page by then."""
        end = time.monotonic() + PATIENCE
        look = f"""new Promise((done) => {{
          const look = () => {{
            let holds = false;
            try {{ holds = Boolean({condition}); }} catch {{ /* not yet */ }}
            if (holds || performance.now() > start + 2000) done(holds); else setTimeout(look, 20);
          }};
          const start = performance.now();
          look();
        }})"""
        while time.monotonic() < end:
            try:
                if self.evaluate(look):
                    return
            except Refused:
                # The page went away while it was asked.
                continue
        raise AssertionError(
            f"{condition} never held; the page says: {self.text()[-2000:]}; console: {self.complaints()}"
        )

    def text(self):
        return self.evaluate("document.body.innerText")

    def press(self, key, code=None):
        """Presses a key, such as Tab or Enter."""
        numbers = {"Tab": 9, "Enter": 13, " ": 32, "Escape": 27}
        more = {"text": "\r"} if key == "Enter" else {"text": key} if len(key) == 1 else {}
        common = {"key": key, "code": code or key, "windowsVirtualKeyCode": numbers.get(key, 0)}
        self.call("Input.dispatchKeyEvent", type="keyDown", **common, **more)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def type(self, text):
        self.call("Input.insertText", text=text)

    def screenshot(self, path, whole=True):
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
            image = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        else:
            image = self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(image["data"]))

    def complaints(self):
        """What the console shows of errors, exceptions and what the Content-Security-Policy stopped."""
        said = [event["exceptionDetails"].get("exception", {}).get("description", event["exceptionDetails"]["text"])
                for event in self.events("Runtime.exceptionThrown")]
        said += [json.dumps(event["args"]) for event in self.events("Runtime.consoleAPICalled")
                 if event["type"] in ("error", "warning", "assert")]
        said += [event["entry"]["text"] for event in self.events("Log.entryAdded")
                 if event["entry"]["level"] in ("error", "warning") or event["entry"]["source"] == "security"]
        return said

    def accessible(self):
        """What a screen reader is told, as (role, name) of each node."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [(node.get("role", {}).get("value"), node.get("name", {}).get("value", ""))
                for node in nodes if not node.get("ignored")]

    def foreign_requests(self, origin):
        """What was asked for elsewhere than at `origin`."""
        return [event["request"]["url"] for event in self.events("Network.requestWillBeSent")
                if not event["request"]["url"].startswith((origin + "/", "data:"))]
