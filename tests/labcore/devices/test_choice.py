"""Which GPUs will do, and which of those are taken."""

import os

import pytest

from labcore.devices import DeviceRequest, GpuProcess
from labcore.devices.choice import Need, choose, need_of, why_busy, why_unable
from labcore.devices.pool import listed
from labcore.plugin import Requires

ONE = Need(count=1)


def test_the_smallest_that_fits_is_taken_so_that_large_ones_stay_free(make_gpu):
    big = make_gpu(0, memory_total_mib=49_140)
    small = make_gpu(1, memory_total_mib=12_288)
    assert choose([big, small], 1) == (small,)
    assert choose([big], 1) == (big,)


def test_equals_go_by_their_number_whatever_the_order(make_gpu):
    cards = [make_gpu(2), make_gpu(0), make_gpu(1)]
    assert choose(cards, 1)[0].index == 0
    assert choose(list(reversed(cards)), 1)[0].index == 0


def test_a_slice_is_taken_before_a_whole_card_even_a_smaller_one(make_gpu):
    whole = make_gpu(0, memory_total_mib=8_192)
    piece = make_gpu(1, memory_total_mib=20_000, parent_uuid="GPU-x", mig_profile="2g.20gb")
    assert choose([whole, piece], 1) == (piece,)


def test_several_are_of_one_kind_where_that_is_possible(make_gpu):
    small = make_gpu(0, name="Small", memory_total_mib=12_288)
    pair = [make_gpu(1, name="Big"), make_gpu(2, name="Big")]
    assert choose([small, *pair], 2) == tuple(pair)
    assert [g.index for g in choose([small, *pair], 3)] == [0, 1, 2]
    assert choose([small], 2) == ()


def test_a_card_is_unable_for_reasons_that_do_not_pass(make_gpu):
    need = Need(count=1, memory_gb=20, compute_capability=7.5)
    assert why_unable(make_gpu(), need) == ""
    assert "capability 6.1, the plugin needs 7.5" in why_unable(
        make_gpu(compute_capability=6.1), need
    )
    assert "8.6 GB of memory, the run needs 20" in why_unable(make_gpu(memory_total_mib=8192), need)
    assert "Prohibited" in why_unable(make_gpu(compute_mode="Prohibited"), need)
    piece = make_gpu(parent_uuid="GPU-x")
    assert why_unable(piece, need) == ""
    assert "MIG slice" in why_unable(piece, Need(count=2))


def test_a_process_or_memory_that_nobody_explains_makes_a_card_busy(make_gpu):
    assert why_busy(make_gpu(), ONE) == ""
    one = make_gpu(processes=(GpuProcess(pid=12),))
    assert "used by process 12 (" in why_busy(one, ONE)
    four = make_gpu(processes=tuple(GpuProcess(pid=pid) for pid in (1, 2, 3, 4)))
    assert "processes 1, 2, 3 ..." in why_busy(four, ONE)
    unseen = make_gpu(processes=None, memory_used_mib=9_000)
    assert "cannot be seen from here (9.4 of 25.8 GB in use)" in why_busy(unseen, ONE)


def test_a_desktop_on_the_card_does_not_make_it_busy(make_gpu):
    assert why_busy(make_gpu(memory_total_mib=8_192, memory_used_mib=1_100), ONE) == ""


def test_this_process_is_no_stranger(make_gpu):
    mine = make_gpu(processes=(GpuProcess(pid=os.getpid()),), memory_used_mib=9_000)
    assert why_busy(mine, ONE) == ""


def test_a_shared_card_needs_only_the_free_memory(make_gpu):
    used = make_gpu(processes=(GpuProcess(pid=12),), memory_used_mib=9_000)
    assert why_busy(used, Need(count=1, share=True)) == ""
    assert "16.3 GB free, the run needs 20" in why_busy(
        used, Need(count=1, share=True, memory_gb=20)
    )


def test_what_the_user_asks_binds_and_what_the_plugin_declares_gives_way(make_gpu):
    requires = Requires(num_gpus=4, min_memory_gb=40, min_compute_capability=7.0)
    small, big = make_gpu(0), make_gpu(1, memory_total_mib=81_920)
    asked = DeviceRequest.read("cuda", count=3, min_memory_gb=50)
    assert need_of(asked, requires, [small]).count == 3
    assert need_of(asked, requires, [small]).memory_gb == 50
    plain = DeviceRequest.read("cuda")
    assert need_of(plain, requires, [small, big]).count == 2
    assert need_of(plain, requires, [small, big]).memory_gb == 0
    assert need_of(plain, requires, [small, big], paper=True).memory_gb == 40
    gives_way = need_of(plain, requires, [small], paper=True)
    assert gives_way.memory_gb == 0
    assert "too small for preset=paper, which needs 40 GB" in gives_way.note
    assert need_of(plain, requires, [small], processes=2).count == 2


def test_a_wish_for_several_gpus_does_not_rule_slices_out(make_gpu):
    slices = [make_gpu(n, parent_uuid="GPU-x") for n in range(3)]
    need = need_of(DeviceRequest.read("cuda"), Requires(num_gpus=2), slices)
    assert need.count == 1
    assert not why_unable(slices[0], need)


def test_a_list_of_devices_is_short_where_they_are_alike(make_gpu):
    said = [(make_gpu(n), "closed") for n in range(3)] + [(make_gpu(3), "in use")]
    assert listed(said) == ["GPUs 0 to 2 (A card, 26 GB): closed", "GPU 3 (A card, 26 GB): in use"]
    assert listed([(make_gpu(0), ""), (make_gpu(1), "")]) == ["GPUs 0 and 1 (A card, 26 GB)"]
    long = listed((make_gpu(n), f"number {n}") for n in range(40))
    assert (len(long), long[-1]) == (12, "and 29 more lines like these (lab devices)")


@pytest.mark.parametrize("count", [1, 2])
def test_nothing_is_chosen_from_nothing(count):
    assert choose([], count) == ()
