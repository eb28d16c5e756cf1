"""Telling a scheduler's choice of GPUs from a user's."""

import pytest

from labcore.devices.inventory.launch import scheduler_job


@pytest.mark.parametrize(
    ("variables", "job"),
    [
        ({"SLURM_JOB_ID": "4711"}, "Slurm 4711"),
        ({"PBS_JOBID": "9.host"}, "PBS 9.host"),
        ({"LSB_JOBID": "3"}, "LSF 3"),
        ({"RAY_JOB_ID": "01", "SLURM_JOB_ID": "4711"}, ""),
    ],
)
def test_a_job_with_gpus_is_told(variables, job):
    assert scheduler_job({**variables, "CUDA_VISIBLE_DEVICES": "0"}) == job


def test_a_variable_set_by_hand_is_none_and_nor_is_a_job_without_gpus():
    assert scheduler_job({"CUDA_VISIBLE_DEVICES": "1"}) is None
    assert scheduler_job({"SLURM_JOB_ID": "4711"}) is None
