"""Checks of the deep tier: what came of using each framework for real."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from labcore.doctor.check import Area, Check
from labcore.doctor.finding import Finding, failure, ok, unknown, warning
from labcore.doctor.machine import Machine
from labcore.doctor.probes import PROBES

__all__ = ["CHECKS"]

_TAIL_LINES = 6
"""Lines of a child's output that are shown as evidence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Trial:
    """What a check makes of a probe's result."""

    id: str
    area: Area
    probe: str
    good: str | Callable[[Mapping[str, Any]], str]
    """One line on the result of a probe that went well: a template of its values, or a function."""
    bad: str
    """What does not work, as a sentence's beginning."""
    fix: str
    """What to try when the error itself is not a known one."""
    worst: str = "failure"


def _torch(result: Mapping[str, Any]) -> str:
    errors = result["errors"]
    types = ", ".join(name for name, error in errors["cpu"].items() if error is not None)
    gpus = ", ".join(result["devices"].values())
    return f"torch {result['torch']} computes on the CPU ({types})" + (
        f" and {gpus}" if gpus else ""
    )


def _tensorflow(result: Mapping[str, Any]) -> str:
    where = f"the CPU and {len(result['gpus'])} GPUs" if result["gpus"] else "the CPU"
    return f"TensorFlow {result['tensorflow']} computes on {where}"


_REINSTALL = (
    "pip install --force-reinstall --no-cache-dir {}, in an environment of its own if it stays"
)
_SEPARATE = (
    "run the two in processes of their own (the lab does); else import them in the order that "
    "works, or put them in two environments"
)

_TRIALS = (
    _Trial(
        id="torch-probe",
        area="torch",
        probe="torch",
        good=_torch,
        bad="torch does not compute",
        fix=_REINSTALL.format("torch"),
    ),
    _Trial(
        id="conv-probe",
        area="torch",
        probe="torch-conv",
        good="convolutions and their gradients are right on {errors}",
        bad="convolutions do not work in torch",
        fix="unset LD_LIBRARY_PATH and try again: another cuDNN may be in front; then "
        + _REINSTALL.format("torch"),
    ),
    _Trial(
        id="gpu-smoke",
        area="torch",
        probe="cuda-kernel",
        good="{kernels} kinds of kernels ran on the GPU, {microseconds:.0f} µs by the profiler",
        bad="no kernel runs on the GPU",
        fix="read the error below: lab doctor -v --deep --only gpu-smoke; a driver or build that "
        "does not fit is told by the checks driver-vs-cuda and arch-unsupported",
    ),
    _Trial(
        id="torchvision-probe",
        area="torch",
        probe="torchvision",
        good="torchvision {torchvision}'s compiled operators work on {devices}",
        bad="torchvision's compiled operators do not work",
        fix="install the pair in one command: pip install --force-reinstall torch torchvision",
    ),
    _Trial(
        id="dataloader-probe",
        area="torch",
        probe="dataloader",
        good="{workers} loader workers passed {mib:.0f} MiB through shared memory",
        bad="a DataLoader with workers does not work",
        fix="give the container shared memory (docker run --shm-size=8g), or use num_workers=0",
    ),
    _Trial(
        id="gloo-probe",
        area="torch",
        probe="gloo",
        good="two processes add up numbers over Gloo",
        bad="processes do not reach each other over Gloo",
        fix="the host's own name must resolve (add it to /etc/hosts), or export "
        "GLOO_SOCKET_IFNAME=lo for one machine",
    ),
    _Trial(
        id="nccl-probe",
        area="torch",
        probe="nccl",
        good="two GPUs add up numbers over NCCL",
        bad="two GPUs do not reach each other over NCCL",
        fix="NCCL_DEBUG=WARN lab doctor -v --deep --only nccl-probe names the call; in a container "
        "--ipc=host; NCCL_P2P_DISABLE=1 rules out direct transfers",
    ),
    _Trial(
        id="tf-probe",
        area="tensorflow",
        probe="tensorflow",
        good=_tensorflow,
        bad="TensorFlow does not compute",
        fix=_REINSTALL.format("tensorflow"),
    ),
    _Trial(
        id="torch-tf-one-process",
        area="tensorflow",
        probe="torch-then-tensorflow",
        good="torch and then TensorFlow work in one process",
        bad="torch and then TensorFlow do not work in one process",
        fix=_SEPARATE,
        worst="warning",
    ),
    _Trial(
        id="tf-torch-one-process",
        area="tensorflow",
        probe="tensorflow-then-torch",
        good="TensorFlow and then torch work in one process",
        bad="TensorFlow and then torch do not work in one process",
        fix=_SEPARATE,
        worst="warning",
    ),
    _Trial(
        id="tflite-probe",
        area="tensorflow",
        probe="tflite",
        good="TFLite converts a model and runs it, {error:.1g} off",
        bad="TFLite does not convert or run a model",
        fix=_REINSTALL.format("tensorflow"),
    ),
    _Trial(
        id="tfmot-probe",
        area="tensorflow",
        probe="tfmot",
        good="the model optimization toolkit prunes a legacy Keras model",
        bad="the model optimization toolkit does not work",
        fix="pip install tf-keras of TensorFlow's own version, with TF_USE_LEGACY_KERAS=1",
    ),
    _Trial(
        id="p3d-probe",
        area="pytorch3d",
        probe="pytorch3d",
        good="PyTorch3D rasterises a cube rightly on {devices}",
        bad="PyTorch3D does not work",
        fix="install or build it for the installed torch: lab env plan pytorch3d",
    ),
    _Trial(
        id="fluidsynth-probe",
        area="tools",
        probe="fluidsynth",
        good="FluidSynth plays a note that can be heard",
        bad="FluidSynth does not play; sound is made of plain sine tones",
        fix="sudo apt install libfluidsynth3 (macOS: brew install fluid-synth)",
        worst="warning",
    ),
    _Trial(
        id="wandb-probe",
        area="tools",
        probe="wandb",
        good="wandb {wandb} writes an offline run",
        bad="W&B does not write an offline run",
        fix=_REINSTALL.format("wandb") + "; hooks=[-wandb] runs without it",
        worst="warning",
    ),
)


