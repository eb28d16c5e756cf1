"""The console: plain lines where it must, live and handsome where it can."""

import re
from io import StringIO

import pytest
from rich.console import Console as RichConsole

from labcore.hooks.console.hook import Console, is_interactive
from labcore.record.artifacts import Artifact
from labcore.run import Progress
from labcore.training import Goal
from labcore.training.monitor import Monitor


def plain_console():
    return RichConsole(file=StringIO(), force_terminal=False, width=100)


def terminal(width=110, **options):
    return RichConsole(
        file=StringIO(),
        force_terminal=True,
        width=width,
        height=40,
        color_system="truecolor",
        _environ={},
        **options,
    )


def text_of(console):
    return console.file.getvalue()


def without_colours(text):
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\]8;[^\x1b]*\x1b\\", "", text)


@pytest.fixture
def begin(hooks, run, clock):
    """Registers a console and starts the run; gives back the console's stream."""

    def begin(console, **options):
        hook = Console(console=console, clock=clock, **options)
        hooks.register("console", hook)
        hooks.call("run_started", run=run)
        return hook

    yield begin
    hook = hooks.get("console")
    if hook is not None:
        hook.close()


def take_steps(hooks, run, loop, clock, number, *, step_s=0.5):
    for _ in range(number):
        clock.wait(step_s)
        loop.step += 1
        hooks.call("step_ended", run=run, loop=loop)


def validate(hooks, run, loop, values):
    hooks.call("validation_started", run=run, loop=loop)
    loop.monitor.update(values, loop.step)
    hooks.call("validation_ended", run=run, loop=loop, values=values)


# A whole run in plain lines.


def test_plain_output_has_no_control_characters(begin, hooks, run, loop, clock):
    console = plain_console()
    begin(console)
    hooks.call("message", run=run, text="[bold]not markup[/bold]", level="warning")
    hooks.call("fit_started", run=run, loop=loop)
    take_steps(hooks, run, loop, clock, 40)
    validate(hooks, run, loop, {"loss": 0.5})
    hooks.call("fit_ended", run=run, loop=loop, reason="max_steps")
    hooks.call("run_ended", run=run, state="finished")
    text = text_of(console)
    assert not re.search(r"[^\n\x20-\x7e]", text)
    assert text.startswith(f"[0:00:00] {run.id}: task train, preset smoke, on CPU (2 threads)\n")
    assert "warning: [bold]not markup[/bold]" in text
    assert "validation at step 40: loss=0.5000 (best so far)" in text
    assert "finished in 20 s" in text
    assert str(run.folder / "report.html") in text


def test_plain_lines_about_training_keep_their_distance(begin, hooks, run, loop, clock):
    console = plain_console()
    begin(console, every_s=5.0)
    hooks.call("fit_started", run=run, loop=loop)
    take_steps(hooks, run, loop, clock, 60)  # 30 s
    lines = [line for line in text_of(console).splitlines() if " step " in line]
    assert len(lines) == 6
    assert "step 50/100 (50%), 2.0 steps/s, 0:00:25 left" in lines[4]


def test_plain_training_lines_show_the_metrics_that_matter_first(begin, hooks, run, loop, clock):
    loop.monitor = Monitor("accuracy", Goal.maximize, 0)
    console = plain_console()
    begin(console, metrics=["kl"])
    hooks.call("fit_started", run=run, loop=loop)
    values = {"beta": 0.1, "kl": 30.0, "loss": 2.0, "accuracy": 0.5}
    run.log_metrics(values, step=1, phase="train")
    take_steps(hooks, run, loop, clock, 20)
    assert "accuracy=0.5000 loss=2.000 kl=30 beta=0.1000" in text_of(console)


def test_plain_work_is_told_every_few_seconds_and_at_its_end(begin, hooks, run, clock):
    console = plain_console()
    begin(console)
    work = Progress(
        "reading", 1000, lambda event, p: hooks.call(f"progress_{event}", run=run, progress=p)
    )
    with work:
        for _ in range(12):
            clock.wait(1)
            work.advance(50)
    lines = [line for line in text_of(console).splitlines() if "reading" in line]
    assert lines == [
        "[0:00:05] reading: 250/1,000 (25%)",
        "[0:00:10] reading: 500/1,000 (50%)",
        "[0:00:12] reading: 600 done in 12 s",
    ]


