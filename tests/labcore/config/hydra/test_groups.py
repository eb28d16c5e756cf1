"""Which folders of YAML files are choices."""

from labcore.config import find_groups


def test_sweep_files_and_settings_of_hydra_are_no_choices_of_a_run(tmp_path):
    for name in ("model/flat.yaml", "sweeps/quick.yaml", "hydra/launcher/mine.yaml"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("")
    groups = find_groups(tmp_path)
    assert groups.options["model"] == ("flat",)
    assert not {"sweeps", "hydra", "hydra/launcher"} & set(groups.options)
    assert groups.own == ("model",)
