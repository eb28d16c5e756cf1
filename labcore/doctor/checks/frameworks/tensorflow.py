"""Checks of the installed TensorFlow and of what goes with it."""

from labcore.discovery import install_command
from labcore.doctor.check import check
from labcore.doctor.checks.verdicts import built, from_verdict
from labcore.doctor.finding import Finding, failure, ok, say, unknown, warning
from labcore.doctor.machine import Card, Machine, TensorFlowBuild
from labcore.doctor.tables import (
    TENSORFLOW,
    family,
    parse_version,
    tensorflow_with_cuda,
    tensorflow_with_torch,
)

_FIRST_WITHOUT_WINDOWS = "2.11"
_FIRST_KERAS_3 = "2.16"
_SONAMES = {
    11: ("libcudart.so.11.0", "libcublas.so.11", "libcublasLt.so.11", "libcufft.so.10",
         "libcusolver.so.11", "libcusparse.so.11"),
    12: ("libcudart.so.12", "libcublas.so.12", "libcublasLt.so.12", "libcufft.so.11",
         "libcusolver.so.11", "libcusparse.so.12"),
}  # fmt: skip
"""CUDA family to the libraries that TensorFlow opens by name."""


@check("tensorflow", "tensorflow", "TensorFlow")
def _tensorflow(machine: Machine) -> Finding | None:
    build = machine.tensorflow
    if build is None:
        if machine.packages is None:
            return unknown("whether TensorFlow is installed is not known")
        return ok(f"not installed ({install_command('tflite')})")
    return built("TensorFlow", build)


@check("tf-tested", "tensorflow", "tested configurations", "tensorflow")
def _tested(machine: Machine, build: TensorFlowBuild) -> Finding | None:
    row = TENSORFLOW.row(build.version)
    if row is None:
        return unknown(f"TensorFlow {build.version} is not in the tables of tested configurations")
    if not _uses_gpu(machine, build):
        return ok(f"TensorFlow {row.tensorflow} was tested with CUDA {row.cuda}, cuDNN {row.cudnn}")
    named = (each for each in machine.libraries or () if each.name.startswith("libcudnn.so"))
    cudnn = next((each.version for each in named if each.version), None)
    cuda = build.cuda or (machine.toolkit.version if machine.toolkit else None)
    if cuda is None:
        return None
    other = f"CUDA {cuda}" + (f" and cuDNN {cudnn}" if cudnn else "")
    return from_verdict(
        tensorflow_with_cuda(build.version, cuda, cudnn),
        good=f"TensorFlow {build.version} goes with {other}",
        bad=f"TensorFlow {build.version} does not go with {other}",
        fix=_with_cuda(build),
        worst="warning",
        cuda=cuda,
        cudnn=cudnn,
        tested=f"CUDA {row.cuda}, cuDNN {row.cudnn}",
    )


@check("cudnn-missing", "tensorflow", "cuDNN for TensorFlow", "tensorflow", needs=("libraries",))
def _cudnn_missing(machine: Machine, build: TensorFlowBuild) -> Finding | None:
    if not _uses_gpu(machine, build) or machine.os != "linux":
        return None
    row = TENSORFLOW.row(build.version)
    wanted = build.cudnn or (row.cudnn if row is not None else "")
    major = wanted.split(".")[0]
    if not major:
        return None
    soname = f"libcudnn.so.{major}"
    where = [each.path for each in machine.libraries or () if each.name == soname]
    if where:
        return ok(f"cuDNN {major} is there for TensorFlow", path=where[0])
    sure = bool(build.cudnn) or (row is not None and row.verified)
    return say(
        "failure" if sure else "warning",
        f"TensorFlow {build.version} finds no cuDNN {major} ({soname})",
        cause='it then leaves the GPU out: "Could not load dynamic library", "Skipping registering '
        'GPU devices"',
        fix=_with_cuda(build),
        sources=("tensorflow 45200", "tensorflow 60854", "tensorflow 44040"),
        wanted=soname,
    )


@check(
    "tf-libraries",
    "tensorflow",
    "CUDA libraries for TensorFlow",
    "tensorflow",
    needs=("libraries",),
)
def _libraries(machine: Machine, build: TensorFlowBuild) -> Finding | None:
    if not build.cuda or not machine.cards or machine.os != "linux":
        return None
    there = {each.name for each in machine.libraries or ()}
    wanted = _SONAMES.get(family(build.cuda), ())
    missing = [soname for soname in wanted if soname not in there]
    if not missing:
        text = f"the CUDA {family(build.cuda)} libraries of TensorFlow are there"
        return ok(text) if wanted else None
    return failure(
        f"TensorFlow {build.version} finds {len(missing)} of its CUDA libraries nowhere",
        cause=f'"Cannot dlopen some GPU libraries": {", ".join(missing)}',
        fix=_with_cuda(build),
        sources=("tensorflow 66987", "tensorflow 60646", "tensorflow 63362"),
        missing=missing,
    )


@check("libdevice", "tensorflow", "libdevice for XLA", "tensorflow", needs=("libdevice",))
def _libdevice(machine: Machine, build: TensorFlowBuild) -> Finding | None:
    if not _uses_gpu(machine, build):
        return None
    if machine.libdevice:
        return ok("XLA finds libdevice", path=machine.libdevice)
    major = family(build.cuda or "12")
    return warning(
        "XLA finds no libdevice.10.bc",
        cause='code compiled by XLA fails on the GPU: "libdevice not found at ./libdevice.10.bc"',
        fix=f"pip install nvidia-cuda-nvcc-cu{major}; or, with a toolkit: export "
        "XLA_FLAGS=--xla_gpu_cuda_data_dir=/usr/local/cuda",
        sources=("tensorflow 58681", "tensorflow 56927", "tensorflow 60790"),
    )