def _judge(trial: _Trial, machine: Machine) -> Finding | None:
    result: Mapping[str, Any] | None = machine.probes.get(trial.probe)
    if result is None:
        return None
    seconds = result.get("seconds")
    outcome = result["outcome"]
    if outcome == "ok":
        told = result["result"]
        evidence = {name: value for name, value in told.items() if name != "seconds"}
        return ok(_in_words(trial, told), seconds=seconds, **evidence)
    if outcome == "missing":
        packages = ", ".join(result["packages"])
        return unknown(f"{PROBES[trial.probe].title}: not tried, {packages} is not installed")
    if outcome == "skipped":
        return unknown(f"{PROBES[trial.probe].title}: not tried, {result['reason']}")
    if result.get("finished") == "ok":
        return warning(
            f"{PROBES[trial.probe].title}: it does, and the process then {_end(result)}",
            cause="The work was done; what crashed is the clearing up of the libraries at the end.",
            fix="harmless for results; in programs that end so, call os._exit(0) after saving",
            seconds=seconds,
            output=_tail(result),
        )
    return _broken(trial, result, machine)


def _broken(trial: _Trial, result: Mapping[str, Any], machine: Machine) -> Finding:
    """A probe that did not do its work: with what is known of its error, where it is known."""
    from labcore.doctor.pasted import known_in

    error = str(result.get("error") or f"the process {_end(result)}")
    known = known_in(f"{result.get('output', '')}\n{error}", machine)
    say = failure if trial.worst == "failure" else warning
    return say(
        f"{trial.bad}: {known.summary if known else error}",
        cause=known.cause if known else _meaning(result),
        fix=known.fix if known else trial.fix,
        sources=known.sources if known else (),
        error=error,
        known=known.check if known else None,
        output=_tail(result),
        seconds=result.get("seconds"),
    )


def _end(result: Mapping[str, Any]) -> str:
    """How the process ended, as the rest of a sentence."""
    if result["outcome"] == "timeout":
        return f"hung and was ended after {result.get('seconds', 0):.0f} s"
    if "signal" in result:
        return f"crashed ({result['signal']})"
    return f"ended with exit code {result.get('exit_code')}"


def _meaning(result: Mapping[str, Any]) -> str:
    if result["outcome"] == "timeout":
        return "The stack at that moment is at the end of its output (-v shows it)."
    if result.get("signal") == "SIGKILL":
        return "The system ended it, most often because memory was full (dmesg says so)."
    if result["outcome"] == "crashed":
        return "A compiled library crashed; its stack is at the end of its output (-v shows it)."
    if result["outcome"] == "wrong":
        return "The computation ran and its result is wrong."
    return "This error is none of those that the doctor knows (-v shows the child's last lines)."


def _tail(result: Mapping[str, Any]) -> list[str] | None:
    lines = [line for line in str(result.get("output", "")).splitlines() if line.strip()]
    return lines[-_TAIL_LINES:] or None


def _in_words(trial: _Trial, result: Mapping[str, Any]) -> str:
    if not isinstance(trial.good, str):
        return trial.good(result)
    listed = {
        name: ", ".join(value) if isinstance(value, list | dict) else value
        for name, value in result.items()
    }
    return trial.good.format(**listed)


def _check(trial: _Trial) -> Check:
    return Check(
        id=trial.id,
        area=trial.area,
        title=PROBES[trial.probe].title,
        ask=lambda machine: _judge(trial, machine),
        deep=True,
        probes=(trial.probe,),
    )


CHECKS = tuple(_check(trial) for trial in _TRIALS)
