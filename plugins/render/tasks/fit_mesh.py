"""``task=fit_mesh``: a sphere that becomes the target, by gradients."""

from collections.abc import Mapping

import torch
from PIL import Image
from pytorch3d.io import save_obj
from pytorch3d.structures import Meshes
from torch import Tensor

from labcore.run import Run
from labcore.training import Loop, fit, load_weights
from plugins.render.config import RenderConfig
from plugins.render.fitting import (
    DeformedSphere,
    Samples,
    SurfaceError,
    blur,
    chamfer_distance,
    check_loop,
    cosine_after,
    coverage,
    drawn_from,
    iou,
    progress_of,
    regularity,
    sphere_views,
    step_batches,
    surface_error,
)
from plugins.render.fitting.pictures import Film, ShapePictures
from plugins.render.meshes import chosen_mesh
from plugins.render.rasterize import soft_silhouette

__all__ = ["fit_mesh"]

RenderRun = Run[RenderConfig]

_VALIDATION, _TEST, _OTHER = 1, 2, 3
"""Which held-out points, added to the seed."""
_HOLD = 0.3
"""Share of the steps with the full learning rate."""


def fit_mesh(run: RenderRun) -> Mapping[str, float]:
    """Deforms a sphere until it is the chosen mesh, and measures how near it came."""
    config = run.config
    check_loop(config.train)
    target = chosen_mesh(run)
    model = DeformedSphere(config.fit.mesh.subdivisions, config.fit.mesh.smoothing)
    model.to(target.device)
    start = model.mesh().detach()
    run.say(
        f"a sphere of {len(model.sphere):,} vertices becomes a mesh of "
        f"{len(target.verts_packed()):,}"
    )
    run.model_ready(model)
    pictures = ShapePictures(config, target)
    film = Film(run.folder / "film", last_step=config.train.max_steps, count=config.fit.frames)
    _fit(run, model, target, film, pictures)
    model.load_state_dict(load_weights(run.checkpoints) or model.state_dict())
    result = model.mesh().detach()
    _show(run, start, result, film, pictures)
    return _figures(run, target, start, result)


def _fit(
    run: RenderRun, model: DeformedSphere, target: Meshes, film: Film, pictures: ShapePictures
) -> None:
    config, options = run.config, run.config.fit.mesh
    optimizer = torch.optim.Adam(model.parameters(), lr=options.lr)
    size = config.fit.image_size
    views = sphere_views(config.fit.views, config.camera, device=target.device)
    outlines = coverage(target, views, size, backend=config.backend) if options.silhouette else None
    held_out = _held_out(run, target, _VALIDATION)

    def training_step(
        module: torch.nn.Module, batch: tuple[Tensor], loop: Loop
    ) -> Mapping[str, Tensor]:
        mesh = model.mesh(module())
        index = film.index(loop.step)
        if index is not None:
            turn = index / len(film)
            film.keep(loop.step, pictures.frame(mesh.detach(), turn, f"step {loop.step}"))
        terms = regularity(mesh, options)
        if options.chamfer:
            ours, theirs = (drawn_from(each, options.points).points for each in (mesh, target))
            terms["chamfer"] = (options.chamfer, chamfer_distance(ours, theirs))
        if outlines is not None:
            chosen = torch.randint(len(outlines), (options.views_a_step,))
            progress = progress_of(loop.step, config.train)
            sigma = blur(progress, options.sigma_start, options.sigma_end)
            copies = mesh.extend(len(chosen))
            seen = soft_silhouette(copies, views[chosen.tolist()], size, sigma=sigma)
            agreement = iou(seen, outlines[chosen.to(outlines.device)]).mean()
            terms["silhouette"] = (options.silhouette, 1 - agreement)
        loss = torch.stack([weight * value for weight, value in terms.values()]).sum()
        return {"loss": loss, **{name: value for name, (_, value) in terms.items()}}

    def validate(model: DeformedSphere, loop: Loop) -> dict[str, float]:
        error = _error(run, model.mesh(), held_out, _VALIDATION)
        return {
            "loss": error.chamfer,
            "distance": error.distance,
            "fscore": error.fscore,
            "normals": error.normals,
        }

    fit(
        run,
        model=model,
        optimizer=optimizer,
        data=step_batches(config.train),
        training_step=training_step,
        validate=validate,
        scheduler=cosine_after(optimizer, config.train, hold=_HOLD),
    )


def _held_out(run: RenderRun, mesh: Meshes, which: int) -> Samples:
    """Returns samples of a surface that training does not see."""
    return drawn_from(mesh, run.config.fit.mesh.held_out_points, seed=run.config.seed + which)


def _error(run: RenderRun, mesh: Meshes, theirs: Samples, which: int) -> SurfaceError:
    ours = _held_out(run, mesh, which)
    return surface_error(ours, theirs, radius=run.config.fit.mesh.radius)


def _figures(run: RenderRun, target: Meshes, start: Meshes, result: Meshes) -> dict[str, float]:
    """Measures the fit on samples of its own, beside the sphere and beside the target itself."""
    theirs = _held_out(run, target, _TEST)
    error = _error(run, result, theirs, _TEST)
    before = _error(run, start, theirs, _TEST)
    # Two draws from one surface are apart too; no fit can look better than they do.
    ideal = _error(run, target, theirs, _OTHER)
    run.say(
        f"mean distance to the target {error.distance:.4f} of its radius; {before.distance:.4f} "
        f"at the start, {ideal.distance:.4f} between two draws of points from the target itself"
    )
    kinds = {"": error, "_start": before, "_ideal": ideal}
    return {
        f"{name}{kind}": value
        for kind, measured in kinds.items()
        for name, value in measured._asdict().items()
    }


def _show(
    run: RenderRun, start: Meshes, result: Meshes, film: Film, pictures: ShapePictures
) -> None:
    path = run.artifact_path("fit.gif")
    frames = run.config.fit.frames
    with run.progress("film of the fit", frames) as progress:
        turn = []
        for index in range(frames):
            turn.append(pictures.frame(result, index / frames, "result"))
            progress.advance()
        film.write(path, turn, fps=run.config.fit.fps)
    run.add_artifact(
        path,
        kind="image",
        title="The fit",
        caption="Left the target, right the sphere on its way, then a turn round the result.",
        section="Fit",
    )
    path = run.artifact_path("before-after.png")
    Image.fromarray(pictures.sheet({"start": start, "result": result})).save(path)
    run.add_artifact(path, kind="image", title="Before and after", section="Fit")
    path = run.artifact_path("result.obj")
    save_obj(path, result.verts_packed().cpu(), result.faces_packed().cpu())
    run.add_artifact(
        path,
        kind="file",
        title="The fitted mesh",
        caption=f"To turn it: lab run plugin=render mesh.path={path}",
        section="Fit",
    )
