"""``task=fit_texture``: the colours of a mesh from pictures of it, by gradients."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from PIL import Image
from pytorch3d.renderer import FoVPerspectiveCameras
from pytorch3d.structures import Meshes
from torch import Tensor

from labcore.errors import UsageError
from labcore.run import Run
from labcore.training import Loop, TensorBatches, fit, load_weights
from plugins.render.config import RenderConfig
from plugins.render.fitting import (
    Paint,
    SurfacePixels,
    check_loop,
    colours_at,
    cosine_after,
    make_paint,
    sphere_views,
)
from plugins.render.fitting.pictures import ColourPictures, Film
from plugins.render.meshes import chosen_mesh

__all__ = ["fit_texture"]

RenderRun = Run[RenderConfig]

_HOLD = 0.3
"""Share of the steps with the full learning rate."""
_SPIRALS = {"train": 0.0, "validation": 1 / 3, "test": 2 / 3}
"""Where the spiral of cameras starts, in turns: no camera is of two kinds."""


class Pictures(NamedTuple):
    """Pictures of the mesh without light."""

    views: FoVPerspectiveCameras
    pixels: SurfacePixels
    colours: Tensor
    """What the pixels see, ``[P, 3]``."""


def fit_texture(run: RenderRun) -> Mapping[str, float]:
    """Recovers colours from views, and measures them in views that training has not seen."""
    config, options = run.config, run.config.fit.texture
    check_loop(config.train)
    mesh = chosen_mesh(run)
    paint = make_paint(mesh, options.mode, options.size)
    counts = {"train": config.fit.views}
    train, validation, test = (
        _taken(run, mesh, counts.get(kind, options.held_out_views), turn)
        for kind, turn in _SPIRALS.items()
    )
    run.say(f"{paint.describe()} from {len(train.colours):,} pixels of {config.fit.views} views")
    run.model_ready(paint)
    start = _psnr(_error(paint, mesh, test))
    pictures = ColourPictures(config, mesh, test.views)
    film = Film(run.folder / "film", last_step=config.train.max_steps, count=config.fit.frames)
    _fit(run, paint, mesh, train, validation, film, pictures)
    paint.load_state_dict(load_weights(run.checkpoints) or paint.state_dict())
    _show(run, paint, mesh, film, pictures)
    error = _error(paint, mesh, test)
    figures = {
        "psnr": _psnr(error),
        "psnr_start": start,
        "psnr_fitted_views": _psnr(_error(paint, mesh, train)),
        "mse": error,
    }
    run.say(
        f"PSNR {figures['psnr']:.2f} dB over the object in {options.held_out_views} held-out "
        f"views; {start:.2f} dB at the start, {figures['psnr_fitted_views']:.2f} dB in the views "
        "that were fitted"
    )
    return figures


def _taken(run: RenderRun, mesh: Meshes, count: int, turn: float) -> Pictures:
    config = run.config
    views = sphere_views(count, config.camera, turn=turn, device=mesh.device)
    pixels = SurfacePixels.of(mesh, views, config.fit.image_size, backend=config.backend)
    if not len(pixels.face):
        raise UsageError(
            "the mesh covers no pixel of the pictures",
            fix="look from nearer, or at more pixels: camera.distance, fit.image_size",
        )
    colours = colours_at(mesh.textures, mesh.faces_packed(), pixels.face, pixels.barycentrics)
    return Pictures(views, pixels, colours.clamp(0, 1))


def _fit(
    run: RenderRun,
    paint: Paint,
    mesh: Meshes,
    train: Pictures,
    validation: Pictures,
    film: Film,
    pictures: ColourPictures,
) -> None:
    config, options = run.config, run.config.fit.texture
    optimizer = torch.optim.Adam(paint.parameters(), lr=options.lr)
    faces = mesh.faces_packed()

    def training_step(
        module: torch.nn.Module, batch: tuple[Tensor, Tensor, Tensor], loop: Loop
    ) -> Mapping[str, Tensor]:
        face, barycentrics, target = batch
        textures = paint.textures(module())
        if film.index(loop.step) is not None:
            film.keep(loop.step, pictures.frame(textures, f"step {loop.step}"))
        colours = colours_at(textures, faces, face, barycentrics)
        return {"loss": (colours - target).square().mean()}

    def validate(paint: Paint, loop: Loop) -> dict[str, float]:
        error = _error(paint, mesh, validation)
        return {"loss": error, "psnr": _psnr(error)}

    fit(
        run,
        model=paint,
        optimizer=optimizer,
        data=TensorBatches(
            train.pixels.face,
            train.pixels.barycentrics,
            train.colours,
            batch_size=min(options.pixels, len(train.colours)),
            seed=config.seed,
        ),
        training_step=training_step,
        validate=validate,
        scheduler=cosine_after(optimizer, config.train, hold=_HOLD),
    )


@torch.no_grad()
def _error(paint: Paint, mesh: Meshes, pictures: Pictures) -> float:
    """Mean squared error over the pixels that see the object; the background would flatter it."""
    pixels = pictures.pixels
    textures = paint.textures(paint())
    colours = colours_at(textures, mesh.faces_packed(), pixels.face, pixels.barycentrics)
    return float((colours - pictures.colours).square().mean())


def _psnr(error: float) -> float:
    """Peak signal-to-noise ratio in dB, for colours in [0, 1]."""
    return -10 * math.log10(max(error, 1e-12))


@torch.no_grad()
def _show(run: RenderRun, paint: Paint, mesh: Meshes, film: Film, pictures: ColourPictures) -> None:
    values = paint()
    textures = paint.textures(values)
    path = run.artifact_path("fit.gif")
    film.write(path, [pictures.frame(textures, "result")], fps=run.config.fit.fps)
    run.add_artifact(
        path,
        kind="image",
        title="The fit",
        caption="A view that training does not see: left the mesh's own colours, right the fit.",
        section="Fit",
    )
    path = run.artifact_path("held-out-views.png")
    Image.fromarray(pictures.sheet(textures)).save(path)
    run.add_artifact(
        path,
        kind="image",
        title="Views that training has not seen",
        caption="The fit sees colours without light; here both are lit.",
        section="Fit",
    )
    for path in paint.save(values, mesh, run.artifact_path("result")):
        is_image = path.suffix == ".png"
        run.add_artifact(
            path,
            kind="image" if is_image else "file",
            title="The recovered texture" if is_image else "The mesh with its recovered colours",
            caption="" if is_image else f"To turn it: lab run plugin=render mesh.path={path}",
            section="Fit",
        )
