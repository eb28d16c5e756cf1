"""Sessions of the project; `nox -l` lists them. Each makes the environment that it needs."""

import json
import os
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_existing_virtualenvs = True

# Two torch threads on two busy cores can be tens of times slower than one.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "passive",
}
# One process more than there are cores: many tests wait for others.
SHARED = ("-n", str(min((os.cpu_count() or 1) + 1, 4)), "--dist=worksteal")
NO_GPU = 3  # exit code of a requirement that is not met


@nox.session
def lint(session: nox.Session) -> None:
    """Check format, lint, spelling, import directions, and that uv.lock fits pyproject.toml."""
    session.install("-e", ".[lint]", "uv")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    # Not the tests: they type what users mistype.
    session.run("codespell", "labcore", "plugins", "docs", "benchmarks", "README.md")
    session.run("lint-imports")
    session.run("uv", "lock", "--check")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of the core, strictly."""
    session.install("-e", ".[lint,torch,tracking,sweeps]")
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """Run all tests with the plugins' packages; the core's coverage stays above 90 %."""
    session.install("-e", ".[musicvae,render,sweeps,ray,slurm,referee,test]")
    session.run(
        "pytest",
        *SHARED,
        "--cov=labcore",
        "--cov-report=term",
        *(["--cov-fail-under=90"] if not session.posargs else []),
        *session.posargs,
        env=ONE_THREAD,
    )


@nox.session
def tests_core(session: nox.Session) -> None:
    """Run the core's tests where no ML package is installed: proves that the core is light."""
    session.install("-e", ".[test]")
    session.run(
        "pytest", *SHARED, "-m", "not ml", "tests/labcore", *session.posargs, env=ONE_THREAD
    )


@nox.session
def tests_tf(session: nox.Session) -> None:
    """Run the tests that need TensorFlow, in an environment without torch."""
    session.install("-e", ".[tflite,test]")
    session.run(
        "pytest",
        *SHARED,
        "-m",
        "tf",
        "tests/tf",
        "tests/labcore/cli",
        *session.posargs,
        env=ONE_THREAD,
    )


@nox.session
def demo(session: nox.Session) -> None:
    """Train the music VAE on real melodies (about five minutes); say where report and sound are."""
    session.install("-e", ".[musicvae]")
    session.run("lab", "run", "plugin=musicvae", *session.posargs)
    query = ("lab", "runs", "--plugin", "musicvae", "--last", "1", "--json")
    listing = session.run(*query, silent=True)
    folder = Path(json.loads(listing or "[]")[0]["folder"]).resolve()
    session.log(f"report: {folder / 'report.html'}")
    session.log(f"sound and pictures: {folder / 'artifacts'}")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation site; a broken link or an example that is not shown is an error."""
    session.install("-e", ".[docs,test]")
    session.run("mkdocs", "build", "--strict", "--site-dir", "site")
    session.run("pytest", "tests/docs/test_built_site.py")


@nox.session
def bench(session: nox.Session) -> None:
    """Run the benchmarks, or those named: nox -s bench -- cli_startup loop_overhead."""
    session.install("-e", ".[musicvae,fiddle,render,referee]")
    names = session.posargs or sorted(path.stem for path in Path("benchmarks").glob("[a-z]*.py"))
    for name in names:
        session.run("python", f"benchmarks/{name}.py")


@nox.session
def gpu_smoke(session: nox.Session) -> None:
    """See that every plugin computes on a GPU; exit 3 with none, or 0 with -- --allow-no-gpu."""
    session.install("-e", ".[musicvae,render,test]")
    out = Path("runs/gpu_smoke")
    session.run("lab", "smoke", "--out", str(out), *session.posargs, success_codes=[0, NO_GPU])
    if not json.loads((out / "gpu_smoke.json").read_text(encoding="utf-8"))["gpus"]:
        if "--allow-no-gpu" in session.posargs:
            return
        sys.exit(NO_GPU)  # nox itself knows no other code than 1
    report = f"--junitxml={out / 'gpu_tests.xml'}"
    session.run("pytest", "-m", "gpu", "tests/gpu", report, env=ONE_THREAD)
