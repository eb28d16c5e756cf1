"""Secrets stay out of run folders, and ordinary options stay readable."""

import pytest

from labcore.record.redaction import (
    is_secret_name,
    recordable_variables,
    redact_arguments,
    redact_text,
)


@pytest.mark.parametrize(
    "name",
    ["WANDB_API_KEY", "hooks.wandb.api_key", "token", "AWS_SECRET_ACCESS_KEY", "--db-password",
     "apikey", "hf_token", "accessToken", "client_secret", "credentials"],
)  # fmt: skip
def test_names_of_secrets_are_recognised(name):
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["max_tokens", "tokenizer", "train.lr", "monkeys", "keyboard", "data.keys", "seed"]
)
def test_names_of_ordinary_options_are_not_taken_for_secrets(name):
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "argument",
    ["hooks.wandb.api_key=hunter2", "+token='hunter2 x'", "hooks.w={api_key:hunter2,project:p}",
     "hooks.w={password: 'hunter2'}", "db=postgresql://me:hunter2@host/db", "--token=hunter2",
     "hooks.w={a: {secrets: {x: 'q, w', y: hunter2}}}"],
)  # fmt: skip
def test_a_secret_is_masked_however_it_is_written(argument):
    (clean,) = redact_arguments([argument])
    assert "hunter2" not in clean
    assert "***" in clean


def test_what_is_around_a_secret_stays():
    assert redact_arguments(["hooks.w={api_key:x,project:p}"]) == [
        "hooks.w={api_key:***,project:p}"
    ]
    assert redact_text("postgresql://me:x@host/db") == "postgresql://***@host/db"


def test_the_word_after_a_secret_flag_is_masked_and_the_next_flag_is_not():
    assert redact_arguments(["--password", "hunter2", "-v"]) == ["--password", "***", "-v"]
    assert redact_arguments(["--password", "-v"]) == ["--password", "-v"]


def test_an_ordinary_command_line_is_kept_word_for_word():
    line = ["lab", "run", "plugin=musicvae", "data.folder=/a b/c", "taps={enc.*: [stats]}", "x=1=2"]
    assert redact_arguments(line) == line


def test_only_listed_variables_without_secrets_are_recorded():
    environ = {
        "CUDA_VISIBLE_DEVICES": "0",
        "OMP_NUM_THREADS": "2",
        "SLURM_JOB_ID": "7",
        "LAB_TOKEN": "hunter2",
        "TF_API_KEY": "hunter2",
        "WANDB_API_KEY": "hunter2",
        "HOME": "/home/me",
        "LAB_DB": "postgresql://me:hunter2@host/db",
    }
    assert recordable_variables(environ) == {
        "CUDA_VISIBLE_DEVICES": "0",
        "LAB_DB": "postgresql://***@host/db",
        "OMP_NUM_THREADS": "2",
        "SLURM_JOB_ID": "7",
    }