@check("two-cuda-majors", "tensorflow", "TensorFlow and torch in one environment", "tensorflow")
def _two_majors(machine: Machine, build: TensorFlowBuild) -> Finding | None:
    torch = machine.torch
    if torch is None or not torch.cuda or not machine.cards:
        return None
    version = torch.version.split("+")[0]
    row = TENSORFLOW.row(build.version)
    cuda = build.cuda or (row.cuda if row is not None else "")
    apart = bool(cuda) and family(cuda) != family(torch.cuda)
    return from_verdict(
        tensorflow_with_torch(build.version, version),
        good=f"TensorFlow {build.version} and torch {version} go together",
        bad=f"TensorFlow {build.version} is built for CUDA {cuda}, torch {version} for {torch.cuda}"
        if apart
        else f"TensorFlow {build.version} and torch {version} do not go together",
        fix="an environment for each, or a pair of one family: lab doctor --explain "
        f"tensorflow={build.version} torch={version} names them",
        worst="warning",
        limited="warning" if apart else "ok",
        torch_cuda=torch.cuda,
        tensorflow_cuda=cuda,
        driver=machine.driver,
    )


@check("tf-grabs-memory", "tensorflow", "TensorFlow's share of memory", "cards")
def _memory(machine: Machine, _: tuple[Card, ...]) -> Finding | None:
    if machine.tensorflow is None:
        return None
    value = machine.variable("TF_FORCE_GPU_ALLOW_GROWTH").lower()
    if value in {"", "true", "1"}:
        return ok(
            "runs of the lab let TensorFlow's memory grow; your own scripts: "
            "export TF_FORCE_GPU_ALLOW_GROWTH=true",
            sources=("tensorflow 25138", "tensorflow 8021"),
        )
    return warning(
        f"TF_FORCE_GPU_ALLOW_GROWTH={value} lets TensorFlow take all memory of the card",
        cause="a second process on that card then fails for lack of memory",
        fix="export TF_FORCE_GPU_ALLOW_GROWTH=true, before TensorFlow is imported",
        sources=("tensorflow 25138",),
    )


@check("keras-line", "tensorflow", "Keras 2 and Keras 3", "tensorflow")
def _keras(machine: Machine, build: TensorFlowBuild) -> Finding | None:
    optimization = machine.version("tensorflow-model-optimization")
    if not _at_least(build.version, _FIRST_KERAS_3):
        return None
    legacy = machine.version("tf-keras")
    minor = ".".join(build.version.split(".")[:2])
    if optimization and legacy is None:
        return failure(
            f"tensorflow-model-optimization {optimization} needs tf-keras, which is not installed",
            cause="TensorFlow 2.16 and newer bring Keras 3, which it cannot prune or quantise",
            fix=f'pip install "tf-keras=={minor}.*" and set TF_USE_LEGACY_KERAS=1',
        )
    if legacy is not None and legacy.split(".")[:2] != build.version.split(".")[:2]:
        return failure(
            f"tf-keras {legacy} does not belong to TensorFlow {build.version}",
            cause="each tf-keras is made for the TensorFlow of its own minor version",
            fix=f'pip install "tf-keras=={minor}.*"',
        )
    if optimization and machine.variable("TF_USE_LEGACY_KERAS").lower() in {"0", "false"}:
        return warning(
            "TF_USE_LEGACY_KERAS=0 takes Keras 3",
            cause="tensorflow-model-optimization works on models of tf-keras only",
            fix="unset TF_USE_LEGACY_KERAS: the lab sets it for its runs",
        )
    text = f"tf-keras {legacy} goes with TensorFlow {build.version}"
    return ok(f"{text}; the lab sets TF_USE_LEGACY_KERAS=1 for its runs") if legacy else None


@check("tf-windows", "tensorflow", "GPU on Windows", "tensorflow")
def _windows(machine: Machine, build: TensorFlowBuild) -> Finding | None:
    if machine.os != "windows":
        return None
    if not machine.cards or not _at_least(build.version, _FIRST_WITHOUT_WINDOWS):
        return ok(f"TensorFlow {build.version} does on Windows what it can")
    return warning(
        f"TensorFlow {build.version} has no GPU support on Windows",
        cause="2.10 was the last release that uses an NVIDIA GPU outside WSL",
        fix='use WSL 2 (wsl --install) and pip install "tensorflow[and-cuda]" there',
        sources=("tensorflow docs install/pip",),
    )


def _uses_gpu(machine: Machine, build: TensorFlowBuild) -> bool:
    no_windows = machine.os == "windows" and _at_least(build.version, _FIRST_WITHOUT_WINDOWS)
    return bool(machine.cards) and build.cuda != "" and not no_windows


def _with_cuda(build: TensorFlowBuild) -> str:
    if _at_least(build.version, "2.14"):
        return f'pip install "tensorflow[and-cuda]=={build.version}"'
    row = TENSORFLOW.row(build.version)
    if row is None:
        return "install the CUDA toolkit and cuDNN that this release was tested with"
    conda = f"conda install cudatoolkit={row.cuda} cudnn={row.cudnn}"
    return f"install CUDA {row.cuda} and cuDNN {row.cudnn} ({conda})"


def _at_least(version: str, least: str) -> bool:
    return parse_version(version) >= parse_version(least)
