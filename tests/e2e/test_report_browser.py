"""The report of a run, opened in a real browser: it draws, plays, reads out and asks nobody."""

import base64
import itertools
import json
import os
import runpy
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from labcore.report import build

SAMPLE = Path(__file__).parents[1] / "labcore" / "report" / "sample_run.py"
_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, _NAMES)), "")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not CHROMIUM, reason="needs chromium on the PATH (apt install chromium)"),
]


class Browser:
    """A headless Chromium, spoken to over a pipe in the DevTools protocol."""

    def __init__(self, profile: Path) -> None:
        commands, self._write = os.pipe()
        self._read, answers = os.pipe()

        def take_pipes() -> None:
            # The protocol wants its pipes as descriptors 3 and 4; copies first, lest they collide.
            source, target = os.dup(commands), os.dup(answers)
            os.dup2(source, 3)
            os.dup2(target, 4)

        flags = (
            "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
            "--disable-background-networking --disable-component-update --disable-sync "
            "--disable-dev-shm-usage --mute-audio --remote-debugging-pipe"
        )
        self._process = subprocess.Popen(
            [CHROMIUM, *flags.split(), f"--user-data-dir={profile}", "about:blank"],
            preexec_fn=take_pipes,
            close_fds=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self._ids = itertools.count(1)
        self._buffer = b""
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Sends a command and returns its result; what happens meanwhile goes to ``events``."""
        number = next(self._ids)
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            data = os.read(self._read, 1 << 16)
            assert data, "chromium has ended"
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(line)

    def open(self, page: Path, *, width: int = 1280, dark: bool = False) -> None:
        """Opens a page at a width and waits until it is loaded."""
        theme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=theme)
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.events.clear()
        self.call("Page.navigate", url=page.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._receive())

    def evaluate(self, expression: str) -> Any:
        """Returns the value of a JavaScript expression, awaited when it is a promise."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Presses a key."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key)

    def screenshot(self, path: Path) -> Path:
        """Writes a picture of the whole page."""
        height = self.evaluate("document.documentElement.scrollHeight")
        width = self.evaluate("innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": min(height, 12_000), "scale": 1}
        answer = self.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))
        return path

    @property
    def requests(self) -> list[str]:
        """Addresses that the page asked for, but for what is inside it."""
        sent = [event for event in self.events if event["method"] == "Network.requestWillBeSent"]
        urls = [event["params"]["request"]["url"] for event in sent]
        return [url for url in urls if not url.startswith("data:")]

    @property
    def complaints(self) -> list[dict[str, Any]]:
        """Errors and warnings of the page: exceptions, refused resources, console output."""
        kinds = {"Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"}
        return [event for event in self.events if event["method"] in kinds]

    def close(self) -> None:
        """Ends the browser and waits for it."""
        self._process.terminate()
        self._process.wait(timeout=20)
        os.close(self._write)
        os.close(self._read)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    write_sample_run = runpy.run_path(str(SAMPLE))["write_sample_run"]
    runs = tmp_path_factory.mktemp("runs") / "musicvae"

    def make(state: str = "finished") -> Path:
        folder = write_sample_run(runs / f"20260102-030405-{state}", state=state)
        return build(folder, model_tasks=("sample", "interpolate"))

    return make


def test_the_page_asks_for_nothing_but_itself_and_nothing_in_it_complains(browser, report):
    page = report()
    browser.open(page)
    assert browser.requests == [page.as_uri()]
    assert browser.complaints == []


def test_the_policy_of_the_page_refuses_network_and_foreign_scripts(browser, report):
    browser.open(report())
    refused = browser.evaluate(
        """(async () => {
          const script = document.createElement("script");
          script.textContent = "window.foreign = true";
          document.body.append(script);
          const fetched = await fetch("http://127.0.0.1:9/").then(() => true, () => false);
          return [window.foreign === undefined, !fetched];
        })()"""
    )
    blocked = [event for event in browser.complaints if event["method"] == "Log.entryAdded"]
    assert refused == [True, True]
    assert "Content Security Policy" in json.dumps(blocked)


def test_sounds_can_be_played_and_pictures_are_drawn(browser, report):
    browser.open(report())
    durations = browser.evaluate(
        """Promise.all([...document.querySelectorAll("audio")].map((audio) =>
          new Promise((done) => audio.readyState > 0
            ? done(audio.duration)
            : audio.addEventListener("loadedmetadata", () => done(audio.duration)))))"""
    )
    widths = browser.evaluate("[...document.images].map((image) => image.naturalWidth)")
    assert durations == pytest.approx([4.0] * 3, abs=0.01)
    assert widths == [640] * 3


