"""Scenes as one would check them by hand: nothing in anything else, room for the camera."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from plugins.render.rooms.scenes import LABELS, Part, Scene, make_scene

SURFACES = {"floor", "ceiling", "wall", "rug", "road", "grass"}
"""What things stand on or in front of, and what is open: not checked for things inside it."""


def triangles(scene: Scene, frame: int) -> np.ndarray:
    mesh = scene.mesh(frame)
    return mesh.vertices.astype(np.float64)[mesh.faces]


def eyes_of(scene: Scene) -> np.ndarray:
    return -np.einsum("nji,nj->ni", scene.rotations, scene.translations)


def components(part: Part) -> Iterator[np.ndarray]:
    """Faces of each connected piece of a part."""
    root = np.arange(len(part.vertices))
    changed = True
    while changed:
        lowest = root[part.faces].min(axis=1)
        before = root.copy()
        np.minimum.at(root, part.faces, lowest[:, None])
        changed = bool((before != root).any())
    labels = root[part.faces[:, 0]]
    for label in np.unique(labels):
        yield part.faces[labels == label]


def is_closed(faces: np.ndarray) -> bool:
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    there = {tuple(edge) for edge in edges.tolist()}
    return all((b, a) in there for a, b in there)


def point_triangle_distance(point: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Distance from a point to each triangle (F, 3, 3): to its plane, or to its nearest edge."""
    a, b, c = np.moveaxis(corners, 1, 0)
    normal = np.cross(b - a, c - a)
    area = np.linalg.norm(normal, axis=1)
    normal = normal / np.maximum(area, 1e-15)[:, None]
    height = ((point - a) * normal).sum(axis=1)
    foot = point - height[:, None] * normal
    inside = np.ones(len(a), bool)
    nearest = np.full(len(a), np.inf)
    for start, end in ((a, b), (b, c), (c, a)):
        along = end - start
        inside &= (np.cross(along, foot - start) * normal).sum(axis=1) >= 0
        share = ((point - start) * along).sum(axis=1) / np.maximum((along**2).sum(axis=1), 1e-15)
        closest = start + np.clip(share, 0, 1)[:, None] * along
        nearest = np.minimum(nearest, np.linalg.norm(point - closest, axis=1))
    return np.where(inside & (area > 1e-12), np.abs(height), nearest)


class Convex:
    """A closed piece of a thing, as the half spaces behind its faces."""

    def __init__(self, part: Part, faces: np.ndarray, frame: int) -> None:
        world = part.world(frame)
        corners = world[faces]
        self.instance, self.name = part.instance, part.name
        cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        self.normals = cross / np.linalg.norm(cross, axis=1, keepdims=True)
        self.offsets = (self.normals * corners[:, 0]).sum(axis=1)
        used = world[np.unique(faces)]
        self.low, self.high = used.min(axis=0), used.max(axis=0)
        middle = used.mean(axis=0)
        edges = (corners + np.roll(corners, 1, axis=1)).reshape(-1, 3) / 2
        self.points = np.concatenate([used, edges, corners.mean(axis=1), middle[None]])

    def holds(self, points: np.ndarray, depth: float) -> bool:
        """Whether a point lies deeper in it than a distance."""
        return bool(((points @ self.normals.T - self.offsets).max(axis=1) < -depth).any())


def convex_pieces(scene: Scene, frame: int) -> list[Convex]:
    return [
        Convex(part, faces, frame)
        for part in scene.parts
        if LABELS[part.label] not in SURFACES
        for faces in components(part)
        if is_closed(faces)
    ]


def collisions(pieces: list[Convex], *, only: set[int] | None = None) -> list[tuple[str, str]]:
    """Pairs of things of which one has a point inside the other."""
    low = np.array([piece.low for piece in pieces])
    high = np.array([piece.high for piece in pieces])
    instances = np.array([piece.instance for piece in pieces])
    found = []
    for piece in pieces:
        if only is not None and piece.instance not in only:
            continue
        near = ((low < piece.high - 0.003) & (high > piece.low + 0.003)).all(axis=1)
        for other in np.flatnonzero(near & (instances != piece.instance)):
            foreign = pieces[other]
            if piece.holds(foreign.points, 0.004) or foreign.holds(piece.points, 0.004):
                found.append((piece.name, foreign.name))
    return found


