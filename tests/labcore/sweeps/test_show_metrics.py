"""``lab show`` lists what a plugin logs, which a sweep can make better, and every preset."""

import subprocess
import sys

from click.testing import CliRunner

from labcore.cli.main import cli


def test_the_metrics_of_a_plugin_are_shown_with_their_meaning(write_plugin):
    write_plugin(
        "toy",
        """
        plugin = Plugin(
            name="toy",
            summary="A toy.",
            config=Config,
            tasks=(Task(name="work", summary="Works.", run="toy:work"),),
            metrics={"val/loss": "low is good", "val/auc": "high is good"},
        )
        """,
    )
    shown = CliRunner().invoke(cli, ["show", "toy"])
    assert shown.exit_code == 0
    assert "Metrics\n  val/loss  low is good\n  val/auc   high is good\n" in shown.output


def test_presets_that_are_only_files_are_shown_too(write_plugin, tmp_path):
    (tmp_path / "toys/preset").mkdir(parents=True)
    for name in ("smoke", "mine"):
        (tmp_path / f"toys/preset/{name}.yaml").write_text("amount: 1\n")
    write_plugin(
        "toy",
        """
        plugin = Plugin(
            name="toy", summary="A toy.", config=Config, configs="toys",
            tasks=(Task(name="work", summary="Works.", run="toy:work"),),
            presets={"smoke": "seconds"},
        )
        """,
    )
    shown = CliRunner().invoke(cli, ["show", "toy"]).output
    assert "Presets\n  mine\n  smoke  seconds\n" in shown


def test_showing_a_plugin_imports_nothing_that_composes_or_reads_runs():
    code = (
        "import sys; from click.testing import CliRunner; from labcore.cli.main import cli\n"
        "assert CliRunner().invoke(cli, ['show', 'musicvae']).exit_code == 0\n"
        "heavy = {'labcore.config.compose', 'labcore.record.store', 'psutil'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
