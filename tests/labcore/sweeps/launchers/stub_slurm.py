"""A Slurm of one machine: ``sbatch``, ``srun``, ``squeue`` and ``scancel`` over a folder of jobs.

Like the real one it runs a job when there is room, warns it before its limit, and signals every
process of a job's step, not only the first.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

PROGRAMS = ("sbatch", "srun", "squeue", "scancel")
KILL_WAIT_S = 5.0


def install(folder, *, slots=2):
    """Puts the commands into a folder; returns what goes into the environment."""
    jobs, programs = folder / "queue", folder / "bin"
    jobs.mkdir(parents=True)
    programs.mkdir()
    for name in PROGRAMS:
        path = programs / name
        path.write_text(f'#!/bin/sh\nexec {sys.executable} {__file__} {name} "$@"\n')
        path.chmod(0o755)
    return {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "STUB_SLURM": str(jobs),
        "STUB_SLURM_SLOTS": str(slots),
    }


def queue():
    return Path(os.environ["STUB_SLURM"])


def read(path):
    return json.loads(path.read_text())


def write(path, row):
    new = path.with_suffix(f".{os.getpid()}.new")
    new.write_text(json.dumps(row))
    new.replace(path)


def sbatch(file):
    text = Path(file).read_text()
    options = dict(re.findall(r"^#SBATCH --([\w-]+)(?:=(.*))?$", text, re.MULTILINE))
    if options.get("partition") == "nowhere":
        sys.exit("sbatch: error: invalid partition specified: nowhere")
    trouble = queue() / "trouble"  # how many jobs are still to be refused
    left = int(trouble.read_text()) if trouble.exists() else 0
    if left:
        trouble.write_text(str(left - 1))
        sys.exit("sbatch: error: Batch job submission failed: Resource temporarily unavailable")
    number = len(list(queue().glob("*.json"))) + 1
    job = queue() / f"{number}.json"
    row = {"id": number, "name": options["job-name"], "state": "PENDING", "options": options}
    write(job, {**row, "file": file})
    subprocess.Popen(
        [sys.executable, __file__, "run", str(job)],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    print(f"Submitted batch job {number}")


def run(job):
    """Does what slurmd does for one job."""
    job = Path(job)
    slots = int(os.environ["STUB_SLURM_SLOTS"])
    while True:
        row = read(job)
        if row["state"] == "CANCELLED":
            return
        before = [read(path) for path in queue().glob("*.json") if path != job]
        # Those that came earlier go first.
        ahead = [
            each
            for each in before
            if each["state"] == "RUNNING" or (each["state"] == "PENDING" and each["id"] < row["id"])
        ]
        if len(ahead) < slots:
            break
        time.sleep(0.05)
    text = Path(row["file"]).read_text() + "\n:\n"  # or bash would become the step itself
    environment = {**os.environ, "SLURM_JOB_ID": str(row["id"]), "SLURM_NTASKS": "1"}
    process = subprocess.Popen(["bash", "-c", text], env=environment, start_new_session=True)
    write(job, {**row, "state": "RUNNING", "pid": process.pid})
    warned, _, delay = row["options"]["signal"].partition("@")
    seconds = float(os.environ.get("STUB_SLURM_LIMIT_S") or 60 * float(row["options"]["time"]))
    warn_at = time.monotonic() + seconds - float(delay)
    while process.poll() is None:
        if time.monotonic() > warn_at:
            warn_at = float("inf")
            signal_step(process.pid, getattr(signal, f"SIG{warned}"))
        time.sleep(0.05)
    write(job, {**read(job), "state": "COMPLETED"})


def signal_step(pid, number):
    """Signals what srun has started and all that came of it."""
    for process in psutil.Process(pid).children(recursive=True):
        process.send_signal(number)


def srun(*words):
    words = list(words)
    output = words[words.index("--output") + 1]
    command = words[words.index("-u") - 1 :]
    output = output.replace("%j", os.environ["SLURM_JOB_ID"]).replace("%t", "0")
    log = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(SLURM_PROCID="0", SLURM_LOCALID="0", SLURM_NODEID="0")
    os.execvp(command[0], command)


def squeue(*words):
    if (queue() / "down").exists():
        sys.exit("slurm_load_jobs error: Unable to contact slurm controller")
    assert "--format=%i %j" in words
    for path in queue().glob("*.json"):
        row = read(path)
        if row["state"] in {"PENDING", "RUNNING"}:
            print(row["id"], row["name"])


def scancel(*words):
    *options, number = words
    job = queue() / f"{number}.json"
    row = read(job)
    if row["state"] == "PENDING":
        write(job, {**row, "state": "CANCELLED"})
    elif row["state"] == "RUNNING":
        name = options[0].partition("=")[2] if options else "TERM"
        signal_step(row["pid"], getattr(signal, f"SIG{name}"))
        if not options:
            kill_later(row["pid"])


def kill_later(pid):
    family = psutil.Process(pid).children(recursive=True)
    _, alive = psutil.wait_procs(family, timeout=KILL_WAIT_S)
    for process in alive:
        process.kill()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
