"""What ``mesh.`` options choose: a file, a packaged model, or a shape that is computed."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from pytorch3d.ops import sample_points_from_meshes
from pytorch3d.structures import Meshes, Pointclouds

from labcore.errors import RequirementError, UsageError
from labcore.run import Run
from plugins.render.config.scene import PRIMITIVES
from plugins.render.meshes.load import load_patches, with_faces
from plugins.render.meshes.patch import Patch, assemble, fit_to_unit
from plugins.render.meshes.primitives import primitive_patches
from plugins.render.packaged import PACKAGED, file_of

__all__ = ["chosen_mesh", "chosen_thing"]


def chosen_mesh(run: Run[Any]) -> Meshes:
    """Returns the mesh of the run on its device: it fits a ball of radius 1 round the origin.

    Raises:
        UsageError: The file cannot be read, or has no faces.
        RequirementError: The packaged model cannot be fetched.
    """
    path, patches = _chosen(run)
    return _assembled(run, path, with_faces(path, patches))


def chosen_thing(run: Run[Any]) -> Meshes | Pointclouds:
    """Returns the mesh, or the cloud of points when the file or ``mesh.as_points`` says so."""
    path, patches = _chosen(run)
    count = run.config.mesh.as_points
    if any(len(patch.faces) for patch in patches):
        mesh = _assembled(run, path, with_faces(path, patches))
        return _sampled(mesh, count, run.config.seed) if count else mesh
    if path.suffix.lower() == ".obj":
        with_faces(path, patches)  # an OBJ of bare vertices is a broken mesh, not a cloud
    return _cloud(_fitted(run, path, patches), count, run.config.seed).to(run.device.torch_device)


def _chosen(run: Run[Any]) -> tuple[Path, list[Patch]]:
    options = run.config.mesh

    def warn(text: str) -> None:
        run.say(text, level="warning")

    if options.path:
        path = Path(options.path).expanduser()
        return path, load_patches(path, warn=warn)
    if options.name in PRIMITIVES:
        return Path(options.name), primitive_patches(options.name)
    assert options.name in PACKAGED, "the config has checked the name"
    try:
        folder = run.dataset("models")
    except RequirementError as error:
        raise RequirementError(
            f"the model {options.name} is not here: {error.message}",
            fix=f"{error.fix}; or show what needs no network: mesh.name=torus",
        ) from error
    path = file_of(folder, options.name)
    return path, load_patches(path, warn=warn)


def _fitted(run: Run[Any], path: Path, patches: list[Patch]) -> list[Patch]:
    own = bool(run.config.mesh.path)
    try:
        return fit_to_unit(patches, up=run.config.mesh.up if own else "y")
    except ValueError as error:
        raise UsageError(f"{path}: {error}", fix="export it again") from error


def _assembled(run: Run[Any], path: Path, patches: list[Patch]) -> Meshes:
    return assemble(_fitted(run, path, patches)).to(run.device.torch_device)


def _sampled(mesh: Meshes, count: int, seed: int) -> Pointclouds:
    """Draws points from the surface, each as likely as its area, with the colours they have."""
    with torch.random.fork_rng(devices=[mesh.device] if mesh.device.type == "cuda" else []):
        torch.manual_seed(seed)
        points, colours = sample_points_from_meshes(mesh, count, return_textures=True)
    return Pointclouds(points=points, features=colours.clamp(0, 1))


def _cloud(patches: list[Patch], count: int, seed: int) -> Pointclouds:
    points = np.concatenate([patch.vertices for patch in patches])
    plain = any(patch.colours is None for patch in patches)
    colours = _by_height(points) if plain else np.concatenate([p.colours for p in patches])
    if 0 < count < len(points):
        kept = np.random.default_rng(seed).choice(len(points), count, replace=False)
        points, colours = points[kept], colours[kept]
    return Pointclouds(
        points=[torch.from_numpy(points.astype(np.float32))],
        features=[torch.from_numpy(np.ascontiguousarray(colours, dtype=np.float32))],
    )


def _by_height(points: np.ndarray) -> np.ndarray:
    """Colours for points that have none: blue at the bottom, orange at the top."""
    height = points[:, 1]
    share = (height - height.min()) / max(float(np.ptp(height)), 1e-12)
    low, high = np.array([0.16, 0.36, 0.75]), np.array([0.98, 0.62, 0.2])
    return low + share[:, None] * (high - low)
