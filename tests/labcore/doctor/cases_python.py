"""Cases for the checks of Python and its packages."""

from dataclasses import replace

from tests.labcore.doctor.machines import LAPTOP, TENSORFLOW, TORCH, Case, packages, variables

CASES = [
    Case(check="python", state="ok", says=("3.11.7", "virtual environment")),
    Case(check="python", state="ok", says=("conda",), facts={"is_conda": True}),
    Case(check="python", state="ok", says=("of the system",), facts={"in_venv": False}),
    Case(
        check="python", state="failure", says=("3.9", "--python 3.11"), facts={"python": "3.9.16"}
    ),
    Case(check="python", state="failure", facts={"python": "3.14.0"}),
    Case(check="python", state="ok", facts={"python": "3.8.1", "origin": "report"}),
    Case(check="py-range", state="ok"),
    Case(
        check="py-range",
        state="warning",
        says=("torch 1.13.1", "Python 3.13"),
        facts={"python": "3.13.1", "torch": replace(TORCH, version="1.13.1", cuda="11.7")},
    ),
    Case(
        check="py-range",
        state="warning",
        says=("tensorflow 2.12.0",),
        facts={"python": "3.13.1", "tensorflow": replace(TENSORFLOW, version="2.12.0")},
    ),
    Case(check="pynvml", state="ok"),
    Case(
        check="pynvml",
        state="warning",
        says=("pynvml 11.5.0", "hides", "pip uninstall -y pynvml"),
        facts={**packages(pynvml="11.5.0"), "modules": {"pynvml": "pynvml"}},
    ),
    Case(check="pynvml", state="warning", says=("beside",), facts=packages(pynvml="11.4.1")),
    Case(check="pynvml", state="ok", facts=packages(pynvml="12.0.0")),
    Case(check="bytecode", state="ok"),
    Case(check="bytecode", state="ok", says=("at first import",), facts={"has_bytecode": False}),
    Case(
        check="bytecode",
        state="warning",
        says=("PYTHONDONTWRITEBYTECODE", "compileall"),
        facts={"has_bytecode": False, **variables(PYTHONDONTWRITEBYTECODE="1")},
    ),
    Case(check="bytecode", state=None, facts={"has_bytecode": None}),
    Case(check="python-path", state="ok"),
    Case(
        check="python-path",
        state="warning",
        says=("standard library", "unset PYTHONHOME"),
        facts=variables(PYTHONHOME="/opt/python"),
    ),
    Case(
        check="python-path",
        state="warning",
        says=("/old/lib/python3.8/site-packages", "unset PYTHONPATH"),
        facts=variables(PYTHONPATH="/src:/old/lib/python3.8/site-packages"),
    ),
    Case(check="python-path", state=None, facts={"environ": None}),
    Case(check="package-conflicts", state="ok"),
    Case(
        check="package-conflicts",
        state="warning",
        says=("rich wants pygments<3,>=2.13, which is not installed", 'pip install "pygments'),
        facts={"requirements": {"rich": ("pygments<3,>=2.13",)}},
    ),
    Case(
        check="package-conflicts",
        state="warning",
        says=("2 packages", "wandb wants wandb-core", "0.31.0 is installed"),
        facts={"requirements": {"wandb": ("wandb-core>=1",), "hook": ("wandb<0.20",)}},
    ),
    Case(
        check="package-conflicts",
        state="ok",
        facts={
            "requirements": {
                "a": ('colorama; sys_platform == "no such system"', "(((", "Wandb>=0.20"),
                "b": ("wandb[media]>=0.20",),
            }
        },
    ),
    Case(check="protobuf", state="ok"),
    Case(
        check="protobuf",
        state="failure",
        says=("tensorflow wants protobuf", "5.29.1 is installed", "Descriptors cannot be created"),
        facts={
            **packages(protobuf="5.29.1"),
            "requirements": {"tensorflow": ("protobuf>=6.31.1,<8",)},
        },
    ),
    Case(
        check="protobuf",
        state="warning",
        says=("onnx wants",),
        facts={"requirements": {"onnx": ("protobuf<5",)}},
    ),
    Case(
        check="protobuf",
        state="failure",
        says=("tensorflow wants protobuf",),
        facts={**packages(protobuf="3.19.6"), "requirements": None, "tensorflow": TENSORFLOW},
    ),
    Case(check="protobuf", state="ok", facts={"requirements": None, "tensorflow": TENSORFLOW}),
    Case(check="protobuf", state=None, facts={"packages": {}}),
    Case(check="numpy-abi", state="ok"),
    Case(
        check="numpy-abi",
        state="failure",
        says=("tensorflow wants numpy", "NumPy 1.x"),
        facts={"requirements": {"tensorflow": ("numpy>=1.23.5,<2",)}},
    ),
    Case(
        check="numpy-abi",
        state="failure",
        says=("torch 2.0.1 was compiled against NumPy 1", 'pip install "numpy<2"'),
        facts={**packages(torch="2.0.1", numpy="2.0.0"), "requirements": {}},
    ),
    Case(check="numpy-abi", state=None, machine=LAPTOP, facts={"packages": {"torch": "2.12.1"}}),
]
