"""No way into a run folder for a secret: one real run is given secrets in every way we know."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from labcore.record.status import read_status

MODULE = """
import logging
import os
from dataclasses import dataclass, field
from typing import Any

from labcore import Plugin, Task


@dataclass(kw_only=True, slots=True)
class Config:
    url: str = ""
    note: str = ""
    words: dict[str, Any] = field(default_factory=dict)


def work(run):
    logging.getLogger("work").info("logging in with password=%s", "LogLine-s3cret1")
    logging.getLogger("work").info("GET https://h.example/x?id=1&sig=%s", "LogSig-s3cret2")
    logging.getLogger("work").warning("header: %s", {"Authorization": "Bearer LogBearer-s3cret3"})
    logging.getLogger("work").info("the variable itself: %s", os.environ["MY_PAT"])
    path = run.artifact_path("a.txt")
    path.write_text("nothing")
    run.add_artifact(path, kind="text", title="token=ArtifactTitle-s3cret4")
    run.status.message = "password: StatusMessage-s3cret5"
    run.log_metrics({"loss": 1.0}, step=1, phase="val")
    raise RuntimeError(f"cannot reach postgresql://me:Traceback/s3cret6@db/x for {run.config.url}")


plugin = Plugin(name="leaky", summary="Leaks.", config=Config,
                tasks=(Task(name="work", summary="Works.", run="leaky_for_test:work"),))
