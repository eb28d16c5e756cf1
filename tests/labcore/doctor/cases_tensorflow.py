"""Cases for the checks of TensorFlow."""

from dataclasses import replace

from tests.labcore.doctor.machines import (
    LAPTOP,
    TENSORFLOW,
    TORCH,
    WITH_TENSORFLOW,
    WORKSTATION,
    Case,
    variables,
)

GPU = replace(WORKSTATION, **WITH_TENSORFLOW)
CPU = replace(LAPTOP, **WITH_TENSORFLOW)
OLD = {"tensorflow": replace(TENSORFLOW, version="2.12.0", cuda="11.8", cudnn="8")}
NO_LIBRARIES: dict = {"libraries": ()}


def installed(**versions):
    named = {name.replace("_", "-"): version for name, version in versions.items()}
    kept = {
        name: version
        for name, version in (GPU.packages or {}).items()
        if name not in named or named[name]
    }
    return {"packages": {**kept, **{name: value for name, value in named.items() if value}}}


CASES = [
    Case(check="tensorflow", state="ok", says=("2.21.0", "CUDA 12.5.1"), machine=GPU),
    Case(
        check="tensorflow",
        state="ok",
        says=("for the CPU",),
        machine=GPU,
        facts={"tensorflow": replace(TENSORFLOW, cuda="")},
    ),
    Case(check="tensorflow", state="ok", says=("not installed",)),
    Case(check="tensorflow", state="unknown", facts={"packages": None}),
    Case(check="tf-tested", state="ok", machine=GPU),
    Case(check="tf-tested", state="ok", says=("was tested with CUDA 12.5",), machine=CPU),
    Case(
        check="tf-tested",
        state="warning",
        says=("TensorFlow 2.10.0 does not go with CUDA 13.0", "CUDA 11.2 and cuDNN 8.1"),
        machine=GPU,
        facts={"tensorflow": replace(TENSORFLOW, version="2.10.0", cuda=None, cudnn=None)},
    ),
    Case(
        check="tf-tested",
        state="unknown",
        machine=GPU,
        facts={"tensorflow": replace(TENSORFLOW, version="9.0.0")},
    ),
    Case(check="tf-tested", state=None),
    Case(check="cudnn-missing", state="ok", machine=GPU),
    Case(
        check="cudnn-missing",
        state="failure",
        says=("libcudnn.so.9", "Skipping registering GPU", 'pip install "tensorflow[and-cuda]'),
        machine=GPU,
        facts=NO_LIBRARIES,
    ),
    Case(
        check="cudnn-missing",
        state="failure",
        says=("libcudnn.so.8", "CUDA 11.8 and cuDNN 8.6"),
        machine=GPU,
        facts=OLD,
    ),
    Case(check="cudnn-missing", state=None, machine=CPU, facts=NO_LIBRARIES),
    Case(check="tf-libraries", state="ok", machine=GPU),
    Case(
        check="tf-libraries",
        state="failure",
        says=("Cannot dlopen some GPU libraries", "libcublas.so.11", "and cuDNN"),
        machine=GPU,
        facts=OLD,
    ),
    Case(check="tf-libraries", state=None, machine=CPU, facts=NO_LIBRARIES),
    Case(check="libdevice", state="ok", machine=GPU),
    Case(
        check="libdevice",
        state="warning",
        says=("libdevice.10.bc", "nvidia-cuda-nvcc-cu12", "xla_gpu_cuda_data_dir"),
        machine=GPU,
        facts={"libdevice": ""},
    ),
    Case(check="libdevice", state=None, machine=CPU, facts={"libdevice": ""}),
    Case(
        check="two-cuda-majors",
        state="warning",
        says=("built for CUDA 12.5.1, torch 2.12.1 for 13.0", "lab doctor --explain"),
        machine=GPU,
        facts={"torch": TORCH},
    ),
    Case(
        check="two-cuda-majors",
        state="ok",
        machine=GPU,
        facts={
            "torch": replace(TORCH, version="2.10.0+cu128", cuda="12.8"),
            "tensorflow": replace(TENSORFLOW, version="2.20.0"),
        },
    ),
    Case(check="two-cuda-majors", state=None, machine=CPU, facts={"torch": TORCH}),
    Case(check="two-cuda-majors", state=None, machine=GPU),
    Case(check="tf-grabs-memory", state="ok", says=("TF_FORCE_GPU_ALLOW_GROWTH",), machine=GPU),
    Case(
        check="tf-grabs-memory",
        state="warning",
        says=("take all memory", "TF_FORCE_GPU_ALLOW_GROWTH=true"),
        machine=GPU,
        facts=variables(TF_FORCE_GPU_ALLOW_GROWTH="false"),
    ),
    Case(check="tf-grabs-memory", state=None, machine=CPU),
    Case(check="keras-line", state="ok", machine=GPU),
    Case(
        check="keras-line",
        state="failure",
        says=("needs tf-keras", 'pip install "tf-keras==2.21.*"'),
        machine=GPU,
        facts=installed(tf_keras=""),
    ),
    Case(
        check="keras-line",
        state="failure",
        says=("tf-keras 2.19.0 does not belong",),
        machine=GPU,
        facts=installed(tf_keras="2.19.0"),
    ),
    Case(
        check="keras-line",
        state="warning",
        says=("unset TF_USE_LEGACY_KERAS",),
        machine=GPU,
        facts=variables(TF_USE_LEGACY_KERAS="0"),
    ),
    Case(check="keras-line", state=None, machine=GPU, facts=OLD),
    Case(check="tf-windows", state=None, machine=GPU),
    Case(
        check="tf-windows",
        state="warning",
        says=("no GPU support on Windows", "WSL"),
        machine=GPU,
        facts={"os": "windows"},
    ),
    Case(
        check="tf-windows",
        state="ok",
        machine=GPU,
        facts={"os": "windows", "tensorflow": replace(TENSORFLOW, version="2.10.1")},
    ),
]
