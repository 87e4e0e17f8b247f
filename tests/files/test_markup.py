"""Names go into pages as text, and come back as they were."""

import json

from hypothesis import given
from hypothesis import strategies as st

from shallowdeep.files.markup import escape, unescape


@given(st.text(st.sampled_from("\\<>&u03cex'\"")) | st.text())
def test_an_escaped_name_holds_no_markup_and_can_be_read_back(text):
    """Whatever it holds, what looks like an escape too."""
    assert not set("<>&") & set(escape(text))
    assert unescape(escape(text)) == text


def test_the_escapes_are_those_of_json():
    """So that whoever meets one can tell what it means; other names stay as they are."""
    assert escape("cat/été (1) 'a'.jpg") == "cat/été (1) 'a'.jpg"
    assert escape("</script>&\\") == "\\u003c/script\\u003e\\u0026\\\\"
    assert json.loads(f'"{escape("</script>&")}"') == "</script>&"
    assert unescape("cat/\\udcff") == "cat/\\udcff"
