"""The plan for PyTorch3D: which versions, and whether a wheel or a build gives it."""

from collections.abc import Iterator

from labcore.doctor.plans.build import build_steps
from labcore.doctor.plans.choice import choose
from labcore.doctor.plans.plan import Plan, Step
from labcore.doctor.plans.target import Target
from labcore.doctor.tables import (
    Pair,
    PyTorch3DWheel,
    Setup,
    cub_for,
    explain,
    series,
    torch_pip,
)
from labcore.errors import RequirementError

CUBE = """\
import torch
from pytorch3d import _C
from pytorch3d.renderer import FoVPerspectiveCameras, MeshRasterizer, RasterizationSettings
from pytorch3d.structures import Meshes

corners = [[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)]
sides = [
    [0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1],
    [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3],
]
devices = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]
for device in devices:
    cube = Meshes([torch.tensor(corners, device=device)], [torch.tensor(sides, device=device)])
    cameras = FoVPerspectiveCameras(
        T=torch.tensor([[0.0, 0.0, 4.0]], device=device), fov=60.0, device=device
    )
    settings = RasterizationSettings(image_size=64)
    seen = MeshRasterizer(cameras=cameras, raster_settings=settings)(cube)
    covered = (seen.pix_to_face[..., 0] >= 0).float().mean().item()
    # The near side is 3 away and 2 wide: (2 / (2 * 3 * tan 30 deg)) ** 2 = 1 / 3 of the picture.
    assert abs(covered - 1 / 3) < 0.04, f"the cube covers {covered:.3f} of the picture"
    print(f"pytorch3d draws a cube on {device}: torch {torch.__version__}")
"""
"""A test of an installed PyTorch3D: its compiled part loads, and a cube is drawn right."""
_SYSTEMS = {"linux": "Linux", "windows": "Windows", "macos": "macOS"}


def plan_pytorch3d(target: Target, pytorch3d: str | None = None) -> Plan:
    """Returns how to get PyTorch3D on a machine.

    Args:
        target: The machine; a torch that it has stays unless the options named another.
        pytorch3d: Version; the newest that goes with the torch when None.

    Raises:
        RequirementError: No torch in the tables goes with the machine.
    """
    chosen = choose(target, pytorch3d)
    if chosen is None:
        asked = " ".join(_setup(target, pytorch3d).words())
        raise RequirementError(
            "no torch in the tables goes with this machine and PyTorch3D",
            fix=f"leave an option out; or see what goes with what: lab doctor --explain {asked}",
        )
    target, version = chosen
    assert target.torch is not None
    answer = explain(_setup(target, version))
    wheel = answer.setup.wheel
    problems = tuple(line for line in answer.lines if line.verdict.state in ("no", "unknown"))
    how = "a wheel" if wheel else "built from source"
    name = f"PyTorch3D {version} for torch {target.torch}{_build(target)} on {_SYSTEMS[target.os]}"
    if problems:
        is_sure = any(line.verdict.state == "no" for line in problems)
        how = "these do not go together" if is_sure else "the tables do not know"
    return Plan(
        title=f"{name}: {how}",
        os=target.os,
        method="none" if problems else "wheel" if wheel else "source",
        facts=dict(_facts(target, version, compiles=wheel is None)),
        problems=problems,
        cares=tuple(line for line in answer.lines if _is_left_open(line)),
        alternatives=answer.alternatives,
        steps=() if problems else tuple(_steps(target, version, wheel)),
        notes=() if problems else tuple(_notes(target, version, wheel)),
    )


def _is_left_open(line: Pair) -> bool:
    """Whether a pair has a condition that no step of the plan meets; one does for CUB."""
    return line.verdict.state in ("limited", "doubtful") and "CUB of" not in line.title


def _setup(target: Target, pytorch3d: str | None) -> Setup:
    """The versions of a target as a set to judge; several cards by the oldest capability."""
    gpu = None
    if target.capabilities:
        gpu = target.cards[0] if len(target.cards) == 1 else target.capabilities[0]
    has_cuda = target.torch_cuda != "" and target.os != "macos"
    return Setup(
        os=target.os,
        python=target.python,
        driver=target.driver if has_cuda else None,
        gpu=gpu if has_cuda else None,
        cuda=target.toolkit if has_cuda else None,
        torch=target.torch,
        torch_cuda=None if has_cuda and not target.torch_cuda else target.torch_cuda or "cpu",
        pytorch3d=pytorch3d,
    )


def _facts(target: Target, pytorch3d: str, *, compiles: bool) -> Iterator[tuple[str, str]]:
    yield "PyTorch3D", pytorch3d
    state = "installed" if target.has_torch else "to install"
    yield "torch", f"{target.torch}{_build(target)}, {state}"
    if target.python:
        yield "Python", target.python
    if target.cards:
        yield "GPU", f"{', '.join(target.cards)} ({', '.join(target.capabilities)})"
    else:
        yield "GPU", "none here" if target.is_here else "none named"
    if target.driver:
        yield "driver", target.driver
    if compiles and target.torch_cuda:
        where = f", in {target.toolkit_root}" if target.toolkit_root else ", to install"
        yield "CUDA toolkit", f"{target.toolkit or series(target.torch_cuda)}{where}"
    if compiles and target.gcc:
        yield "gcc", target.gcc


def _build(target: Target) -> str:
    if target.torch_cuda is None:
        return ""
    return f" (CUDA {target.torch_cuda})" if target.torch_cuda else " (CPU build)"


def _steps(target: Target, pytorch3d: str, wheel: PyTorch3DWheel | None) -> Iterator[Step]:
    assert target.torch is not None
    if not target.has_torch:
        yield Step(
            title="Install torch",
            why="first: a build uses the torch that is installed, and its version matters",
            commands=(torch_pip(target.torch, target.torch_cuda or None, target.os),),
        )
    if wheel is not None:
        yield Step(title="Install the wheel", why=wheel.note, commands=(wheel.pip,))
    else:
        yield from build_steps(target, pytorch3d)
    yield Step(
        title="Check the result",
        why="from another folder: beside a clone of PyTorch3D, Python would import the clone",
        script=CUBE,
    )


def _notes(target: Target, pytorch3d: str, wheel: PyTorch3DWheel | None) -> Iterator[str]:
    if wheel is not None:
        yield (
            f"{wheel.package} is made by a third party: upstream has no wheel for this torch. Its "
            "import name is pytorch3d"
        )
        yield "nothing is compiled: no toolkit, no CUB and no variable matters"
        return
    if target.torch_cuda:
        if not cub_for(target.toolkit or target.torch_cuda, target.os, pytorch3d).needed:
            yield (
                "PyTorch3D's own setup.py defines THRUST_IGNORE_CUB_VERSION_CHECK for the whole "
                "build: no header of the toolkit has to be edited"
            )
        yield (
            "torch's wheel brings its own CUDA libraries: do not add the toolkit's lib64 to "
            "LD_LIBRARY_PATH, where it would replace them"
            if target.os == "linux"
            else "torch's wheel brings its own CUDA libraries; the toolkit is only for compiling"
        )
    if target.torch_cuda and not target.capabilities:
        yield (
            "name the card to compile for that alone, --gpu NAME: every architecture adds about 15 "
            "minutes of one core"
        )
    yield "after another torch is installed PyTorch3D has to be built again"