def test_every_closed_piece_has_its_normals_outside(many_scenes):
    for scene in many_scenes:
        for part in scene.parts:
            for faces in components(part):
                if is_closed(faces):
                    a, b, c = np.moveaxis(part.vertices[faces].astype(np.float64), 1, 0)
                    middle = a.mean(axis=0)
                    volume = np.einsum("fi,fi->", a - middle, np.cross(b - middle, c - middle))
                    assert volume > 0, part.name


def test_most_of_a_scene_is_closed(many_scenes):
    for scene in many_scenes:
        closed = sum(
            len(faces) for part in scene.parts for faces in components(part) if is_closed(faces)
        )
        assert closed > 0.8 * len(scene.mesh(0).faces)


def test_no_thing_is_inside_another(many_scenes):
    assert [
        (scene.seed, pair) for scene in many_scenes for pair in collisions(convex_pieces(scene, 0))
    ] == []


def test_moving_things_pass_through_nothing_on_their_way(many_scenes):
    for scene in many_scenes:
        movers = {part.instance for part in scene.moving if part.name != "door"}
        if movers:
            for frame in (2, 5, scene.num_frames - 1):
                assert collisions(convex_pieces(scene, frame), only=movers) == []


def test_the_camera_keeps_its_distance_from_everything_in_every_frame(many_scenes):
    for scene in many_scenes:
        for frame, eye in enumerate(eyes_of(scene)):
            nearest = point_triangle_distance(eye, triangles(scene, frame)).min()
            assert nearest > 0.4, (scene.seed, frame)


def test_the_camera_is_inside_the_room_or_over_the_street(many_scenes):
    for scene in many_scenes:
        ground = "floor" if scene.kind == "room" else "road"
        (part, *_) = [p for p in scene.parts if p.name == ground]
        low, high = part.world(0).min(axis=0), part.world(0).max(axis=0)
        eyes = eyes_of(scene)
        assert ((eyes[:, [0, 2]] > low[[0, 2]]) & (eyes[:, [0, 2]] < high[[0, 2]])).all()
        assert ((eyes[:, 1] > 1.0) & (eyes[:, 1] < 2.0)).all()


def coplanar_overlaps(scene: Scene) -> list[tuple[str, str]]:
    """Things with faces that lie in one plane, look the same way and cover each other."""
    corners = triangles(scene, 0)
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = cross / np.maximum(np.linalg.norm(cross, axis=1, keepdims=True), 1e-12)
    offsets = (normals * corners.mean(axis=1)).sum(axis=1)
    order = np.argsort(offsets)
    ends = np.searchsorted(offsets[order], offsets[order] + 1e-4)
    names = {part.instance: part.name for part in scene.parts}
    instances = scene.mesh(0).instances
    found = []
    for position, first in enumerate(order):
        others = order[position + 1 : ends[position]]
        for second in others[normals[others] @ normals[first] > 1 - 1e-6]:
            axes = np.argsort(np.abs(normals[first]))[:2]
            if triangles_share(corners[first][:, axes], corners[second][:, axes]):
                found.append((names[instances[first]], names[instances[second]]))
    return found


