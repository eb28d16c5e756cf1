"""Draws the rooms of the core and the imports between them: docs/images/rooms.svg.

    python docs/draw_rooms.py [--root CHECKOUT] [--out FILE] [--order TOP,...,GROUND]

A room is an entry of ``labcore/``. It stands above every room that it imports; the order is that
of the layers which import-linter checks (``pyproject.toml``), or the one given for a checkout that
has none. An import that a longer way implies is not drawn; one that goes up is red, and the
command then ends with 1.
"""

import argparse
import sys
import tomllib
from collections import Counter
from html import escape
from pathlib import Path

import grimp

CORE = "labcore"
WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 156, 54, 26, 46, 24
Arrow = tuple[str, str]


def main() -> int:
    """Reads the command line."""
    here = Path(__file__).parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=here.parent, help="the checkout to draw")
    parser.add_argument("--out", type=Path, default=here / "images" / "rooms.svg")
    parser.add_argument("--order", default="", help="the rooms from the top floor down")
    options = parser.parse_args()
    arrows = imports_between_rooms(options.root)
    order = options.order.split(",") if options.order else layers(options.root)
    if unplaced := {room for arrow in arrows for room in arrow} - set(order):
        parser.error(f"these rooms are in no layer: {', '.join(sorted(unplaced))}")
    up = {(a, b) for a, b in arrows if order.index(a) > order.index(b)}
    floors = floors_of(order, set(arrows) - up)
    sizes = {room: lines_of(options.root / CORE, room) for room in floors}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(picture(floors, sizes, arrows, up), encoding="utf-8")
    print(f"{options.out}: {len(floors)} rooms, {len(arrows)} arrows, {len(up)} of them up")
    for a, b in sorted(up):
        print(f"  up: {a} -> {b} ({arrows[a, b]} imports)")
    return 1 if up else 0


def imports_between_rooms(root: Path) -> Counter[Arrow]:
    """Counts the imports from room to room, those inside functions and for types included."""
    sys.path.insert(0, str(root))
    graph = grimp.build_graph(CORE, cache_dir=None)
    arrows: Counter[Arrow] = Counter()
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            a, b = room_of(module), room_of(imported)
            if a and b and a != b:
                arrows[a, b] += len(graph.get_import_details(importer=module, imported=imported))
    return arrows


def room_of(module: str) -> str:
    """Returns the first part below the core; empty for the package itself."""
    name = [*module.split("."), ""][1]
    return "" if name.startswith("__") else name


def layers(root: Path) -> list[str]:
    """Returns the rooms from the top floor down, as import-linter knows them."""
    text = (root / "pyproject.toml").read_text(encoding="utf-8")
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    found = [c["layers"] for c in contracts if c["type"] == "layers" and CORE in c["containers"]]
    return [room for layer in (found or [[]])[0] for room in layer.split(" | ")]


def floors_of(order: list[str], arrows: set[Arrow]) -> dict[str, int]:
    """Returns each room's floor: one above the highest that it imports."""
    floors: dict[str, int] = {}
    for room in reversed(order):
        below = [floors[b] for a, b in arrows if a == room]
        floors[room] = max(below, default=-1) + 1
    return floors


def lines_of(core: Path, room: str) -> int:
    """Counts the lines of a room's Python."""
    file = core / f"{room}.py"
    files = [file] if file.is_file() else (core / room).rglob("*.py")
    return sum(len(f.read_text(encoding="utf-8").splitlines()) for f in files)


def shown(arrows: set[Arrow]) -> set[Arrow]:
    """Leaves out what a longer way implies."""
    below: dict[str, set[str]] = {}

    def reach(room: str) -> set[str]:
        if room not in below:
            nexts = {b for a, b in arrows if a == room}
            below[room] = nexts.union(*(reach(b) for b in nexts)) if nexts else set()
        return below[room]

    return {
        (a, b) for a, b in arrows if not any(b in reach(c) for x, c in arrows if x == a and c != b)
    }


def picture(
    floors: dict[str, int], sizes: dict[str, int], arrows: Counter[Arrow], up: set[Arrow]
) -> str:
    """Returns the SVG."""
    rows = [[r for r in floors if floors[r] == level] for level in range(max(floors.values()) + 1)]
    width = max(len(row) for row in rows) * (WIDTH + GAP_X) - GAP_X + 2 * MARGIN
    height = len(rows) * (HEIGHT + GAP_Y) - GAP_Y + 2 * MARGIN
    place: dict[str, tuple[float, float]] = {}
    for level, row in enumerate(rows):
        left = (width - len(row) * (WIDTH + GAP_X) + GAP_X) / 2
        for i, room in enumerate(row):
            y = height - MARGIN - HEIGHT - level * (HEIGHT + GAP_Y)
            place[room] = (left + i * (WIDTH + GAP_X), y)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" text-anchor="middle" role="img">',
        "<title>The rooms of labcore; an arrow is an import</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="context-stroke"/>'
        "</marker></defs>",
    ]
    for a, b in sorted(shown(set(arrows) - up) | up):
        (xa, ya), (xb, yb) = place[a], place[b]
        down = yb > ya
        x1, y1 = xa + WIDTH / 2, ya + (HEIGHT if down else 0)
        x2, y2 = xb + WIDTH / 2, yb + (0 if down else HEIGHT)
        bend = GAP_Y * (0.9 if down else -0.9)
        colour = "#d33" if (a, b) in up else "#8a94a6"
        parts.append(
            f'<path d="M{x1:.0f} {y1:.0f}C{x1:.0f} {y1 + bend:.0f} {x2:.0f} {y2 - bend:.0f} '
            f'{x2:.0f} {y2:.0f}" fill="none" stroke="{colour}" stroke-width="1.5" '
            f'marker-end="url(#tip)"/>'
        )
    for room, (x, y) in place.items():
        parts.append(
            f'<rect x="{x:.0f}" y="{y:.0f}" width="{WIDTH}" height="{HEIGHT}" rx="6" '
            f'fill="#eef3fb" stroke="#4a6fa5"/>'
            f'<text x="{x + WIDTH / 2:.0f}" y="{y + 23:.0f}" font-size="16">{escape(room)}</text>'
            f'<text x="{x + WIDTH / 2:.0f}" y="{y + 42:.0f}" font-size="12" fill="#5a6575">'
            f"{sizes[room]:,} lines</text>"
        )
    return "\n".join([*parts, "</svg>", ""])


if __name__ == "__main__":
    sys.exit(main())
