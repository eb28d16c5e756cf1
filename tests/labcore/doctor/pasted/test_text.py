"""Taking away what mail, Markdown, terminals and CI systems put around a text."""

import time

import pytest

from labcore.doctor.pasted import read
from labcore.doctor.pasted.text import clean

ERROR = "RuntimeError: CUDA error: device-side assert triggered"

WRAPPED = {
    "markdown fence": f"```python\n{ERROR}\n```",
    "quoted mail": f"> {ERROR}",
    "mail quoted three times": f">>> > {ERROR}".replace(">>> >", "> > >"),
    "issue details": f"<details><summary>log</summary>\n\n<pre>{ERROR}</pre>\n</details>",
    "HTML entities": "&gt; " + ERROR.replace('"', "&quot;"),
    "colours": f"\x1b[31m{ERROR}\x1b[0m",
    "window title": f"\x1b]0;title\x07{ERROR}",
    "GitHub Actions": f"2025-02-11T09:14:02.1234567Z {ERROR}",
    "docker build": f"#14 113.0 {ERROR}",
    "docker compose": f"trainer-1  | {ERROR}",
    "torchrun": f"[rank3]: {ERROR}",
    "mpirun": f"[1,0]<stderr>: {ERROR}",
    "Ray": f"(RayTrainWorker pid=412, ip=10.0.0.4) {ERROR}",
    "Windows line ends": f"before\r\n{ERROR}\r\nafter",
    "byte order mark": f"\ufeff{ERROR}",
    "hard spaces": ERROR.replace(" ", "\xa0"),
    "indentation": f"        {ERROR}",
    "list in HTML": f"<li>{ERROR}</li>",
}


@pytest.mark.parametrize("how", WRAPPED)
def test_an_error_is_found_through(how):
    assert [error.check for error in read(WRAPPED[how]).errors] == ["device-assert"]


def test_a_progress_bar_does_not_hide_the_error_after_it():
    text = clean(f"10%\r20%\r30%\rdone\n{ERROR}")
    assert text.text.splitlines()[-1] == ERROR
    assert text.line_number(text.text.index("RuntimeError")) == 2


def test_lines_keep_the_numbers_that_they_had():
    text = clean("a\n```\nb\n```\n> c\n")
    assert [text.line_number(text.text.index(letter)) for letter in "abc"] == [1, 3, 5]
    assert text.line(text.text.index("c")) == "c"


def test_lines_cut_hard_at_one_width_are_put_together():
    sentence = (
        f"the job ended with {ERROR} and the operator was told about it in the usual way " * 2
    )
    pieces = [sentence[start : start + 72] for start in range(0, len(sentence), 72)]
    text = clean("\n".join(pieces))
    assert sentence.strip() in text.text
    assert text.line_number(0) == 1


def test_lines_of_about_the_same_length_are_left_alone():
    lines = ["x" * length for length in (70, 71, 72, 71, 70)]
    assert clean("\n".join(lines)).text.splitlines() == lines


def test_pythons_prompt_is_no_quotation():
    assert clean(">>> import torch").text == ">>> import torch"


def test_compiler_templates_are_not_taken_for_tags():
    line = "error: no instance of foo<int, std::vector<float>> matches <p & q>"
    assert clean(line).text == line


def test_a_picture_in_base64_does_not_hold_up_the_reading():
    picture = "iVBORw0KGgo" * 200_000
    started = time.process_time()
    (error,) = read(f"<img src='data:image/png;base64,{picture}'>\n{ERROR}\n").errors
    assert (error.check, error.evidence["line"]) == ("device-assert", 2)
    assert time.process_time() - started < 20


def test_a_build_log_of_several_megabytes_is_read_within_seconds():
    line = (
        "/usr/local/cuda/bin/nvcc -I/opt/venv/lib/python3.11/site-packages/torch/include -c x.cu\n"
    )
    log = (
        line * 20_000 + "nvcc fatal   : Unsupported gpu architecture 'compute_89'\n" + line * 20_000
    )
    started = time.process_time()
    (error,) = read(log).errors
    assert error.check == "gpu-architecture"
    assert error.evidence["line"] == 20_001
    assert time.process_time() - started < 30
