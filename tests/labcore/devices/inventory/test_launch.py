"""Telling a scheduler's choice of GPUs from a user's."""

import pytest

from labcore.devices.inventory.launch import find_assignment


@pytest.mark.parametrize(
    ("variables", "scheduler", "job"),
    [
        ({"SLURM_JOB_ID": "4711"}, "Slurm", "Slurm 4711"),
        ({"PBS_JOBID": "9.host"}, "PBS", "PBS 9.host"),
        ({"LSB_JOBID": "3"}, "LSF", "LSF 3"),
        ({"RAY_JOB_ID": "01", "SLURM_JOB_ID": "4711"}, "Ray", None),
    ],
)
def test_a_job_with_gpus_is_an_assignment(variables, scheduler, job):
    found = find_assignment({**variables, "CUDA_VISIBLE_DEVICES": "0"})
    assert (found.scheduler, found.job) == (scheduler, job)


def test_a_variable_set_by_hand_is_none_and_nor_is_a_job_without_gpus():
    assert find_assignment({"CUDA_VISIBLE_DEVICES": "1"}) is None
    assert find_assignment({"SLURM_JOB_ID": "4711"}) is None
