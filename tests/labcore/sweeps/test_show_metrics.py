"""``lab show`` lists what a plugin logs, since that is what a sweep can make better."""

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
