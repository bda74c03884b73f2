"""The command line: help for people, one line when something is wrong, exit codes that a script can act on."""
import re

import pytest

from processes import ROOT, binary, clean_environment, run

USAGE, UNAVAILABLE, CONFIG = 64, 69, 78


def connectord(*args, **settings):
    env = clean_environment(**{f"CONNECTORD_{k.upper()}": v for k, v in settings.items()})
    return run([binary(), *args], env=env)


def one_line(done):
    lines = done.stderr.splitlines()
    assert len(lines) == 1, f"expected one line, got: {done.stderr}"
    return lines[0]


def test_help_names_every_command_and_begins_with_an_example():
    done = connectord("--help")
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.index("connectord up") < done.stdout.index("Commands")
    for command in ("up", "server", "worker", "migrate", "keys", "audit"):
        assert re.search(rf"^  {command} ", done.stdout, re.M)


@pytest.mark.parametrize("command", ["up", "server", "worker", "migrate", "keys", "audit"])
def test_each_command_explains_itself_with_an_example(command):
    done = connectord(command, "--help")
    assert done.returncode == 0
    assert f"connectord {command}" in done.stdout.splitlines()[0]
    assert f"connectord {command}" in "\n".join(done.stdout.splitlines()[1:])


def test_help_settings_shows_every_setting_of_the_table_and_the_manual_has_them_too():
    shown = connectord("help", "settings").stdout
    table = (ROOT / "base/config_entries.def").read_text()
    manual = (ROOT / "docs/settings.md").read_text()
    names = re.findall(r"^(?:TEXT|I64|BOOL|CHOICE)\((\w+),", table, re.M)
    assert len(names) > 30
    for name in names:
        assert f"CONNECTORD_{name.upper()}" in shown
        assert f"CONNECTORD_{name.upper()}" in manual


def test_version_is_one_line():
    assert re.fullmatch(r"connectord \d+\.\d+\.\d+\n", connectord("--version").stdout)


@pytest.mark.parametrize("args, words", [
    (["fly"], 'no command "fly"'),
    (["up", "--frobnicate"], "no option --frobnicate"),
    (["worker", "now"], 'does not take "now"'),
    (["server", "--listen-port"], "--listen-port needs a value"),
    (["keys"], "name the folder"),
    (["help", "fly"], 'no command "fly"'),
])
def test_a_wrong_command_line_is_64_and_says_what_is_wrong(args, words):
    done = connectord(*args)
    assert done.returncode == USAGE
    assert words in one_line(done)


def test_no_command_shows_help_and_is_64():
    done = connectord()
    assert done.returncode == USAGE and "Commands" in done.stdout


@pytest.mark.parametrize("args, words", [
    (["server", "--listen-port=70000"], "listen_port must be a whole number from 0 to 65535"),
    (["worker", "--external-id-check=maybe"], "external_id_check must be one of enforce|warn"),
    (["migrate", "--config=/nonexistent.ini"], "/nonexistent.ini cannot be opened"),
])
def test_a_bad_setting_is_78_and_names_it(args, words):
    done = connectord(*args)
    assert done.returncode == CONFIG
    assert words in one_line(done)


def test_a_misspelt_variable_is_refused_with_a_suggestion():
    done = connectord("server", listen_prot="8080")
    assert done.returncode == CONFIG
    assert "did you mean" in one_line(done)


def test_a_wrong_line_of_the_ini_file_is_named_with_its_number(tmp_path):
    (tmp_path / "c.ini").write_text("listen_port = 8080\nlisten_prot = 1\n")
    done = connectord("server", f"--config={tmp_path / 'c.ini'}")
    assert done.returncode == CONFIG
    assert "line 2" in one_line(done)


@pytest.mark.parametrize("command", ["server", "worker", "migrate"])
def test_without_a_database_setting_a_command_says_which_one_it_needs(command):
    done = connectord(command)
    assert done.returncode == CONFIG
    assert "database_url" in done.stderr.splitlines()[-1]


def test_migrate_against_no_database_is_69(tmp_path):
    done = connectord("migrate", database_url=f"host={tmp_path} dbname=x user=connectord_owner")
    assert done.returncode == UNAVAILABLE
    assert "connectord migrate: " in one_line(done)


def test_keys_makes_three_files_once_and_never_shows_them(tmp_path):
    place = tmp_path / "keys"
    first = connectord("keys", str(place))
    assert first.returncode == 0
    before = {p.name: p.read_text() for p in place.iterdir()}
    assert sorted(before) == ["operator.key", "seal.key", "seal.pub"]
    assert [oct((place / n).stat().st_mode & 0o777) for n in ("seal.key", "operator.key")] == ["0o600", "0o600"]
    again = connectord("keys", str(place))
    assert again.returncode == 0
    assert {p.name: p.read_text() for p in place.iterdir()} == before
    said = first.stdout + first.stderr + again.stdout + again.stderr
    assert not any(text.strip() in said for text in before.values())


def test_keys_refuses_half_a_pair(tmp_path):
    place = tmp_path / "keys"
    connectord("keys", str(place))
    (place / "seal.key").unlink()
    done = connectord("keys", str(place))
    assert done.returncode == CONFIG
    assert "seal.key is gone" in one_line(done)
    assert not (place / "seal.key").exists()
