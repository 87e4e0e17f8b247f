"""A YAML file means here what it means to DVC; what is none is refused in one line."""

import math
from itertools import pairwise

import pytest
import yaml
from dvc.utils.serialize import load_yaml

from shallowdeep.files.errors import InputError
from shallowdeep.files.yaml_file import parse

# Scalars that YAML 1.1, as PyYAML reads it, and YAML 1.2, as DVC does, take for different things.
_DIFFERENT = """010 -010 +010 08 0_8 0o10 1:30 190:20:30 1:30:00.5 1e-5 1e5 1E5 1.e5 1.5e3 1e999
    -.5 +.5 yes Yes YES no No NO on On ON off Off OFF"""
# Scalars that both take for the same, also where one might expect another.
_SAME = """~ null true TRUE tRue y n 10 +10 1_000 0b1 0x1F 0o9 _1 .5 1. 1_0.5 1.0e-5 .5e3 .5e+3 .inf
    -.inf .nan inf '1e-5'"""
DIFFERENT = _DIFFERENT.split()
SAME = [*_SAME.split(), "", "!!str 3", "!!float 3", "!!int '3'"]
KNOWN = {"010": 10, "1:30": "1:30", "1e-5": 1e-5, "1e999": math.inf, "yes": "yes", "y": "y"}
KNOWN |= {"0o10": 8, "": None, "TRUE": True, "tRue": "tRue", "1_000": 1000, "'1e-5'": "1e-5"}
REFUSED = ["=", "<<", "-_", "2026-13-45", "!!bool maybe", "!!int ''", "!!float x", "!thing 1"]


def written(tmp_path, content):
    path = tmp_path / "params.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def same(one, other):
    """Equal in type and value; nan is nan, and 1, 1.0 and True are three."""
    return type(one) is type(other) and repr(one) == repr(other)


@pytest.mark.parametrize(
    "scalar", [*DIFFERENT, *SAME, "2026-01-01", "2001-12-14t21:59:43.10-05:00"]
)
def test_a_scalar_means_what_it_means_to_dvc(tmp_path, scalar):
    """Also where PyYAML has another opinion."""
    path = written(tmp_path, f"x: {scalar}\n")
    ours = parse(path)["x"]
    assert same(ours, load_yaml(path)["x"])
    if scalar in [*DIFFERENT, *SAME]:
        assert same(ours, yaml.safe_load(path.read_text())["x"]) == (scalar in SAME)
    if scalar in KNOWN:
        assert same(ours, KNOWN[scalar])


@pytest.mark.parametrize("scalar", REFUSED)
def test_what_dvc_cannot_read_is_refused_with_its_place(tmp_path, scalar):
    """In one line, where DVC has its own words."""
    path = written(tmp_path, f"x: {scalar}\n")
    with pytest.raises(Exception):  # noqa: B017
        load_yaml(path)
    with pytest.raises(InputError, match=r"^\S*params\.yaml: line 1, column 4: [^\n]+$"):
        parse(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: 1\nb: 2\na: 3\n", "line 3, column 1: the key a stands twice"),
        (b"a: &a {x: 1}\nb: {<<: *a, y: 1, y: 2}\n", "line 2, column 19: the key y stands twice"),
        (b"a: 1\n---\nb: 2\n", "line 2, column 1: expected a single document in the stream, but"),
        (b"a:\t1\n", "line 1, column 3: found character '\\t' that cannot start any token"),
        (b"a: 1\nb: \xff\n", "line 2, column 4: this is not UTF-8; save the file as UTF-8"),
        ("a: 1".encode("utf-16"), "line 1, column 1: this is not UTF-8"),
        ("a: 1".encode("utf-16-le"), "line 1, column 2: the character '\\x00' is not allowed"),
        (b"a: *nothing\n", "line 1, column 4: found undefined alias"),
        (b"a: {b: 1\n", "line 2, column 1: "),
        (b"a: !!python/object/apply:os.system ['x']\n", "line 1, column 4: could not determine"),
        (b"a: " + b"9" * 10_000, "line 1, column 4: '999999999999...9999999999999' cannot be read"),
        (b"[" * 1_000, "lists or mappings are nested too deeply"),
    ],
)
def test_what_is_no_yaml_is_one_line(tmp_path, content, message):
    """It names line and column."""
    path = written(tmp_path, content)
    with pytest.raises(InputError) as error:
        parse(path)
    line = str(error.value)
    assert line.startswith(f"{path}: {message}") and "\n" not in line and len(line) < 400


@pytest.mark.filterwarnings("ignore::ruamel.yaml.error.MantissaNoDotYAML1_1Warning")
@pytest.mark.parametrize(
    ("content", "meaning"),
    [
        ("%YAML 1.1\n---\nx: [010, 1e-5, yes, 1:30]\n", {"x": [8, 1e-5, True, 90]}),
        ("\ufeffx: 010\n", {"x": 10}),
        (
            "a: &a {x: 1, y: 1}\nb: {c: &c {<<: *a, x: 2}}\nd: {<<: *c, y: 3}\n",
            {"a": {"x": 1, "y": 1}, "b": {"c": {"x": 2, "y": 1}}, "d": {"x": 2, "y": 3}},
        ),
        ("a: &a {x: 1}\nb: &b {<<: *a, x: 2}\nc: [{<<: *b}, {<<: *b}]\n", None),
    ],
    ids=["a version", "a byte order mark", "an overridden merge", "a merge of a merge"],
)
def test_a_file_means_what_it_means_to_dvc(tmp_path, content, meaning):
    """A version that it names counts, a byte order mark does not; a merge can be overridden."""
    path = written(tmp_path, content)
    assert parse(path) == load_yaml(path)
    assert meaning in (None, parse(path))


def test_an_alias_bomb_is_read_at_once(tmp_path):
    """The lists are shared; nothing writes them out."""
    rows = [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in pairwise("abcdefghijkl")]
    assert len(parse(written(tmp_path, "\n".join(["a: &a [x]", *rows])))["l"]) == 9
