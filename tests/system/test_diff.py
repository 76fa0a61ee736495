#!/usr/bin/env python3
"""pawl diff: every format from files and standard input, a range of commits from git itself, what is refused, and the
commands of docs/diff.md."""
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = ROOT / "tests/cases/diff"
PAWL = os.path.abspath(sys.argv[1])

SAID = [
    # words, the format, facts that must be there
    (["diff", "terraform", "terraform_aws.json"], "terraform", {"iam_wildcard", "public_ingress", "stateful_delete"}),
    (["diff", "kubernetes", "kubernetes_shop.before", "kubernetes_shop.after"], "kubernetes", {"cluster_admin", "host_path"}),
    (["diff", "sql", "sql_migration.sql"], "sql", {"drop", "missing_where", "grant_public"}),
    (["diff", "git", "--codeowners", "git_change.owners", "git_change.patch"], "git", {"owner_missing", "test_deleted"}),
    (["diff", "config", "--format", "haproxy", "haproxy_edge.before", "haproxy_edge.after"], "haproxy", {"bind_any"}),
    (["diff", "config", "--format", "nginx", "nginx_site.before", "nginx_site.after"], "nginx", {"public_access"}),
    (["diff", "config", "--format", "env", "env_app.before", "env_app.after"], "env", {"verify_off"}),
    (["diff", "config", "--format", "json", "json_service.before", "json_service.after"], "json", {"auth_disabled"}),
    (["diff", "config", "--format", "yaml", "yaml_docs.before", "yaml_docs.after"], "yaml", set()),
    (["diff", "terraform_clouds.json"], "terraform", {"iam_admin"}),
    (["diff", "git_change.patch"], "git", {"auth_check_deleted"}),
    (["diff", "sql_migration.sql"], "sql", {"drop"}),
]

REFUSED = [
    # words, standard input, exit code, what is said
    (["diff"], "", 2, "expected FILE"),
    (["diff", "terraform"], "", 2, "expected FILE"),
    (["diff", "kubernetes", "-"], "", 2, "expected BEFORE AFTER"),
    (["diff", "terraform", "nothing.json"], "", 1, "nothing.json"),
    (["diff", "terraform", "-"], "{", 1, ""),
    (["diff", "terraform", "-"], '{"resource_changes":[7]}', 1, "/resource_changes/0: expected an object"),
    (["diff", "config", "a", "b"], "", 1, "option --format: expected haproxy, nginx, env, json or yaml"),
    (["diff", "config", "--format", "sql", "a", "b"], "", 1, "option --format: expected haproxy"),
    (["diff", "-"], "restart the pods", 1, "can't be recognised"),
    (["diff", "git", "-"], "hello", 1, "expected a patch"),
    (["diff", "git", "-x..y"], "", 2, "-x..y"),
    (["diff", "sql", "--table", "x"], "", 2, "--table"),
]


def pawl(words, folder=CASES, given="", env=None):
    return subprocess.run([PAWL, *words], cwd=folder, input=given, capture_output=True, text=True, timeout=100, env=env)


def changes(words, **more):
    done = pawl(words, **more)
    assert done.returncode == 0 and done.stderr == "", (words, done)
    return json.loads(done.stdout)


def formats():
    for words, name, facts in SAID:
        said = changes(words)
        assert said["format"] == name and not said["over"], (words, said["format"])
        assert facts <= set(said["summary"]["facts"]), (words, facts, said["summary"]["facts"])
        assert len(said["changes"]) > 0
        text = json.dumps(said)
        assert "hunter" not in text and "aHVudGVy" not in text, words
    given = (CASES / "sql_migration.sql").read_text()
    assert changes(["diff", "sql", "-"], given=given) == changes(["diff", "sql", "--json", "sql_migration.sql"])


def refused():
    for words, given, code, text in REFUSED:
        done = pawl(words, given=given)
        assert done.returncode == code and text in done.stderr and done.stdout == "", (words, done)


def escapes_are_shown():
    """What a document says can't move a terminal's cursor."""
    plan = json.dumps({"resource_changes": [{"address": "a.\u001b[2J", "type": "a", "change": {"actions": ["create"]}}]})
    done = pawl(["diff", "terraform", "-"], given=plan)
    assert done.returncode == 0 and "\x1b" not in done.stdout, done.stdout


def table():
    """On a terminal: a table with its head, and the sum below."""
    import pty
    primary, secondary = pty.openpty()
    words = [PAWL, "diff", "config", "--format", "haproxy", "haproxy_edge.before", "haproxy_edge.after"]
    child = subprocess.Popen(words, cwd=CASES, stdout=secondary, env={**os.environ, "NO_COLOR": "1"})
    os.close(secondary)
    text = b""
    try:
        while piece := os.read(primary, 65536):
            text += piece
    except OSError:
        pass
    os.close(primary)
    assert child.wait(60) == 0
    lines = text.decode().replace("\r\n", "\n").split("\n")
    assert lines[0].split()[:4] == ["kind", "resource", "path", "facts"], lines[0]
    assert any("bind_any" in line and "bind *:443" in line for line in lines), lines
    assert "2 created, 4 changed, 0 replaced, 8 deleted; 8 destructive, 0 can't be taken back" in lines, lines


