from ops.running import announced, running_environment


def test_a_running_mizan_is_found_and_a_leftover_file_is_not_believed(tmp_path):
    assert running_environment(tmp_path) == {}
    with announced(tmp_path, {"DATABASE_URL": "postgresql:///a=b", "MIZAN_DEMO": "yes"}):
        assert running_environment(tmp_path) == {"DATABASE_URL": "postgresql:///a=b", "MIZAN_DEMO": "yes"}
        assert (tmp_path / "running.env").stat().st_mode & 0o077 == 0
    assert (tmp_path / "running.env").exists()
    assert running_environment(tmp_path) == {}


def test_the_file_is_rewritten_whole(tmp_path):
    with announced(tmp_path, {"A": "x" * 1000}):
        pass
    with announced(tmp_path, {"A": "y"}):
        assert running_environment(tmp_path) == {"A": "y"}
    assert [path.name for path in tmp_path.iterdir()] == ["running.env"]
