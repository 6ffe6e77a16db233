import pytest
import torch


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """Initial weights come from torch's default generator."""
    torch.manual_seed(0)
