"""The samples of the file benchmark are files our readers find whole."""

import pytest

from ops.bench.files import SUBJECTS


@pytest.mark.parametrize("name", sorted(SUBJECTS))
def test_a_sample_is_read_whole(name, tmp_path):
    subject = SUBJECTS[name]
    subject.write(tmp_path / "sample", 500)
    assert subject.read(tmp_path / "sample") == 500
    assert subject.peer(tmp_path / "sample") >= 500