class Repository:
    def __init__(self, folder):
        self.folder = folder
        self.run("init", "-q", "-b", "main")

    def run(self, *words):
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *words], cwd=self.folder, check=True,
                       capture_output=True, timeout=60)

    def write(self, files):
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def commit(self):
        self.run("add", "-A")
        self.run("commit", "-q", "-m", "x")


def git_ranges(folder):
    r = Repository(folder)
    r.write({"src/a.py": "require_role('x')\nrun()\n", "tests/test_a.py": "def test_a(): pass\n", "b.bin": "x",
             ".github/CODEOWNERS": "* @team\n/free/\n"})
    r.commit()
    r.write({"src/a.py": "run()\n", "free/c.py": "1\n", ".github/CODEOWNERS": "* @bob\n", "odd \"n\u00e4me\".txt": "1\n"})
    (folder / "tests/test_a.py").unlink()
    r.commit()
    said = changes(["diff", "git", "HEAD~1..HEAD"], folder=folder)
    rows = {row["path"]: row for row in said["changes"]}
    assert rows["src/a.py"]["facts"] == ["auth_check_deleted"], rows["src/a.py"]
    assert rows["src/a.py"]["after"]["owners"] == ["@team"], "owners are those of before the change"
    assert rows["tests/test_a.py"]["facts"] == ["test_deleted"] and rows["tests/test_a.py"]["kind"] == "delete"
    assert rows["free/c.py"]["facts"] == ["owner_missing"], rows["free/c.py"]
    assert rows[".github/CODEOWNERS"]["facts"] == ["owners_changed"]
    assert "odd \"n\u00e4me\".txt" in rows, list(rows)
    assert changes(["diff", "git", "HEAD..HEAD"], folder=folder)["changes"] == []
    done = pawl(["diff", "git", "nosuch..HEAD"], folder=folder)
    assert done.returncode == 1 and "git: " in done.stderr and "nosuch" in done.stderr, done
    # From below its root, all of it is seen.
    (folder / "src").mkdir(exist_ok=True)
    below = changes(["diff", "git", "HEAD~1..HEAD"], folder=folder / "src")
    assert {row["path"] for row in below["changes"]} == set(rows), below
    return rows


def git_runs_nothing_else(folder, rows):
    """What a repository's configuration names is not run, and does not change what is seen."""
    r = Repository(folder)
    mark = folder / "ran"
    evil = folder / "evil.sh"
    evil.write_text(f"#!/bin/sh\ntouch {shlex.quote(str(mark))}\n")
    evil.chmod(0o755)
    settings = {"diff.external": evil, "core.pager": evil, "core.fsmonitor": evil, "diff.evil.textconv": evil,
                "diff.noprefix": "true", "diff.mnemonicPrefix": "true", "color.ui": "always", "diff.relative": "true",
                "diff.renames": "false", "diff.suppressBlankEmpty": "true"}
    for name, value in settings.items():
        r.run("config", name, str(value))
    (folder / ".git/info").mkdir(exist_ok=True)
    (folder / ".git/info/attributes").write_text("*.py diff=evil\n")
    env = {**os.environ, "GIT_EXTERNAL_DIFF": str(evil), "GIT_PAGER": str(evil)}
    said = changes(["diff", "git", "HEAD~1..HEAD"], folder=folder, env=env)
    assert not mark.exists(), "something of the repository's ran"
    assert {row["path"]: row for row in said["changes"]} == rows
    done = pawl(["diff", "git", "HEAD..HEAD"], folder=folder, env={**os.environ, "PATH": str(folder)})
    assert done.returncode == 1 and "no such command in PATH" in done.stderr, done


def documented_commands(folder):
    """Each command of docs/diff.md runs as it stands there."""
    page = (ROOT / "docs/diff.md").read_text()
    commands = re.findall(r"^    (pawl diff .*?)(?:\s+#.*)?$", page, re.M)
    assert len(commands) == 6, commands
    files = {"plan.json": "terraform_aws.json", "before.yaml": "kubernetes_shop.before", "after.yaml": "kubernetes_shop.after",
             "migration.sql": "sql_migration.sql", "haproxy.cfg.old": "haproxy_edge.before", "haproxy.cfg": "haproxy_edge.after"}
    for name, case in files.items():
        (folder / name).write_bytes((CASES / case).read_bytes())
    (folder / "change.json").write_text(json.dumps({"format": "sql", "sql": "drop table t"}))
    for command in commands:
        said = changes(shlex.split(command)[1:], folder=folder)
        assert set(said) == {"format", "changes", "summary", "over"}, command
        assert "main..HEAD" in command or len(said["changes"]) > 0, command


def main():
    formats()
    refused()
    escapes_are_shown()
    table()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        rows = git_ranges(folder)
        git_runs_nothing_else(folder, rows)
        documented_commands(folder)
    print("ok")


if __name__ == "__main__":
    main()
