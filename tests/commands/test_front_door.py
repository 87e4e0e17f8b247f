"""`python -m shallowdeep` lists the commands and hands over to them."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from checkouts import ROOT, run, with_environment

from shallowdeep.commands.registry import COMMANDS

DOOR = (sys.executable, "-m", "shallowdeep")


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",)])
def test_it_lists_the_commands(tmp_path, words):
    """A line each, also as the installed `shallowdeep`, and without torch: in a blink."""
    printed = run(tmp_path, *DOOR, *words)
    assert printed == run(tmp_path, str(Path(sys.executable).with_name("shallowdeep")), *words)
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


def test_bash_completes_commands_options_and_files(tmp_path):
    """In a real bash, with the script that is printed; zsh's is made by the same library."""
    (tmp_path / "picture.jpg").touch()
    found = run(tmp_path, "bash", "-c", COMPLETE).splitlines()
    assert found == ["predict", "experiments", "--help --md", "bash zsh", "picture.jpg"]
    assert run(tmp_path, *DOOR, "completion", "zsh").startswith("#compdef shallowdeep")


@pytest.mark.parametrize("name", ["predcit", "", "--predict", "tables", "\x1b[31m", "verify.py"])
def test_an_unknown_command_is_refused(tmp_path, name):
    """Usage on stderr, exit status 2, and the name without its control characters."""
    done = subprocess.run([*DOOR, name], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"shallowdeep: unknown command {name!r}\nusage: ")
    assert "\x1b" not in done.stderr


def test_make_calls_them():
    """A target for each that works on a checkout."""
    makefile = (ROOT / "Makefile").read_text()
    called = set(re.findall(r"python -P -m shallowdeep (\S+)", makefile))
    assert called == {"compare", "sweep", "crate", "gate", "verify"}


EVIL = 'q$(shell touch x)`touch x`$$(touch x)"; touch x; "\''


def test_a_value_of_make_is_data(project):
    """From the command line or the environment, it reaches the command as it was typed."""
    with_environment(project)
    made = ("make", "--silent", "--old-file=.venv/installed")
    for value, command in (
        (EVIL, (*made, "gate", f"BASE={EVIL}")),
        (EVIL, ("env", f"BASE={EVIL}", *made, "gate")),
        ("--help", (*made, "gate", "BASE=--help")),
    ):
        assert f"gate: {value}: unknown Git revision" in run(project, *command, status=2)
    assert f"compare: {EVIL}" in run(project, *made, "compare", f"FROM={EVIL}", status=2)
    run(project, *made, "verify", f"SEED={EVIL}", "RANDOMIZE=1", status=2)
    run(project, *made, "bench", f"DATA={EVIL}", status=2)
    run(project, *made, "sweep", f"OVER={EVIL}", status=2)
    run(project, *made, "sweep", "OVER=seed=1", f"JOBS={EVIL}", status=2)
    assert not (project / "x").exists()


def test_a_checkout_whose_path_cannot_be_on_a_path_is_refused(project):
    """With a colon it would be two folders, and another checkout's code be imported."""
    odd = project.rename(project.parent / "a:b")
    assert "the path has a colon" in run(odd, "make", "help", status=2)
    assert "the path has a colon" in run(odd, "docker/run", "true", status=2)
