"""Sessions of the project; `nox -l` lists them. Each makes the environment that it needs."""

import json
import os
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


@nox.session
def lint(session: nox.Session) -> None:
    """Check format, lint, spelling and import directions."""
    session.install("-e", ".[lint]")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    # Not the tests: they type what users mistype.
    session.run("codespell", "labcore", "plugins", "docs", "benchmarks", "README.md")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types of the core, strictly."""
    session.install("-e", ".[lint,torch,tracking]")
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """Run all tests with the plugins' packages; the core's coverage stays above 90 %."""
    session.install("-e", ".[musicvae,test]")
    session.run(
        "pytest",
        "-n",
        str(min(os.cpu_count() or 1, 4)),
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
    session.run("pytest", "-m", "not ml", "tests/labcore", *session.posargs, env=ONE_THREAD)


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
    """Build the documentation site; a broken link is an error."""
    session.install("-e", ".[docs]")
    session.run("mkdocs", "build", "--strict", "--site-dir", "site")


@nox.session
def bench(session: nox.Session) -> None:
    """Run the benchmarks, or those named: nox -s bench -- cli_startup loop_overhead."""
    session.install("-e", ".[musicvae,fiddle]")
    names = session.posargs or sorted(path.stem for path in Path("benchmarks").glob("[a-z]*.py"))
    for name in names:
        session.run("python", f"benchmarks/{name}.py")


@nox.session
def gpu_smoke(session: nox.Session) -> None:
    """Run every plugin's smoke preset and the GPU tests on a GPU; fail without one."""
    session.install("-e", ".[musicvae,test]")
    listing = session.run("lab", "list", "--json", silent=True)
    for row in json.loads(listing or "[]"):
        if row["state"] == "ready":
            session.run("lab", "run", f"plugin={row['name']}", "preset=smoke", "device=cuda")
    session.run("pytest", "-m", "gpu", "tests/gpu", *session.posargs)
