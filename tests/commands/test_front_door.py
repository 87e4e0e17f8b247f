"""`python -m shallowdeep` lists the commands and hands over to them."""

import json
import re
import shutil
import sys
from importlib import import_module
from pathlib import Path

import pytest
from checkouts import ROOT, run
from in_process import told

from shallowdeep.commands.registry import COMMANDS

DOOR = (sys.executable, "-m", "shallowdeep")


def test_it_lists_the_commands(tmp_path, capsys):
    """A line each, also as the installed `shallowdeep`, and without torch: in a blink."""
    printed = run(tmp_path, *DOOR)
    assert printed == run(tmp_path, str(Path(sys.executable).with_name("shallowdeep")))
    for word in ("--help", "-h"):
        assert (told(word), capsys.readouterr().out) == ("", printed)
    listed = dict(re.findall(r"^  (\S+) +(\S.*)$", printed, re.MULTILINE))
    assert listed == {name: command.about for name, command in COMMANDS.items()}
    check = "import sys, shallowdeep.__main__; print('torch' in sys.modules)"
    assert run(tmp_path, sys.executable, "-c", check) == "False\n"


def test_no_command_imports_what_takes_a_second_before_it_needs_it(tmp_path):
    """So that --help and a wrong word are answered in a blink."""
    modules = ", ".join(f"shallowdeep.{command.module}" for command in COMMANDS.values())
    check = f"import sys, {modules}; print({{'torch', 'sklearn'}} & sys.modules.keys())"
    assert run(tmp_path, sys.executable, "-c", check) == "set()\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_how_it_is_used(capsys, name):
    """Its --help, in its own name; the module has a `main` that takes arguments."""
    with pytest.raises(SystemExit) as ended:
        import_module(f"shallowdeep.{COMMANDS[name].module}").main(["--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: shallowdeep {name} ")


COMPLETE = """eval "$(shallowdeep completion bash)"
typed() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _shtab_shallowdeep; echo "${COMPREPLY[@]}"; }
typed shallowdeep pre
typed shallowdeep ex
typed shallowdeep compare --
typed shallowdeep completion ''
typed shallowdeep predict pict
"""


def test_bash_completes_commands_options_and_files(tmp_path, capsys):
    """In a real bash, with the script that is printed; zsh's is made by the same library."""
    (tmp_path / "picture.jpg").touch()
    found = run(tmp_path, "bash", "-c", COMPLETE).splitlines()
    assert found == ["predict", "experiments", "--help --md", "bash zsh", "picture.jpg"]
    assert told("completion", "zsh") == ""
    assert capsys.readouterr().out.startswith("#compdef shallowdeep")


@pytest.mark.parametrize("name", ["predcit", "", "--predict", "tables", "\x1b[31m", "verify.py"])
def test_an_unknown_command_is_refused(capsys, name):
    """Usage on stderr, exit status 2, and the name without its control characters."""
    assert told(name) == "2"
    out, err = capsys.readouterr()
    assert out == "" and "\x1b" not in err
    assert err.startswith(f"shallowdeep: unknown command {name!r}\nusage: ")


def test_make_calls_them():
    """A target for each that works on a checkout."""
    makefile = (ROOT / "Makefile").read_text()
    called = set(re.findall(r"python -P -m shallowdeep (\S+)", makefile))
    assert called == {"compare", "sweep", "crate", "gate", "verify"}


EVIL = 'q$(shell touch x)`touch x`$$(touch x)"; touch x; "\''
MADE = ("make", "--silent", "--old-file=.venv/installed", "--old-file=.dvc/plots/page.local.html")


@pytest.mark.parametrize(
    ("target", "values", "words"),
    [
        ("gate", {"BASE": EVIL}, ["gate", "--", EVIL]),
        ("gate", {"BASE": "--help"}, ["gate", "--", "--help"]),
        ("compare", {"FROM": EVIL, "TO": EVIL}, ["compare", "--", EVIL, EVIL]),
        (
            "verify",
            {"SEED": EVIL, "RANDOMIZE": "1", "JSON": EVIL},
            ["verify", f"--randomize={EVIL}", f"--json={EVIL}"],
        ),
        ("sweep", {"OVER": EVIL, "JOBS": EVIL}, ["sweep", "--jobs", EVIL, "--", EVIL]),
        ("bench", {"DATA": EVIL}, ["benchmarks/solvers.py", "--", EVIL]),
    ],
)
def test_a_value_of_make_is_data(tmp_path, target, values, words):
    """From the command line or the environment, it reaches the command as it was typed."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    python = tmp_path / ".venv/bin/python"  # one that says with what words it is called
    python.parent.mkdir(parents=True)
    python.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    python.chmod(0o755)
    typed = [f"{name}={value}" for name, value in values.items()]
    before = [] if target == "bench" else ["-P", "-m", "shallowdeep"]
    for command in ((*MADE, target, *typed), ("env", *typed, *MADE, target)):
        assert json.loads(run(tmp_path, *command)) == before + words
    assert not (tmp_path / "x").exists()


def test_without_values_make_says_what_it_takes(tmp_path):
    """As in `make bench`, which takes a folder."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    for target, name in (("sweep", "OVER"), ("bench", "DATA")):
        message = f"make {target}: {name} is not given; make {target} {name}="
        assert message in run(tmp_path, *MADE, target, status=2)


def test_a_checkout_whose_path_cannot_be_on_a_path_is_refused(tmp_path):
    """With a colon it would be two folders, and another checkout's code be imported."""
    odd = tmp_path / "a:b"
    (odd / "docker").mkdir(parents=True)
    for name, *command in (("Makefile", "make", "help"), ("docker/run", "docker/run", "true")):
        shutil.copy(ROOT / name, odd / name)
        assert "the path has a colon" in run(odd, *command, status=2)
