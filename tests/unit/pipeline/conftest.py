import numpy as np
import pytest


@pytest.fixture
def solid_frame() -> np.ndarray:
    return np.full((64, 64, 3), 120, np.uint8)
