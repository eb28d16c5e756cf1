"""``task=fit_pose``: the camera that took a silhouette, by gradients."""

import csv
from collections.abc import Mapping

import torch
from PIL import Image
from pytorch3d.renderer import FoVPerspectiveCameras
from pytorch3d.structures import Meshes
from torch import Tensor

from labcore.errors import UsageError
from labcore.run import Run
from labcore.training import Loop, fit, load_weights
from plugins.render.cameras import orbit
from plugins.render.config import CameraConfig, RenderConfig
from plugins.render.fitting import (
    Guesses,
    Poses,
    blur,
    cameras_at,
    check_loop,
    cosine_after,
    coverage,
    iou,
    measure_poses,
    offset_poses,
    progress_of,
    step_batches,
)
from plugins.render.fitting.pictures import Film, OutlinePictures
from plugins.render.meshes import chosen_mesh
from plugins.render.rasterize import soft_silhouette

__all__ = ["fit_pose"]

RenderRun = Run[RenderConfig]


def fit_pose(run: RenderRun) -> Mapping[str, float]:
    """Finds the camera of a silhouette from starts that are off, and measures how near it came."""
    config, options = run.config, run.config.fit.pose
    check_loop(config.train)
    mesh = chosen_mesh(run)
    truth = _true_camera(config.camera, mesh.device)
    target = coverage(mesh, truth, config.fit.image_size, backend=config.backend)[0]
    if not bool(target.any()):
        raise UsageError(
            "the mesh covers no pixel of the picture",
            fix="look from nearer, or at more pixels: camera.distance, fit.image_size",
        )
    poses = offset_poses(
        truth,
        options.starts,
        angle_deg=options.offset_deg,
        distance=options.offset,
        seed=config.seed,
    )
    before = measure_poses(poses, mesh, truth, target, backend=config.backend)
    run.model_ready(poses)
    pictures = OutlinePictures(config, mesh, truth)
    film = Film(run.folder / "film", last_step=config.train.max_steps, count=config.fit.frames)
    _fit(run, poses, mesh, truth, target, film, pictures)
    poses.load_state_dict(load_weights(run.checkpoints) or poses.state_dict())
    after = measure_poses(poses, mesh, truth, target, backend=config.backend)
    _show(run, truth, before, after, film, pictures)
    _table(run, before, after)
    return _figures(run, before, after)


def _true_camera(camera: CameraConfig, device: torch.device) -> FoVPerspectiveCameras:
    """Returns the camera that is to be found: that of the ``camera.`` options."""
    return orbit(
        1,
        distance=camera.distance,
        elevation_deg=camera.elevation_deg,
        fov_deg=camera.fov_deg,
        start_deg=camera.azimuth_deg,
        device=device,
    )


def _fit(
    run: RenderRun,
    poses: Poses,
    mesh: Meshes,
    truth: FoVPerspectiveCameras,
    target: Tensor,
    film: Film,
    pictures: OutlinePictures,
) -> None:
    config, options = run.config, run.config.fit.pose
    optimizer = torch.optim.Adam(poses.parameters(), lr=options.lr)
    copies = mesh.extend(options.starts)

    def training_step(
        module: torch.nn.Module, batch: tuple[Tensor], loop: Loop
    ) -> Mapping[str, Tensor]:
        cameras = cameras_at(truth, *module())
        if film.index(loop.step) is not None:
            film.keep(loop.step, pictures.frame(cameras, f"step {loop.step}"))
        sigma = blur(progress_of(loop.step, config.train), options.sigma_start, options.sigma_end)
        seen = soft_silhouette(copies, cameras, config.fit.image_size, sigma=sigma)
        losses = 1 - iou(seen, target)
        # The starts share no parameters, and the steps of Adam do not depend on the scale.
        return {"loss": losses.mean(), "best_start": losses.min().detach()}

    def validate(poses: Poses, loop: Loop) -> dict[str, float]:
        guesses = measure_poses(poses, mesh, truth, target, backend=config.backend)
        return {
            "loss": 1 - float(guesses.iou[guesses.best]),
            "rotation_deg": float(guesses.rotation_deg[guesses.best]),
            "translation": float(guesses.translation[guesses.best]),
        }

    fit(
        run,
        model=poses,
        optimizer=optimizer,
        data=step_batches(config.train),
        training_step=training_step,
        validate=validate,
        scheduler=cosine_after(optimizer, config.train, hold=0.0),
    )


def _figures(run: RenderRun, before: Guesses, after: Guesses) -> dict[str, float]:
    best = after.best
    names = ("iou", "rotation_deg", "translation")
    figures = {name: float(getattr(after, name)[best]) for name in names}
    figures |= {f"{name}_start": float(getattr(before, name)[best]) for name in names}
    run.say(
        f"start {best + 1} of {len(after.iou)} agrees best: IoU {figures['iou']:.4f}, "
        f"{figures['rotation_deg']:.2f} degrees and {figures['translation']:.4f} radii from the "
        "true pose"
    )
    if after.is_ambiguous:
        run.say(
            "the silhouettes agree and the poses do not: the mesh looks alike from several sides, "
            "and no silhouette can tell them apart",
            "warning",
        )
    return figures


def _show(
    run: RenderRun,
    truth: FoVPerspectiveCameras,
    before: Guesses,
    after: Guesses,
    film: Film,
    pictures: OutlinePictures,
) -> None:
    path = run.artifact_path("fit.gif")
    film.write(path, [pictures.frame(after.cameras(truth), "result")], fps=run.config.fit.fps)
    run.add_artifact(
        path,
        kind="image",
        title="The fit",
        caption="From each start: orange the silhouette to match, blue what is seen, dark where "
        "both are.",
        section="Fit",
    )
    path = run.artifact_path("before-after.png")
    start, result = (guesses.cameras(truth, after.best) for guesses in (before, after))
    Image.fromarray(pictures.sheet(start, result)).save(path)
    run.add_artifact(
        path,
        kind="image",
        title="Before and after",
        caption="Above the silhouettes; below what the true camera, the best start and its result "
        "see.",
        section="Fit",
    )


def _table(run: RenderRun, before: Guesses, after: Guesses) -> None:
    columns = {
        f"{title}, {when}": getattr(guesses, name).tolist()
        for when, guesses in (("before", before), ("after", after))
        for title, name in (
            ("IoU", "iou"),
            ("rotation error (degrees)", "rotation_deg"),
            ("translation error (radii)", "translation"),
        )
    }
    path = run.artifact_path("starts.csv")
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["start", *columns])
        for index, row in enumerate(zip(*columns.values(), strict=True), start=1):
            writer.writerow([index, *(f"{value:.4f}" for value in row)])
    run.add_artifact(
        path,
        kind="table",
        title="All starts",
        caption="The silhouette alone decides which one is believed.",
        section="Fit",
    )
