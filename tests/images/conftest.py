import pytest

from etabli.images.pictograms.concepts import Library
from images.tiny_set import tiny_library

REASON = "needs the extra `training`"


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return tiny_library(tmp_path_factory.mktemp("archives"))
