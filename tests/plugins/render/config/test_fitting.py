"""Options of the fits that cannot be meant are refused with what can be done."""

import pytest

from plugins.render.config.fitting import (
    FitConfig,
    FitMeshConfig,
    FitPoseConfig,
    FitTextureConfig,
)


@pytest.mark.parametrize(
    ("kind", "options", "says"),
    [
        (FitConfig, {"views": 0}, "fit.views is 0; use 1 to 10,000"),
        (FitConfig, {"frames": 1}, "fit.frames is 1"),
        (FitConfig, {"fps": 0}, "fit.fps is 0"),
        (FitConfig, {"image_size": 4}, "fit.image_size is 4"),
        (FitMeshConfig, {"subdivisions": 9}, "42 vertices"),
        (FitMeshConfig, {"points": 0}, "fit.mesh.points is 0"),
        (FitMeshConfig, {"edge": -1}, "fit.mesh.edge is -1"),
        (FitMeshConfig, {"chamfer": 0, "silhouette": 0}, "what to become"),
        (FitPoseConfig, {"starts": 0}, "fit.pose.starts is 0"),
        (FitPoseConfig, {"offset_deg": 181}, "fit.pose.offset_deg is 181; use 0 to 180"),
        (FitPoseConfig, {"sigma_start": 1e-5, "sigma_end": 1e-4}, "sharper as the fit goes on"),
        (FitMeshConfig, {"sigma_end": 1e-3}, "fit.mesh.sigma_end is 0.001, above"),
        (FitTextureConfig, {"mode": "texture"}, "use one of auto, map, vertices"),
        (FitTextureConfig, {"held_out_views": 0}, "fit.texture.held_out_views is 0"),
        (FitTextureConfig, {"lr": float("nan")}, "fit.texture.lr is nan"),
    ],
)
def test_an_option_out_of_range_names_itself_and_the_range(kind, options, says):
    with pytest.raises(ValueError, match=says):
        kind(**options)


def test_a_fit_by_silhouettes_alone_or_by_points_alone_is_possible():
    assert FitMeshConfig(chamfer=0).silhouette > 0
    assert FitMeshConfig(silhouette=0).chamfer > 0