def test_text_that_the_stream_cannot_write_is_replaced(begin, hooks, run):
    class Ascii(StringIO):
        encoding = "ascii"

        def write(self, text):
            text.encode("ascii")
            return super().write(text)

    console = RichConsole(file=Ascii(), force_terminal=False)
    begin(console)
    hooks.call("message", run=run, text="naïve ✓", level="info")
    assert "na?ve ?" in text_of(console)
    assert not hooks.dropped


@pytest.mark.parametrize("variable", ["CI", "NO_COLOR"])
def test_ci_and_no_color_ask_for_plain_lines(monkeypatch, variable):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert is_interactive(terminal())
    monkeypatch.setenv(variable, "1")
    assert not is_interactive(terminal())


def test_a_dumb_terminal_and_a_pipe_are_not_interactive(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert not is_interactive(plain_console())
    dumb = RichConsole(file=StringIO(), force_terminal=True, _environ={"TERM": "dumb"})
    assert not is_interactive(dumb)


# On a terminal.


def test_the_live_line_shows_position_rate_time_left_and_metrics(begin, hooks, run, loop, clock):
    console = terminal()
    hook = begin(console, mode="live")
    hooks.call("fit_started", run=run, loop=loop)
    run.log_metrics({"loss": 0.1872, "kl_bits": 31.2}, step=1, phase="train")
    take_steps(hooks, run, loop, clock, 20)
    hook._view.refresh()
    text = without_colours(text_of(console))
    assert "20/100" in text
    assert "2.0 steps/s" in text
    assert "0:00:40 left" in text
    assert "loss 0.1872" in text
    assert "kl_bits 31.20" in text


def test_the_live_line_counts_down_when_time_is_the_nearer_limit(begin, hooks, run, loop, clock):
    loop.max_steps, loop.max_time_s = 100_000, 60.0
    console = terminal()
    hook = begin(console, mode="live")
    hooks.call("fit_started", run=run, loop=loop)
    take_steps(hooks, run, loop, clock, 20)
    hook._view.refresh()
    text = without_colours(text_of(console))
    assert "0:00:50 left" in text
    assert "step 20" in text


@pytest.mark.parametrize("mode", ["live", "plain"])
def test_a_training_that_ends_by_epochs_says_which_of_them_it_is(
    begin, hooks, run, loop, clock, mode
):
    loop.max_epochs, loop.epoch = 5, 1
    console = terminal()
    hook = begin(console, mode=mode)
    hooks.call("fit_started", run=run, loop=loop)
    take_steps(hooks, run, loop, clock, 20)
    hook._view.refresh()
    assert "epoch 2/5" in without_colours(text_of(console))


def test_validations_make_one_table_with_the_best_marked(begin, hooks, run, loop, clock):
    console = terminal()
    begin(console, mode="live")
    hooks.call("fit_started", run=run, loop=loop)
    for loss in (0.9, 0.7, 0.8):
        take_steps(hooks, run, loop, clock, 10)
        validate(hooks, run, loop, {"accuracy": 0.5, "loss": loss})
    rows = [line.rstrip() for line in without_colours(text_of(console)).splitlines()]
    headings = [row for row in rows if row.split() == ["step", "time", "loss", "accuracy"]]
    assert len(headings) == 1
    table = [row for row in rows if re.match(r"\s+\d+\s+0:00:\d\d\s+0\.", row)]
    assert [row.split() for row in table] == [
        ["10", "0:00:05", "0.9000", "0.5000", "★"],
        ["20", "0:00:10", "0.7000", "0.5000", "★"],
        ["30", "0:00:15", "0.8000", "0.5000"],
    ]
    assert len({row.index("0.5000") for row in table}) == 1


def test_a_nan_validation_is_never_the_best(begin, hooks, run, loop, clock):
    console = terminal()
    hook = begin(console, mode="live")
    hooks.call("fit_started", run=run, loop=loop)
    for loss in (float("nan"), 0.7):
        take_steps(hooks, run, loop, clock, 10)
        validate(hooks, run, loop, {"loss": loss})
    assert hook._training.best == {"loss": 0.7}
    assert not hooks.dropped


def test_a_resumed_run_remembers_the_best_validation_before(begin, hooks, run, loop, clock):
    console = plain_console()
    begin(console)
    loop.step = 50
    loop.monitor.update({"loss": 0.6}, 40)
    hooks.call("fit_started", run=run, loop=loop)
    for loss in (0.7, 0.5):
        take_steps(hooks, run, loop, clock, 10)
        validate(hooks, run, loop, {"loss": loss})
    text = text_of(console)
    assert "validation at step 60: loss=0.7000\n" in text
    assert "validation at step 70: loss=0.5000 (best so far)\n" in text


def artifact(number, kind, section, folder="samples"):
    path = f"artifacts/{folder}/{number}.{kind}"
    return Artifact(path=path, kind=kind, title=f"{section} {number}", section=section)


@pytest.mark.parametrize("mode", ["plain", "live"])
def test_the_files_of_a_section_are_one_line(begin, hooks, run, mode):
    console = terminal(width=200)
    begin(console, mode=mode)
    table = Artifact(path="artifacts/a.csv", kind="table", title="Accuracy", section="Test")
    files = [artifact(n, kind, "Samples") for n in range(8) for kind in ("midi", "audio")]
    for each in (table, *files):
        hooks.call("artifact_added", run=run, artifact=each)
    hooks.call("run_ended", run=run, state="finished")
    lines = [line for line in without_colours(text_of(console)).splitlines() if ".csv" in line]
    assert len(lines) == 1
    assert "Accuracy" in lines[0]
    lines = [line for line in without_colours(text_of(console)).splitlines() if "Samples" in line]
    assert len(lines) == 1
    assert "Samples: 8 midi, 8 audio" in lines[0]
    assert "artifacts/samples/" in lines[0]


MANY = [
    "teacher_accuracy",
    "teacher_note_accuracy",
    "sampled_accuracy",
    "sampled_note_accuracy",
    "argmax_accuracy",
    "argmax_note_accuracy",
    "argmax_exact",
    "majority_accuracy",
    "loss",
    "reconstruction",
    "kl_bits",
    "elbo",
]


@pytest.mark.parametrize(("width", "least"), [(140, 12), (100, 8), (80, 6)])
def test_a_table_shows_as_many_metrics_as_it_can_and_names_the_others(
    begin, hooks, run, loop, clock, width, least
):
    loop.monitor = Monitor("elbo", Goal.maximize, 0)
    console = terminal(width=width)
    begin(console, mode="live")
    hooks.call("fit_started", run=run, loop=loop)
    take_steps(hooks, run, loop, clock, 10)
    validate(hooks, run, loop, {name: -0.0001 * n for n, name in enumerate(MANY)})
    text = without_colours(text_of(console))
    (row,) = [line for line in text.splitlines() if re.match(r" +10 +0:00:05 ", line)]
    shown = row.split()[2:]
    assert shown[0] == "-0.0011"  # the monitored one first
    assert len(shown) - ("★" in shown) == least
    named = re.search(r"for want of columns: ((?:\w+, )*\w+)", " ".join(text.split()))
    others = [] if named is None else named[1].split(", ")
    assert len(others) == len(MANY) - least
    assert set(others) <= set(MANY)


def test_plain_lines_have_every_metric_of_a_validation(begin, hooks, run, loop):
    console = plain_console()
    begin(console)
    hooks.call("fit_started", run=run, loop=loop)
    validate(hooks, run, loop, dict.fromkeys(MANY, 0.5))
    assert all(f" {name}=0.5000" in text_of(console) for name in MANY)


def test_no_line_is_wider_than_the_terminal(begin, hooks, run, loop, clock):
    console = terminal(width=50)
    hook = begin(console, mode="live")
    hooks.call("fit_started", run=run, loop=loop)
    values = {f"a_rather_long_metric_name_{n}": 0.5 for n in range(9)}
    run.log_metrics(values, step=1)
    take_steps(hooks, run, loop, clock, 10)
    validate(hooks, run, loop, {"loss": 1.0, **values})
    artifact = Artifact(path="artifacts/" + "x" * 80, kind="image", title="A picture")
    hooks.call("artifact_added", run=run, artifact=artifact)
    hook._view.refresh()
    text = without_colours(text_of(console)).replace("\r", "\n")
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 50


def test_messages_are_coloured_by_level_and_are_no_markup(begin, hooks, run):
    console = terminal()
    begin(console, mode="live")
    hooks.call("message", run=run, text="loss [nan] at step 5", level="error")
    text = text_of(console)
    assert "loss [nan] at step 5" in text
    assert "\x1b[1;31m" in text


def test_work_outside_training_has_a_bar(begin, hooks, run, clock):
    console = terminal()
    hook = begin(console, mode="live")
    work = Progress(
        "rendering", 40, lambda event, p: hooks.call(f"progress_{event}", run=run, progress=p)
    )
    with work:
        for _ in range(2):
            clock.wait(2.5)
            work.advance(5)
            hook._view.refresh()
    text = without_colours(text_of(console))
    assert "rendering" in text
    assert "10/40" in text
    assert "0:00:15 left" in text
    assert "✓ rendering: 10 done in 5.0 s" in text


def test_work_of_unknown_length_has_a_bar_too(begin, hooks, run, clock):
    console = terminal()
    hook = begin(console, mode="live")
    work = Progress(
        "searching", None, lambda event, p: hooks.call(f"progress_{event}", run=run, progress=p)
    )
    with work:
        work.advance(7)
        hook._view.refresh()
    assert "searching" in text_of(console)
    assert not hooks.dropped


def test_the_outcome_has_the_best_figures_the_artifacts_and_the_report(
    begin, hooks, run, loop, clock
):
    console = terminal(width=200)
    begin(console, mode="live")
    hooks.call("fit_started", run=run, loop=loop)
    for loss in (0.6, 0.9):
        take_steps(hooks, run, loop, clock, 10)
        validate(hooks, run, loop, {"loss": loss})
    for kind in ("audio", "audio", "image"):
        artifact = Artifact(path=f"artifacts/{kind}", kind=kind, title="A file")
        hooks.call("artifact_added", run=run, artifact=artifact)
    hooks.call("fit_ended", run=run, loop=loop, reason="max_steps")
    hooks.call("run_ended", run=run, state="finished")
    panel = without_colours(text_of(console)).partition("╭")[2]
    assert "finished in 10 s" in panel
    assert "best, step 10" in panel
    assert "loss=0.6000" in panel
    assert "2 audio, 1 image" in panel
    assert "report.html" in panel


def test_a_run_of_which_nothing_is_known_yet_shows_that_it_lives(begin, run, clock):
    console = terminal()
    hook = begin(console, mode="live")
    clock.wait(7)
    hook._view.refresh()
    assert "0:00:07" in without_colours(text_of(console))


def test_a_report_path_that_is_too_long_for_the_panel_stays_in_one_piece(begin, hooks, run):
    console = terminal(width=40)
    begin(console, mode="live")
    hooks.call("run_ended", run=run, state="finished")
    assert f"report {run.folder / 'report.html'}" in without_colours(text_of(console))


def test_test_figures_go_before_those_of_validation(begin, hooks, run, loop):
    console = plain_console()
    begin(console)
    hooks.call("fit_started", run=run, loop=loop)
    validate(hooks, run, loop, {"loss": 0.6})
    hooks.call("fit_ended", run=run, loop=loop, reason="max_steps")
    run.log_metrics({"accuracy": 0.81}, step=0, phase="test")
    hooks.call("run_ended", run=run, state="finished")
    assert "figures: accuracy=0.8100" in text_of(console)


def test_the_cursor_comes_back_at_the_end(begin, hooks, run):
    console = terminal()
    begin(console, mode="live")
    assert text_of(console).count("\x1b[?25l") == 1
    hooks.call("run_ended", run=run, state="failed")
    assert text_of(console).count("\x1b[?25h") == 1
