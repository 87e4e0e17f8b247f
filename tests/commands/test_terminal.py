"""Tables line up, and their cells stay as they are."""

from shallowdeep.commands.terminal import table


def test_every_column_is_as_wide_as_its_widest_cell():
    """Numbers keep their digits and signs; a line has no end that cannot be seen."""
    rows = [["a", "+0.50", "real"], ["longer", "1e-05", ""]]
    assert table(["", "change", ""], rows).splitlines() == [
        "        change",
        "a       +0.50     real",
        "longer  1e-05",
    ]


def test_markdown_has_a_rule_below_its_head():
    """As GitHub draws it."""
    lines = table(["metric", ""], [["deep.accuracy", "ok"]], style="pipe").splitlines()
    assert lines[0].startswith("| metric")
    assert set(lines[1]) == {"|", ":", "-"}
    assert lines[2] == "| deep.accuracy | ok |"
