"""Rasterizers on a CUDA device: PyTorch3D's there and ours on a CPU draw the same picture."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("pytorch3d")

from pytorch3d.renderer import (  # noqa: E402  # needs pytorch3d
    FoVPerspectiveCameras,
    MeshRasterizer,
    RasterizationSettings,
    look_at_view_transform,
)
from pytorch3d.structures import Meshes  # noqa: E402
from pytorch3d.utils import ico_sphere  # noqa: E402

from plugins.render.rasterize import TorchRasterizer, make_rasterizer, soft_silhouette  # noqa: E402

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.ml,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


def cube():
    corners = torch.cartesian_prod(*[torch.tensor([-0.6, 0.6])] * 3)
    faces = [
        [0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
        [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3],
    ]  # fmt: skip
    return Meshes(verts=[corners], faces=[torch.tensor(faces)])


@pytest.fixture(params=["cube", "sphere"])
def mesh(request):
    return cube() if request.param == "cube" else ico_sphere(3)


@pytest.fixture
def cameras():
    rotation, translation = look_at_view_transform(2.7, 23.0, 37.0)
    return FoVPerspectiveCameras(R=rotation, T=translation)


def rasterize(backend, mesh, cameras, device, **options):
    rasterizer = make_rasterizer(
        backend,
        cameras=cameras.clone(),
        raster_settings=RasterizationSettings(image_size=(96, 120), **options),
        device=device,
    )
    return rasterizer(mesh.to(device))


@pytest.mark.parametrize("options", [{}, {"faces_per_pixel": 4, "blur_radius": 1e-4}])
def test_ours_on_a_cpu_and_pytorch3d_on_cuda_see_the_same(mesh, cameras, options):
    ours = rasterize("auto", mesh, cameras, "cpu", **options)
    theirs = rasterize("auto", mesh, cameras, "cuda", **options)
    assert theirs.pix_to_face.is_cuda
    mask, other = ours.pix_to_face >= 0, theirs.pix_to_face.cpu() >= 0
    assert int(mask.sum()) > 1000
    assert int((mask != other).sum()) <= 2  # pixels within rounding of an edge
    both = (ours.pix_to_face == theirs.pix_to_face.cpu()) & mask
    assert int(both.sum()) >= 0.999 * int(mask.sum())
    torch.testing.assert_close(ours.zbuf[both], theirs.zbuf.cpu()[both], rtol=1e-5, atol=1e-5)


def test_ours_runs_on_cuda_too(mesh, cameras):
    on_cpu = rasterize("torch", mesh, cameras, "cpu", faces_per_pixel=2)
    on_gpu = rasterize("torch", mesh, cameras, "cuda", faces_per_pixel=2)
    same = on_cpu.pix_to_face == on_gpu.pix_to_face.cpu()
    assert int((~same).sum()) <= 2
    torch.testing.assert_close(on_cpu.zbuf[same], on_gpu.zbuf.cpu()[same], rtol=1e-5, atol=1e-5)


def test_silhouettes_and_their_gradients_are_those_of_the_cpu(mesh, cameras):
    pictures, gradients = [], []
    for device in ("cpu", "cuda"):
        placed = mesh.to(device)
        verts = placed.verts_padded().clone().requires_grad_()
        picture = soft_silhouette(
            placed.update_padded(verts), cameras.clone().to(device), 64, sigma=1e-4
        )
        picture.sum().backward()
        pictures.append(picture.detach().cpu())
        gradients.append(verts.grad.cpu())
    torch.testing.assert_close(pictures[1], pictures[0], rtol=1e-4, atol=1e-4)
    assert (gradients[1] - gradients[0]).norm() <= 1e-3 * gradients[0].norm()


def test_auto_picks_the_compiled_rasterizer_on_cuda():
    assert type(make_rasterizer("auto", device="cuda")) is MeshRasterizer
    assert isinstance(make_rasterizer("auto", device="cpu"), TorchRasterizer)
