"""Getting GPUs: leased, refused, waited for, inherited, or assigned by a scheduler."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labcore.devices import (
    DeviceRequest,
    GpuProcess,
    Leases,
    acquire,
    allocation,
    plan,
    release_all,
    survey,
    waiting,
)
from labcore.devices.lease.owner import Owner, this_process
from labcore.errors import RequirementError
from labcore.plugin import Requires
from tests.labcore.devices.children import child, stopped
from tests.stub_nvml import gpu, machine

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="tests POSIX's locks")
ANY = Requires()
HOLD = """
    import sys
    from labcore.devices import DeviceRequest, acquire
    from labcore.plugin import Requires
    device = acquire(DeviceRequest.read("cuda"), Requires(), 1, run="child/work")
    device.apply()
    print(device.index)
    {then}
    sys.stdin.read()
"""
START_ANOTHER = """
    import subprocess
    code = '''if True:
        import sys
        from labcore.devices import DeviceRequest, acquire
        from labcore.plugin import Requires
        device = acquire(DeviceRequest.read("cuda"), Requires(), 1, run="grandchild/work")
        print(device.uuid, device.lease, flush=True)
        sys.stdin.read()'''
    subprocess.Popen([sys.executable, "-c", code], stdin=sys.stdin)
"""


def ask(name: str = "cuda", **options: object) -> DeviceRequest:
    return DeviceRequest.read(name, **options)


@pytest.fixture
def both(driver, stub_machine):
    """One machine for this process and its children; returns the children's variables."""

    def install(scenario: str) -> dict[str, str]:
        driver(scenario)
        return stub_machine(scenario).environment()

    return install


def holder_of(number: int) -> Owner | None:
    with Leases().opened() as desk:
        return desk.holder(survey().gpus[number])


def test_two_processes_get_two_gpus_and_a_third_the_reasons(both):
    environment = both(machine(gpu(0), gpu(1)))
    with child(HOLD.format(then=""), environment) as other:
        assert other.stdout.readline() == "0\n"
        mine = acquire(ask(), ANY, run="toy/train")
        assert (mine.index, mine.lease.uuids) == (1, mine.uuids)
        assert holder_of(1).run == "toy/train"
        with child(HOLD.format(then=""), {**environment, "PYTHONWARNINGS": "ignore"}) as third:
            third.stdout.read()
            assert third.wait(timeout=30) == 1
        with pytest.raises(RequirementError) as caught:
            acquire(ask("0"), ANY)
        assert f"leased by child/work (process {other.pid}, user " in str(caught.value)


def test_a_killed_process_frees_its_gpu(both):
    environment = both("one_24gb")
    with child(HOLD.format(then=""), environment) as other:
        assert other.stdout.readline() == "0\n"
        with pytest.raises(RequirementError, match="no GPU is free"):
            acquire(ask(), ANY)
        stopped(other)
        assert acquire(ask(), ANY).index == 0


def test_the_cpu_needs_no_lease(driver, tmp_path):
    driver("one_24gb")
    assert acquire(ask("cpu"), ANY).lease is None
    assert not (tmp_path / "leases").exists()


def test_a_run_waits_says_why_and_takes_the_gpu_when_it_is_free(both):
    environment = both("one_24gb")
    said: list[str] = []
    with child(HOLD.format(then=""), environment) as other:
        assert other.stdout.readline() == "0\n"

        def hear(text: str) -> None:
            said.append(text)
            if "leased by" in text:
                other.kill()

        mine = acquire(ask(wait="1m"), ANY, say=hear, poll_s=0.02)
    assert mine.index == 0
    assert said[0].startswith("waiting for a GPU, up to 1 min")
    assert "GPU 0 (NVIDIA GeForce RTX 3090, 26 GB): leased by child/work" in said[1]
    assert said[2].startswith("got GPU 0 (NVIDIA GeForce RTX 3090, 26 GB) after")
    assert list((Leases().folder / "queue").iterdir()) == []


