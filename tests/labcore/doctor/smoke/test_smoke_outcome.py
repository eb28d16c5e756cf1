"""The reports that CI reads."""

import json
import xml.etree.ElementTree as ElementTree

from labcore.devices import Gpu
from labcore.doctor.smoke import Outcome, SmokeReport

CARD = Gpu(
    index=0, uuid="GPU-1", name="Card", memory_total_mib=24_000, memory_used_mib=0,
    compute_capability=8.6, driver="580.65.06",
)  # fmt: skip
PASSED = Outcome(
    name="toy: smoke", state="passed", seconds=3.5, device="Card", kernel_ms=12.5, num_kernels=321,
    peak_memory_mib=77.0, step_ms=4.25,
)  # fmt: skip
FAILED = Outcome(
    name="toy: mixed precision", state="failed", reason="ended with exit code 1", seconds=1.0,
    log="\x1b[31mboom\x1b[0m <tag> & more",
)  # fmt: skip
SKIPPED = Outcome(name="other: smoke", state="skipped", reason="cannot run here")


def report(*outcomes):
    return SmokeReport(driver="580.65.06", gpus=(CARD,), outcomes=outcomes)


def test_the_gpu_counts_as_used_only_when_kernels_were_seen():
    assert report(PASSED, SKIPPED).used_gpu
    assert not report(SKIPPED, FAILED).used_gpu
    assert not report(Outcome(name="toy: smoke", state="passed")).used_gpu


def test_json_has_the_cards_and_every_figure(tmp_path):
    report(PASSED, FAILED).write(tmp_path / "new" / "folder")
    read = json.loads((tmp_path / "new" / "folder" / "gpu_smoke.json").read_text())
    assert read["gpus"][0]["uuid"] == "GPU-1"
    assert read["used_gpu"] is True
    assert read["cases"][0]["kernel_ms"] == 12.5
    assert read["cases"][1]["reason"] == "ended with exit code 1"


def test_junit_can_be_parsed_and_counts_right(tmp_path):
    report(PASSED, FAILED, SKIPPED).write(tmp_path)
    suite = ElementTree.parse(tmp_path / "gpu_smoke.xml").getroot()
    assert suite.tag == "testsuite"
    assert {name: suite.get(name) for name in ("tests", "failures", "skipped", "time")} == {
        "tests": "3", "failures": "1", "skipped": "1", "time": "4.500",
    }  # fmt: skip
    passed, failed, skipped = suite
    assert passed.get("classname") == "gpu_smoke.toy"
    assert "321 kernels, 12.5 ms on Card" in passed.findtext("system-out")
    assert failed.find("failure").get("message") == "ended with exit code 1"
    assert "boom" in failed.findtext("failure")
    assert "<tag> & more" in failed.findtext("failure")
    assert skipped.find("skipped").get("message") == "cannot run here"