def triangles_share(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two triangles of the plane overlap by more than 1 mm: no edge separates them."""
    for one, other in ((first, second), (second, first)):
        for start, end in pairwise([*one, one[0]]):
            outward = np.array([end[1] - start[1], start[0] - end[0]])
            length = np.linalg.norm(outward)
            if length < 1e-9:
                return False
            outward /= length
            if (one @ outward).mean() > start @ outward:
                outward = -outward
            if (other @ outward).min() > start @ outward - 1e-3:
                return False
    return True


def test_no_two_faces_fight_for_one_plane(some_scenes):
    assert [(s.seed, pair) for s in some_scenes for pair in coplanar_overlaps(s)] == []


def share_still_seen(scene: Scene, frame: int) -> float:
    """Of the surface points in view of a frame, the share also in view of the next."""
    corners = triangles(scene, frame)
    rng = np.random.default_rng(0)
    area = np.linalg.norm(
        np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1
    )
    distance = np.linalg.norm(corners.mean(axis=1) - eyes_of(scene)[frame], axis=1)
    weights = area / np.maximum(distance, 0.5) ** 2
    chosen = rng.choice(len(corners), 4000, p=weights / weights.sum())
    points = np.einsum("pk,pki->pi", rng.dirichlet((1, 1, 1), 4000), corners[chosen])

    def in_view(index: int) -> np.ndarray:
        seen = points @ scene.rotations[index].T + scene.translations[index]
        pixels = seen @ scene.intrinsics.T
        x, y = pixels[:, 0] / pixels[:, 2], pixels[:, 1] / pixels[:, 2]
        width, height = 2 * scene.intrinsics[0, 2], 2 * scene.intrinsics[1, 2]
        return (seen[:, 2] > 0.05) & (x >= 0) & (x < width) & (y >= 0) & (y < height)

    here = in_view(frame)
    assert here.sum() > 100
    return float(in_view(frame + 1)[here].mean())


def test_a_frame_shows_most_of_what_the_one_before_showed(many_scenes):
    for scene in many_scenes:
        shares = [share_still_seen(scene, frame) for frame in range(scene.num_frames - 1)]
        assert min(shares) > 0.6, scene.seed
        assert np.mean(shares) > 0.8, scene.seed


def test_things_that_move_do_so_and_at_a_pace_that_is_natural(many_scenes):
    limits = {"ball": 2.6, "car": 9.5, "van": 9.5, "person": 1.7, "drone": 2.8}
    moved = set()
    for scene in many_scenes:
        for part in scene.moving:
            moved.add(part.name)
            assert part.rotations.shape == (scene.num_frames, 3, 3)
            assert part.translations.shape == (scene.num_frames, 3)
            speed = np.linalg.norm(np.diff(part.translations, axis=0), axis=1)
            speed *= scene.frame_rate_hz
            assert speed.max() <= limits.get(part.name, 1.3), part.name
            corners = np.stack([part.world(frame) for frame in range(scene.num_frames)])
            assert np.linalg.norm(np.diff(corners, axis=0), axis=-1).max() > 1e-3, part.name
            assert part.rotations @ part.rotations.transpose(0, 2, 1) == pytest.approx(
                np.tile(np.eye(3), (scene.num_frames, 1, 1)), abs=1e-8
            )
        for part in scene.static:
            assert part.rotations.shape == (1, 3, 3)
            assert part.translations.shape == (1, 3)
    assert moved >= {"ball", "car", "person", "drone", "door", "robot"}


def test_a_rolling_ball_turns_once_on_a_way_of_its_girth(many_scenes):
    balls = [(s, p) for s in many_scenes for p in s.moving if p.name == "ball"]
    assert balls
    for scene, ball in balls:
        radius = float(np.linalg.norm(ball.vertices, axis=1).max())
        turn = ball.rotations[1] @ ball.rotations[0].T
        angle = np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1))
        way = np.diff(ball.translations[:2], axis=0)[0]
        # Without slipping: the lowest point stands still, so angle times radius is the way.
        assert angle * radius == pytest.approx(np.linalg.norm(way), rel=1e-3)
        axis = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]])
        assert np.cross(axis, (0, 1, 0)) @ way > 0
        # A body of flat faces: their middles are nearer to its own middle than its corners are.
        assert ball.world(0)[:, 1].min() == pytest.approx(0, abs=0.09 * radius), scene.seed


def test_no_ray_leaves_a_room():
    """By another library's ray caster: whatever one looks at, there is a wall behind it."""
    pytest.importorskip("embreex", reason="needs the extra 'referee' (embreex) for ray casting")
    trimesh = pytest.importorskip("trimesh")
    directions = np.random.default_rng(0).normal(size=(20000, 3))
    for seed in range(8):
        scene = make_scene(seed, "room", num_frames=3, height=48, width=64, moving=True)
        mesh = scene.mesh(1)
        caster = trimesh.ray.ray_pyembree.RayMeshIntersector(
            trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
        )
        origins = np.broadcast_to(eyes_of(scene)[1], directions.shape)
        hit = caster.intersects_first(origins, directions)
        assert (hit >= 0).all()
        corners = triangles(scene, 1)[hit]
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        # Rays that run along an edge may slip between two faces of a closed piece.
        assert ((normal * directions).sum(axis=1) > 0).mean() < 1e-4, "a back is seen"