"""

VARIABLES = {
    "LAB_DB_PASS": "VariablePass-s3cret",
    "MY_PAT": "VariablePat-s3cret",
    "LAB_PAT": "VariableLabPat-s3cret",
    "LAB_AUTH": "VariableAuth-s3cret",
    "LAB_API_TOKEN": "VariableToken-s3cret",
    "CUDA_LICENCE_KEY": "VariableKey-s3cret",
    "NVIDIA_SECRET": "VariableSecret-s3cret",
    "LAB_HEADER": "Authorization: Bearer VariableBearer-s3cret",
    "LAB_PROXY": "http://me:Proxy@s3/cret@proxy.example:8080/",
    "LAB_STORE": "https://h.example/x?user=me&pass=QueryPass-s3cret",
    "LAB_BLOB": "https://h.example/x?sv=1&sig=QuerySig%2Fs3cret&se=2",
    "LAB_ODBC": "Driver=x;Server=y;Uid=me;Pwd=OdbcPwd-s3cret;",
    "LAB_HUB": "hf_abcdefghijklmnopqrstuv",
    "DB_PASSWORD": "OnlyByReference-s3cret",
    "SHORT_TOKEN": "s3cr",
}
OVERRIDES = [
    "url='https://ghp_0123456789abcdefghijklmnop@git.example/x?access_token=AccessToken-s3cret'",
    "note=${oc.env:DB_PASSWORD}",
    "name=run-${oc.env:MY_PAT}",
    "+words.api_key=OptionKey-s3cret",
    "+words.inner={password: 'OptionInner-s3cret', keep: kept}",
    "+words.db='postgresql://me:OptionUrl@/s3cret@host/db'",
    "+words.header='Bearer OptionBearer-s3cret'",
    "+words.openai=sk-proj-0123456789abcdefghij",
    "+words.aws=AKIAIOSFODNN7EXAMPLE",
    "+words.short=${oc.env:SHORT_TOKEN}:",
    "+words.plain=kept-too",
]
SECRETS = [
    *("LogLine-s3cret1", "LogSig-s3cret2", "LogBearer-s3cret3", "ArtifactTitle-s3cret4"),
    *("StatusMessage-s3cret5", "Traceback/s3cret6", "Proxy@s3/cret", "s3/cret@proxy"),
    *("QueryPass-s3cret", "QuerySig%2Fs3cret", "OdbcPwd-s3cret", "hf_abcdefghijklmnopqrstuv"),
    *("VariableBearer-s3cret", "ghp_0123456789abcdefghijklmnop", "AccessToken-s3cret"),
    *("OptionKey-s3cret", "OptionInner-s3cret", "OptionUrl@/s3cret", "OptionBearer-s3cret"),
    *("sk-proj-0123456789abcdefghij", "AKIAIOSFODNN7EXAMPLE", "short: s3cr", "Diff-s3cret7"),
    *("DiffBefore-s3cret8", "DiffYaml-s3cret9", "OnlyByReference-s3cret"),
    *(value for name, value in VARIABLES.items() if value.startswith("Variable")),
]


class Leaky(NamedTuple):
    folder: Path
    content: dict[str, bytes]
    """File name to its bytes."""
    printed: str


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=T", "-c", "user.email=t@x"]
    subprocess.run(["git", *identity, "-C", str(folder), *words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def leaky(tmp_path_factory: pytest.TempPathFactory) -> Leaky:
    """A run that failed, with W&B and TensorBoard watching, in a git tree with changes."""
    folder = tmp_path_factory.mktemp("leaky")
    (folder / "leaky_for_test.py").write_text(MODULE)
    (folder / "settings.py").write_text("API_KEY = 'DiffBefore-s3cret8'\n")
    (folder / "conf.yaml").write_text("db:\n  password: none\n")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    (folder / "settings.py").write_text("API_KEY = 'Diff-s3cret7'\ndef f(key: str): ...\n")
    (folder / "conf.yaml").write_text("db:\n  password: DiffYaml-s3cret9\n")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        **VARIABLES,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "PYTHONPATH": os.pathsep.join([str(folder), str(Path(__file__).parents[3])]),
        "LAB_PLUGINS": "leaky=leaky_for_test:plugin",
        "WANDB_MODE": "offline",
    }
    words = ["run", "plugin=leaky", "hooks=[default,tensorboard,wandb]", *OVERRIDES]
    done = subprocess.run(
        [sys.executable, "-m", "labcore", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    (run,) = (folder / "runs/leaky").iterdir()
    files = [path for path in run.rglob("*") if path.is_file()]
    content = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    return Leaky(run, content, done.stdout + done.stderr)


@pytest.mark.parametrize("secret", SECRETS)
def test_no_file_of_a_run_holds_a_secret(leaky: Leaky, secret: str) -> None:
    assert [name for name, data in leaky.content.items() if secret.encode() in data] == []
    assert not any(secret in name for name in leaky.content)


def test_what_is_no_secret_is_still_there(leaky: Leaky) -> None:
    names = {Path(name).name for name in leaky.content}
    assert names >= {"config.yaml", "environment.json", "git.diff", "log.txt", "report.html"}
    assert names >= {"status.json", "traceback.txt", "origins.json", "manifest.json"}
    if importlib.util.find_spec("wandb"):
        assert any(name.endswith(".wandb") for name in names)
    config = (leaky.folder / "config.yaml").read_text()
    assert "keep: kept" in config
    assert "plain: kept-too" in config
    assert "git.example/x" in config
    assert "@host/db" in config
    assert "def f(key: str)" in (leaky.folder / "git.diff").read_text()
    assert "logging in with password=***" in (leaky.folder / "log.txt").read_text()
    assert read_status(leaky.folder).state == "failed"


def resume(leaky: Leaky, *words: str) -> "subprocess.CompletedProcess[str]":
    parent = leaky.folder.parents[2]
    return subprocess.run(
        [sys.executable, "-m", "labcore", "resume", str(leaky.folder), *words],
        cwd=parent,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(parent), str(Path(__file__).parents[3])]),
            "LAB_PLUGINS": "leaky=leaky_for_test:plugin",
            "WANDB_MODE": "disabled",
            "MY_PAT": "x",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_run_goes_on_when_its_secrets_are_given_again(leaky: Leaky) -> None:
    refused = resume(leaky)
    assert refused.returncode == 2
    assert "words.api_key was a secret and was not kept" in refused.stderr
    assert "seed" not in refused.stderr
    masked = ["url", "note", "name", *(f"words.{each}" for each in ("api_key", "inner.password"))]
    masked += [f"words.{each}" for each in ("db", "header", "openai", "aws", "short")]
    given = [f"{name}=GivenAgain-{number}-s3cret" for number, name in enumerate(masked)]
    assert "seed is no secret" in resume(leaky, *given, "seed=3").stderr
    again = resume(leaky, *given)
    assert again.returncode == 1, again.stderr
    assert "cannot reach" in again.stderr
    files = [path for path in leaky.folder.rglob("*") if path.is_file()]
    assert [path for path in files if b"GivenAgain" in path.read_bytes()] == []