def test_the_reasons_are_told_again_only_when_they_change(both):
    stub_machine_of = both(machine(gpu(0, proc="77:9")))
    said: list[str] = []
    with pytest.raises(RequirementError, match="no GPU is free for this run after"):
        acquire(ask(wait="0.4s"), ANY, say=said.append, poll_s=0.02)
    assert len(said) == 2
    assert "used by process 77" in said[1]
    assert stub_machine_of


def test_a_wait_that_ends_in_vain_says_how_long_it_was(driver):
    driver(machine(gpu(0, proc="77:9")))
    with pytest.raises(RequirementError, match=r"after 0\.[0-9] s") as caught:
        acquire(ask(wait="0.2s"), ANY, poll_s=0.02)
    assert "wait longer: device.wait=2h" in caught.value.fix


def test_who_gives_up_waiting_leaves_the_queue(driver, monkeypatch):
    driver(machine(gpu(0, proc="77:9")))
    queue = Leases().folder / "queue"

    def interrupt(seconds: float) -> None:
        assert len(list(queue.glob("*.json"))) == 1
        raise KeyboardInterrupt

    monkeypatch.setattr(waiting.time, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        acquire(ask(wait="10m"), ANY)
    assert list(queue.iterdir()) == []


def test_nobody_passes_one_who_waits(driver):
    driver("one_24gb")
    (card,) = survey().gpus
    with Leases().opened() as desk:
        waiter = dataclasses.replace(this_process(run="early/bird"), uuids=(card.uuid,), count=1)
        place = desk.queue.enter(waiter)
    with pytest.raises(RequirementError, match=r"next for early/bird .* in the queue"):
        acquire(ask(), ANY)
    place.leave()
    assert acquire(ask(), ANY).index == 0


def test_a_program_that_came_between_look_and_lock_is_seen(driver, monkeypatch):
    driver(machine(gpu(0), gpu(1)))
    real = allocation.survey

    def with_a_stranger_on_the_first():
        seen = real()
        first = dataclasses.replace(seen.gpus[0], processes=(GpuProcess(pid=99),))
        return dataclasses.replace(seen, gpus=(first, *seen.gpus[1:]))

    monkeypatch.setattr(allocation, "survey", with_a_stranger_on_the_first)
    assert acquire(ask(), ANY).index == 1
    assert holder_of(0) is None
    release_all()
    with pytest.raises(RequirementError, match="used by process 99"):
        acquire(ask("0"), ANY)
    assert holder_of(0) is None


def test_a_card_that_is_lost_between_look_and_lock_is_not_given(driver, monkeypatch):
    driver("one_24gb")
    monkeypatch.setattr(allocation, "survey", lambda: dataclasses.replace(survey(), gpus=()))
    with pytest.raises(RequirementError, match="does not answer any more"):
        acquire(ask(), ANY)


def test_a_second_run_of_the_same_process_uses_its_gpu(driver):
    driver(machine(gpu(0), gpu(1)))
    first = acquire(ask(), ANY)
    second = acquire(ask("0"), ANY)
    assert (second.uuid, second.lease) == (first.uuid, None)
    assert plan(ask("0"), ANY).uuid == first.uuid
    release_all()
    assert holder_of(0) is None


def test_a_child_uses_its_parents_gpu_and_keeps_it_leased_when_the_parent_dies(both):
    environment = both("one_24gb")
    with child(HOLD.format(then=START_ANOTHER), environment) as parent:
        assert parent.stdout.readline() == "0\n"
        uuid, lease = parent.stdout.readline().split()
        assert (uuid, lease) == (survey().gpus[0].uuid, "None")
        children = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(parent.pid)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        parent.send_signal(signal.SIGKILL)
        parent.wait(timeout=30)
        assert holder_of(0).run == "child/work"
        for pid in children:
            os.kill(int(pid), signal.SIGKILL)
        deadline = time.monotonic() + 20
        while holder_of(0) is not None and time.monotonic() < deadline:
            time.sleep(0.02)
        assert holder_of(0) is None


def test_an_heir_holds_the_gpu_beside_the_one_who_leased_it(driver, monkeypatch):
    driver("one_24gb")
    with Leases().opened() as desk:
        lease = desk.take(survey().gpus, this_process(run="parent/work", token="abc"))
    monkeypatch.setenv("LAB_LEASE", f"abc:{lease.uuids[0]}")
    heir = acquire(ask(), ANY)
    assert (heir.uuid, heir.lease) == (lease.uuids[0], None)
    lease.release()
    assert holder_of(0).run == "parent/work"
    release_all()
    assert holder_of(0) is None


def test_a_lease_that_is_no_more_gives_its_heirs_nothing(driver, monkeypatch):
    driver("one_24gb")
    (card,) = survey().gpus
    monkeypatch.setenv("LAB_LEASE", f"gone:{card.uuid}")
    assert acquire(ask(), ANY).lease is not None


def test_ranks_beside_the_first_take_no_lease_of_their_own(driver, monkeypatch):
    driver("three_plain")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    second = acquire(ask(), ANY)
    assert (second.lease, len(second.uuids)) == (None, 2)
    monkeypatch.setenv("LOCAL_RANK", "0")
    first = acquire(ask(), ANY)
    assert first.uuids == second.uuids
    assert first.lease.uuids == first.uuids


def test_slurm_ranks_agree_when_the_run_has_several_processes(driver, monkeypatch):
    driver(machine(gpu(0), gpu(1, used=300), gpu(2)))
    monkeypatch.setenv("SLURM_NTASKS", "2")
    monkeypatch.setenv("SLURM_LOCALID", "1")
    assert [uuid[:12] for uuid in acquire(ask(), ANY, processes=2).uuids] == [
        "GPU-00000000",
        "GPU-00000001",
    ]


@pytest.fixture
def in_slurm(monkeypatch):
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")


def lease_for(job: str) -> None:
    """Leases the first GPU as a run of another process would."""
    with Leases().opened() as desk:
        owner = dataclasses.replace(this_process(run="other/run", job=job), token="theirs")
        _kept.append(desk.take(survey().gpus[:1], owner))


_kept: list[object] = []


def test_runs_of_one_job_respect_each_other(driver, in_slurm):
    driver("two_24gb_one_busy")
    lease_for("Slurm 4711")
    with pytest.raises(RequirementError, match="leased by other/run"):
        acquire(ask(), ANY)


def test_a_card_that_the_scheduler_shares_with_another_job_is_taken(driver, in_slurm):
    driver("two_24gb_one_busy")
    lease_for("Slurm 12")
    mine = acquire(ask(), ANY)
    assert (mine.index, mine.lease) == (0, None)
    assert "the scheduler shares it with others" in mine.reason


def test_a_free_card_of_the_job_is_preferred_and_leased(driver, in_slurm, monkeypatch):
    driver("two_24gb_one_busy")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    mine = acquire(ask(), ANY)
    assert (mine.index, len(mine.lease.uuids)) == (1, 1)


def test_ray_chooses_for_every_process_and_no_lease_binds(driver, monkeypatch):
    driver("one_24gb")
    lease_for("")
    monkeypatch.setenv("RAY_JOB_ID", "01000000")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert acquire(ask(), ANY).index == 0


def test_a_choice_made_by_hand_narrows_and_leases_still_bind(driver, monkeypatch):
    driver("three_plain")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    lease_for("")
    with pytest.raises(RequirementError, match="leased by other/run"):
        acquire(ask(), ANY)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,2")
    assert acquire(ask(), ANY).index == 2


def test_leases_are_where_the_variable_says(driver, tmp_path):
    driver("one_24gb")
    acquire(ask(), ANY)
    assert Path(os.environ["LAB_LEASE_DIR"]) == tmp_path / "leases"
    assert len(list((tmp_path / "leases").glob("GPU-*.lock"))) == 1
