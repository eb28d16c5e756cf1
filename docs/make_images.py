"""Makes the pictures of the documentation from the report of a run, or of a sweep.

    python docs/make_images.py RUN_FOLDER
    python docs/make_images.py SWEEP_FOLDER --name sweep

Writes docs/images/report.png, or the name given: the top of ``report.html`` as headless Chromium
draws it, in a palette of 128 colours so that it stays small.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

IMAGES = Path(__file__).parent / "images"
MAX_KB = 200
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of a finished run or sweep")
    parser.add_argument("--name", default="report", help="of the picture")
    parser.add_argument("--width", type=int, default=1000, help="of the window, in pixels")
    parser.add_argument("--height", type=int, default=1300, help="of the window, in pixels")
    options = parser.parse_args()
    page = (options.run / "report.html").resolve()
    if not page.is_file():
        parser.error(f"there is no report.html in {options.run}")
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        parser.error("no Chromium on the PATH (apt install chromium)")
    picture = IMAGES / f"{options.name}.png"
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw.png"
        photograph(browser, page, raw, options.width, options.height)
        shrink(raw, picture)
    size_kb = picture.stat().st_size / 1000
    sys.stdout.write(f"{picture}: {size_kb:.0f} kB\n")
    if size_kb > MAX_KB:
        sys.exit(f"more than {MAX_KB} kB; use a smaller window")


def photograph(browser: str, page: Path, picture: Path, width: int, height: int) -> None:
    """Draws a page in a window of so many pixels, without a network."""
    command = [
        browser,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        f"--user-data-dir={picture.parent / 'profile'}",
        f"--window-size={width},{height}",
        f"--screenshot={picture}",
        page.as_uri(),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


def shrink(picture: Path, target: Path) -> None:
    """Saves a picture in a palette, which is a third of the size for drawn text."""
    with Image.open(picture) as image:
        small = image.convert("RGB").quantize(128, dither=Image.Dither.NONE)
        small.save(target, optimize=True)


if __name__ == "__main__":
    main()
