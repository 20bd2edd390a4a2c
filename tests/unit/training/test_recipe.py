"""The fingerprint follows what code does and nothing else."""

from types import ModuleType

from omnihuman.training.recipe import code_fingerprint


def fingerprint(tmp_path, source):
    path = tmp_path / "made_up.py"
    path.write_text(source)
    module = ModuleType("made_up")
    module.__file__ = str(path)
    return code_fingerprint([module])


def test_comments_docstrings_and_layout_do_not_count(tmp_path):
    plain = fingerprint(tmp_path, 'LAG = 2\n"""Rows."""\ndef f(x):\n    """Doc."""\n    return x + LAG\n')
    other = fingerprint(tmp_path, '"""Module."""\nLAG = 2  # why\n\n\ndef f(\n    x,\n):\n    return x + LAG\n')
    assert plain == other


def test_a_changed_number_counts(tmp_path):
    assert fingerprint(tmp_path, "LAG = 2\n") != fingerprint(tmp_path, "LAG = 3\n")
