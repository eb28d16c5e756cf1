"""Damaged and hostile mesh files: ``python -m tests.fuzz.meshes``, 1,500 in a minute.

OBJ with materials, PLY, GLB, glTF, STL and OFF: each is read, or refused in one message.
"""

import json
import random
import struct
import sys
import tempfile
import warnings
from pathlib import Path
from typing import NamedTuple

from plugins.render.meshes import load_mesh
from tests.fuzz.harness import fuzz_by_hand, mutated

__all__ = ["NAME", "make", "run"]

NAME = "mesh files"

_OBJ = b"""mtllib a.mtl
v 0 0 0
v 1 0 0
v 0 1 0
v 0 0 1 0.5 0.5 0.5
vt 0 0
vt 1 0
vt 0 1
vn 0 0 1
usemtl red
f 1/1/1 2/2/1 3/3/1
f 1 2 4
f -1 -2 -3
"""
_MTL = b"newmtl red\nKd 1 0 0\nmap_Kd a.png\n"
_PLY = b"""ply
format ascii 1.0
comment TextureFile a.png
element vertex 3
property float x
property float y
property float z
property float s
property float t
element face 1
property list uchar int vertex_indices
end_header
0 0 0 0 0
1 0 0 1 0
0 1 0 0 1
3 0 1 2
"""
_OFF = b"OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n"
_STL = bytes(80) + struct.pack("<I12fH", 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0)
_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
_BUFFER = struct.pack("<9f3H", 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 2)
_WORDS = (
    b"0", b"-1", b"1e400", b"nan", b"inf", b"999999999", b"-999999999", b"4294967295", b"/dev/zero",
    b"../a.mtl", b"/etc/passwd", b"f 0 0 0\n", b"f 1 2\n", b"f 1 2 3 4 5 6 7\n", b"v\n", b"\xff",
    b"element vertex 2000000000\n", b"element face 4000000000\n", b"property list uchar uchar x\n",
    b"format binary_little_endian 1.0\n", b'"count": 4000000000', b'"byteOffset": -4', b"[[[[[[[[",
    b'"uri": "/dev/zero"', b"usemtl\n", b"mtllib\n", b"mtllib /dev/zero\n", b"map_Kd /dev/zero\n",
)  # fmt: skip
"""Pieces that matter to the formats."""


class Case(NamedTuple):
    """A mesh and the files beside it."""

    name: str
    content: bytes
    beside: dict[str, bytes]


def make(rng: random.Random) -> Case:
    """Makes a mesh, of which one of the files is damaged or more."""
    kind = rng.choice(("obj", "obj", "ply", "glb", "gltf", "stl", "off"))
    beside = {"a.mtl": _MTL, "a.png": _PNG, "a.bin": _BUFFER}
    content = {"obj": _OBJ, "ply": _PLY, "off": _OFF, "stl": _STL}.get(kind) or _gltf(kind, rng)
    if kind == "stl" and rng.random() < 0.5:
        content = (
            b"solid a\nfacet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0"
        )
        content += b"\nendloop\nendfacet\nendsolid a\n"
    if rng.random() < 0.3:
        name = rng.choice(sorted(beside))
        beside[name] = mutated(beside[name], rng, words=_WORDS)
    if rng.random() < 0.9:
        content = mutated(content, rng, words=_WORDS)
    return Case(f"a.{kind}", content, beside)


def run(case: Case) -> None:
    """Reads a mesh."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, content in {**case.beside, case.name: case.content}.items():
            (Path(folder) / name).write_bytes(content)
        load_mesh(Path(folder) / case.name, unit=True, warn=lambda _: None)


def _gltf(kind: str, rng: random.Random) -> bytes:
    scene = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "buffers": [{"byteLength": 42, "uri": "a.bin"}],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": 36},
            {"buffer": 0, "byteOffset": 36, "byteLength": 6},
        ],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5123, "count": 3, "type": "SCALAR"},
        ],
    }
    if kind == "glb":
        del scene["buffers"][0]["uri"]  # type: ignore[attr-defined]  # a list, as written above
    text = json.dumps(scene).encode()
    if kind == "gltf":
        return text
    if rng.random() < 0.5:
        text = mutated(text, rng, words=_WORDS)
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
    chunks += struct.pack("<II", 44, 0x004E4942) + _BUFFER + b"\0\0"
    return struct.pack("<III", 0x46546C67, 2, 12 + len(chunks)) + chunks


if __name__ == "__main__":
    sys.exit(fuzz_by_hand(NAME, make, run, cases=1_500))