def test_the_arrow_keys_read_every_chart_at_the_same_step(browser, report):
    browser.open(report())
    browser.evaluate("document.querySelector('figure.chart svg').focus()")
    browser.press("Home")
    browser.press("ArrowRight")
    read = browser.evaluate(
        "[...document.querySelectorAll('#curves > .charts .at')].map((node) => node.textContent)"
    )
    assert len(read) >= 5
    assert len(set(read)) == 1
    assert read[0].startswith("step ")
    browser.evaluate("document.activeElement.blur()")
    assert browser.evaluate("document.querySelector('.at').textContent") == ""


def test_the_pointer_reads_the_chart_under_it(browser, report):
    browser.open(report())
    box = browser.evaluate(
        """(() => { const svg = document.querySelector("figure.chart svg");
          svg.scrollIntoView({block: "center", behavior: "instant"});
          const {x, y, width, height} = svg.getBoundingClientRect();
          return [x + width / 2, y + height / 2]; })()"""
    )
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=box[0], y=box[1])
    text = browser.evaluate("document.querySelector('.at').textContent")
    step = int(text.removeprefix("step ").replace(",", ""))
    assert 2_500 < step < 3_500


def test_the_logarithmic_scale_redraws_the_lines_inside_the_chart(browser, report):
    browser.open(report())
    before, after, lowest = browser.evaluate(
        """(() => { const figure = document.querySelector("figure.chart:has(.log-scale)");
          const path = figure.querySelector(".mean");
          const before = path.getAttribute("d");
          figure.querySelector(".log-scale").click();
          const box = path.getBBox();
          return [before, path.getAttribute("d"), box.y + box.height]; })()"""
    )
    assert before != after
    assert 0 < lowest <= 190


@pytest.mark.parametrize("state", ["finished", "failed", "interrupted"])
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (400, True)])
def test_the_page_fits_its_window(browser, report, tmp_path, state, width, dark):
    browser.open(report(state), width=width, dark=dark)
    album = Path(os.environ.get("LAB_SCREENSHOTS", tmp_path))
    picture = browser.screenshot(album / f"{state}-{width}.png")
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert picture.stat().st_size > 10_000


@pytest.mark.parametrize("state", ["finished", "failed", "interrupted"])
@pytest.mark.parametrize("dark", [False, True])
def test_every_text_has_enough_contrast(browser, report, state, dark):
    browser.open(report(state), dark=dark)
    browser.evaluate(
        "document.querySelectorAll('details').forEach((fold) => { fold.open = true; })"
    )
    assert browser.evaluate(CONTRAST) == []


@pytest.mark.parametrize("dark", [False, True])
def test_a_picture_is_legible_and_does_not_glare_in_the_dark(browser, report, dark):
    browser.open(report(), dark=dark)
    darkest, lightest = browser.evaluate(
        """(() => { const picture = document.querySelector(".card img");
          const canvas = document.createElement("canvas").getContext("2d");
          canvas.filter = getComputedStyle(picture).filter;
          canvas.drawImage(picture, 0, 0);
          const {data} = canvas.getImageData(0, 0, picture.naturalWidth, picture.naturalHeight);
          const linear = (v) => v <= 10.3 ? v / 3295 : ((v / 255 + 0.055) / 1.055) ** 2.4;
          const seen = [Infinity, -Infinity];
          for (let at = 0; at < data.length; at += 4) {
            const light = 0.2126 * linear(data[at]) + 0.7152 * linear(data[at + 1])
              + 0.0722 * linear(data[at + 2]);
            seen[0] = Math.min(seen[0], light); seen[1] = Math.max(seen[1], light);
          }
          return seen; })()"""
    )
    assert (lightest + 0.05) / (darkest + 0.05) > 4.5
    assert (lightest < 0.7) is dark


CONTRAST = """(() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const paint = (colours) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (pixel) => pixel.slice(0, 3)
    .map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const faint = new Set();
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !node.checkVisibility() || node.tagName === "SCRIPT") continue;
    const layers = [];
    for (let at = node; at; at = at.parentElement) {
      layers.unshift(getComputedStyle(at).backgroundColor);
    }
    const style = getComputedStyle(node);
    const ink = node.namespaceURI.endsWith("svg") ? style.fill : style.color;
    const both = [luminance(paint(layers)), luminance(paint([...layers, ink]))];
    const ratio = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
    if (ratio < 4.5) faint.add(`${node.className || node.tagName} ${ratio.toFixed(2)}`);
  }
  return [...faint];
})()"""
"""Lists what has less than WCAG's 4.5 to 1 between its text and the background it stands on."""
