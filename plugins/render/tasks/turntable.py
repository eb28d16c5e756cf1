"""``task=turntable``: a mesh or a cloud of points turns before the camera."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

from pytorch3d.structures import Meshes, Pointclouds

from labcore.errors import UsageError
from labcore.kit.video import ContactSheet, Frame, GifWriter, Mp4Writer
from labcore.run import Run
from plugins.render.cameras import orbit
from plugins.render.config import RenderConfig
from plugins.render.meshes import chosen_thing
from plugins.render.shading import COLOUR_MAP, as_bytes, render

__all__ = ["turntable"]

RenderRun = Run[RenderConfig]


def turntable(run: RenderRun) -> None:
    """Leaves turntable.gif, turntable.mp4 and contact_sheet.png."""
    options = run.config.turntable
    thing = chosen_thing(run)
    what = _describe(thing)
    if isinstance(thing, Pointclouds) and options.shading == "wireframe":
        raise UsageError(
            "turntable.shading is 'wireframe', and points have no edges",
            fix="use phong, flat, silhouette, depth or normals",
        )
    height, width = run.config.camera.size
    run.say(f"{_name(run)}: {what}, {options.frames} frames of {width}x{height}")
    films = {
        "turntable.gif": GifWriter(run.artifact_path("turntable.gif"), fps=options.fps),
        "turntable.mp4": Mp4Writer(run.artifact_path("turntable.mp4"), fps=options.fps),
        "contact_sheet.png": ContactSheet(
            run.artifact_path("contact_sheet.png"), num_frames=options.frames
        ),
    }
    start = time.perf_counter()
    with ExitStack() as stack:
        for film in films.values():
            stack.enter_context(film)
        progress = stack.enter_context(run.progress("frames", options.frames))
        for frame in _frames(run, thing):
            for film in films.values():
                film.add(frame)
            progress.advance()
    frame_ms = (time.perf_counter() - start) * 1000 / options.frames
    title = f"{_name(run)}, {options.shading}"
    for name, kind, caption in (
        # The page plays the film; the GIF is there to be passed on.
        ("turntable.gif", "file", ""),
        ("turntable.mp4", "video", f"A full turn in {options.frames / options.fps:.1f} s."),
        ("contact_sheet.png", "image", _legend(run)),
    ):
        run.add_artifact(
            films[name].path,
            kind=kind,  # type: ignore[arg-type]  # the literals above
            title=title if name != "contact_sheet.png" else "Contact sheet",
            caption=caption,
            section="Turntable",
        )
    run.say(f"{frame_ms:.0f} ms a frame")
    run.log_metrics({"frame_ms": frame_ms}, step=options.frames, phase="perf")


def _frames(run: RenderRun, thing: Meshes | Pointclouds) -> Iterator[Frame]:
    """Draws one frame after the other; nothing keeps them."""
    camera, options = run.config.camera, run.config.turntable
    cameras = orbit(
        options.frames,
        distance=camera.distance,
        elevation_deg=camera.elevation_deg,
        fov_deg=camera.fov_deg,
        start_deg=camera.azimuth_deg,
        device=run.device.torch_device,
    )
    for index in range(options.frames):
        picture = render(
            thing,
            cameras[index],
            image_size=camera.size,
            style=options.shading,
            light=run.config.light,
            background=options.background,
            supersampling=options.supersampling,
            depth_range=_depth_range(run),
            point_radius=options.point_radius,
            backend=run.config.backend,  # type: ignore[arg-type]  # the config has checked it
        )
        yield as_bytes(picture)[0]


def _depth_range(run: RenderRun) -> tuple[float, float]:
    """The same for all frames: the ball that what is shown fits into."""
    distance = run.config.camera.distance
    return distance - 1, distance + 1


def _legend(run: RenderRun) -> str:
    style = run.config.turntable.shading
    if style == "depth":
        near, far = _depth_range(run)
        return (
            f"Depth along the view axis, in radii of what is shown: {near:g} is the bright end of "
            f"the colours ({COLOUR_MAP}), {far:g} the dark one."
        )
    if style == "normals":
        return "Normals in the viewer's frame: red to the right, green up, blue towards them."
    return ""


def _name(run: RenderRun) -> str:
    mesh = run.config.mesh
    return mesh.path.replace("\\", "/").rpartition("/")[2] or mesh.name


def _count(thing: Meshes | Pointclouds) -> int:
    return len(thing.points_packed() if isinstance(thing, Pointclouds) else thing.faces_packed())


def _describe(thing: Meshes | Pointclouds) -> str:
    if isinstance(thing, Pointclouds):
        return f"{_count(thing):,} points"
    return f"{len(thing.verts_packed()):,} vertices, {_count(thing):,} faces"
