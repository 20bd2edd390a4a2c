"""The events of an item as a person without a terminal sees them: plain lines on stderr."""

import pytest

from omnihuman.cli.item_view import ItemView
from omnihuman.runner.events import ItemEvent

EVENTS = (
    ItemEvent(event="started", pid=1),
    ItemEvent(event="transfer", stage="face-mesh", done=1_000_000, total=4_000_000),
    ItemEvent(event="progress", stage="render", done=3, total=75, elapsed_s=1.0, remaining_s=12.0),
    ItemEvent(event="warning", text="memory ran out"),
    ItemEvent(event="progress", stage="read", done=1, total=1, elapsed_s=0.1, remaining_s=None),
)


@pytest.mark.parametrize("is_watched", [True, False])
def test_stages_bytes_and_remaining_time_are_told_and_warnings_always(capsys, is_watched):
    with ItemView(is_watched) as view:
        for event in EVENTS:
            view(event)
    told = capsys.readouterr()
    assert told.out == "" and "warning: memory ran out" in told.err
    words = ("face-mesh: 1.0 of 4.0 MB", "rendering frames 3/75    12 s left", "reading the inputs 1/1")
    assert [word in told.err for word in words] == [is_watched] * 3
