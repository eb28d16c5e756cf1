import pytest

torch = pytest.importorskip("torch", reason="needs torch: pip install unified-ml-lab[torch]")


@pytest.fixture(autouse=True)
def one_thread_and_a_fixed_seed():
    torch.set_num_threads(1)
    torch.manual_seed(0)
