"""Light on what the pixels see, by PyTorch3D's lamps."""

import torch
from pytorch3d.renderer import DirectionalLights, PointLights
from pytorch3d.renderer.cameras import CamerasBase
from torch import Tensor

from plugins.render.config.scene import LightConfig

__all__ = ["lit", "make_lights"]


def make_lights(options: LightConfig, camera: CamerasBase) -> DirectionalLights | PointLights:
    """Returns the lamp of a picture in the world, where the options have it in the viewer's frame.

    Args:
        options: x to the viewer's right, y up, z towards them.
        camera: One camera.
    """
    strengths = {
        "ambient_color": ((options.ambient,) * 3,),
        "diffuse_color": ((options.diffuse,) * 3,),
        "specular_color": ((options.specular,) * 3,),
        "device": camera.device,
    }
    right, up, towards = map(float, options.location or options.direction)
    # PyTorch3D's view has x to the left and z away from the viewer; x_view = x_world R + T.
    in_view = torch.tensor([-right, up, -towards], device=camera.device)
    in_world = (in_view @ camera.R[0].T)[None]
    if options.location:
        return PointLights(location=in_world, **strengths)
    return DirectionalLights(direction=in_world, **strengths)


def lit(
    colours: Tensor,
    normals: Tensor,
    positions: Tensor,
    camera: CamerasBase,
    options: LightConfig,
) -> Tensor:
    """Returns colours under Phong's light, ``[P, 3]``; a highlight is white."""
    lights = make_lights(options, camera)
    # The lamps take pictures: one row of P pixels, one face each.
    points, directions = positions[None, None, :, None], normals[None, None, :, None]
    diffuse = lights.diffuse(normals=directions, points=points)[0, 0, :, 0]
    specular = lights.specular(
        normals=directions,
        points=points,
        camera_position=camera.get_camera_center(),
        shininess=options.shininess,
    )[0, 0, :, 0]
    return (colours * (lights.ambient_color + diffuse) + specular).clamp(0, 1)
