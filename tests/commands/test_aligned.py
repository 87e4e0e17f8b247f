"""A table's columns begin below each other."""

from shallowdeep.commands.aligned import aligned


def test_columns_are_as_wide_as_their_widest_cell():
    """And no line ends in spaces."""
    assert aligned([("a", "", "b"), ("long", "x", "")]) == "a        b\nlong  x"
