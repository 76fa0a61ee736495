#!/usr/bin/env python3
"""pawl scope and pawl bench-scope: on a repository made here, with what people and attackers put into one."""
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAWL = os.path.abspath(sys.argv[1])
PARTS = ["parser", "lexer", "writer"]

REFUSED = [
    # words, exit code, what is said
    ([], 2, "expected --predict, or --declared FILE --actual BASE..HEAD"),
    (["--predict"], 2, "expected --predict --title TITLE, or --predict --range BASE..HEAD"),
    (["--predict", "--title", ""], 2, "expected --predict --title"),
    (["--predict", "--title", "x", "--range", "a..b"], 2, "expected --predict --title"),
    (["--predict", "--range", "a..b", "--at", "HEAD"], 2, "expected --predict --title"),
    (["--predict", "--title", "x", "--each"], 2, "expected --predict, or"),
    (["--declared", "list"], 2, "expected --declared FILE --actual"),
    (["--actual", "a..b"], 2, "expected --declared FILE --actual"),
    (["--declared", "list", "--actual", "a..b", "--title", "x"], 2, "expected --declared FILE --actual"),
    (["--predict", "--title", "x", "word"], 2, 'unexpected word "word"'),
    (["--predict", "--title", "x", "--body", "a", "--body-file", "b"], 1, "not both"),
    (["--predict", "--title", "x", "--body-file", "nothing"], 1, "nothing"),
    (["--predict", "--title", "x", "--at", "nothing"], 1, 'there is no commit "nothing"'),
    (["--predict", "--title", "x", "--at", "--all"], 1, "expected a commit"),
    (["--predict", "--title", "x", "--at", ""], 1, "expected a commit"),
    (["--predict", "--title", "x", "--repo", "nowhere"], 1, "nowhere"),
    (["--predict", "--range", "HEAD"], 1, "expected a range"),
    (["--predict", "--range", "HEAD~1...HEAD"], 1, "expected a range"),
    (["--predict", "--range", "--output=x..HEAD"], 1, "expected a range"),
    (["--predict", "--range", "HEAD..--all"], 1, "expected a commit"),
    (["--declared", "nothing", "--actual", "HEAD~1..HEAD"], 1, "nothing"),
    (["--declared", "list", "--actual", "HEAD~1..nothing"], 1, 'there is no commit "nothing"'),
]


def pawl(words, folder, given=None, env=None):
    return subprocess.run([PAWL, *words], cwd=folder, input=given, capture_output=True, timeout=200, env=env)


def said(words, folder, **more):
    done = pawl([*words, "--json"], folder, **more)
    assert done.returncode == 0 and done.stderr == b"", (words, done)
    return json.loads(done.stdout)


class Repository:
    def __init__(self, folder):
        self.folder = folder
        self.count = 0
        self.run("init", "-q", "-b", "main")

    def run(self, *words):
        stamp = f"2026-01-01T00:{self.count // 60:02}:{self.count % 60:02}Z"
        env = {**os.environ, "GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp}
        done = subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgSign=false", *words],
                              cwd=self.folder, check=True, capture_output=True, timeout=60, env=env)
        return done.stdout

    def commit(self, title, *names):
        self.count += 1
        for name in names:
            path = os.path.join(os.fsencode(self.folder), os.fsencode(name))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "ab") as f:
                f.write(b"%d\n" % self.count)
        self.run("add", "-A")
        self.run("commit", "-q", "--allow-empty", "-m", title)


def make_history(folder):
    r = Repository(folder)
    for i in range(30):
        part = PARTS[i % 3]
        r.commit(f"fix({part}): case {i}", f"src/{part}.c", f"tests/test_{part}.c")
        if i % 4 == 0:
            r.commit("docs: say more", "README.md")
    return r


def chosen(report):
    return {row["path"] for row in report["files"] if row["predicted"]}


def predictions(r):
    report = said(["scope", "--predict", "--title", "fix(lexer): an empty text"], r.folder)
    assert chosen(report) == {"src/lexer.c", "tests/test_lexer.c"}, report
    assert set(report) == {"title", "commit", "commits", "files", "expected_f1"} and report["commits"] == r.count, report
    assert report["commit"] == r.run("rev-parse", "HEAD").decode().strip()
    ps = [row["probability"] for row in report["files"]]
    assert ps == sorted(ps, reverse=True) and all(0 <= p <= 1 for p in ps)
    words = ["scope", "--predict", "--title", "fix(lexer): an empty text"]
    assert said(words, r.folder) == report, "every run has a hash seed of its own"
    assert said([*words, "--repo", str(r.folder)], ROOT) == report
    plain = pawl(words, r.folder).stdout.decode().splitlines()
    assert {line.split("\t")[1] for line in plain} == chosen(report), plain
    body = ["scope", "--predict", "--title", "tidy up"]
    named = said([*body, "--body", "see src/writer.c"], r.folder)
    assert "src/writer.c" in chosen(named) and "src/lexer.c" not in chosen(named), named
    assert said([*body, "--body-file", "-"], r.folder, given=b"see src/writer.c") == named


def what_is_gone(r):
    """A file that was deleted is not predicted; at an older commit it is there, and nothing newer is known."""
    before = r.run("rev-parse", "HEAD").decode().strip()
    old = said(["scope", "--predict", "--title", "fix(parser): loops"], r.folder)
    assert "src/parser.c" in chosen(old)
    r.run("rm", "-q", "src/parser.c")
    r.commit("refactor(parser): into two", "src/parser/expressions.c", "src/parser/statements.c")
    now = said(["scope", "--predict", "--title", "fix(parser): loops"], r.folder)
    assert "src/parser.c" not in {row["path"] for row in now["files"]}, now
    assert said(["scope", "--predict", "--title", "fix(parser): loops", "--at", before], r.folder) == old


def ranges(r):
    report = said(["scope", "--predict", "--range", "HEAD~20..HEAD"], r.folder)
    titles = [row["title"] for row in report["changes"]]
    assert len(titles) == 20 and titles[-1] == "refactor(parser): into two" and report["mean"]["changes"] == 20, titles
    for name in ("f1", "precision", "recall", "jaccard", "creep"):
        mean = sum(row[name] for row in report["changes"]) / 20
        assert abs(report["mean"][name] - mean) < 1e-3, (name, mean, report["mean"])
    assert report["mean"]["f1"] > 0.8 and report["mean"]["creep"] < 0.5, report["mean"]
    last = report["changes"][-1]
    assert last["declared"] == last["hits"] + last["creep"] and last["touched"] == 3, last
    # Nothing of what comes later has a part in it.
    earlier = said(["scope", "--predict", "--range", "HEAD~20..HEAD~10"], r.folder)
    assert earlier["changes"] == report["changes"][:10]
    assert said(["scope", "--predict", "--range", "HEAD..HEAD"], r.folder)["changes"] == []
    text = pawl(["scope", "--predict", "--range", "HEAD~20..HEAD"], r.folder).stdout.decode()
    assert f"mean f1            {report['mean']['f1']}" in text, text


def declared(r):
    (r.folder / "list").write_text("./src/lexer.c\r\n\nsrc/nothing.c\nsrc/lexer.c\n")
    base = r.run("rev-list", "--grep=lexer", "-1", "HEAD").decode().strip()
    words = ["scope", "--declared", "list", "--actual", f"{base}~1..{base}"]
    report = said(words, r.folder)
    assert report == {"declared": 2, "touched": 2, "hits": 1, "creep": 1, "precision": 0.5, "recall": 0.5, "f1": 0.5,
                      "jaccard": 0.3333, "not_touched": ["src/nothing.c"], "not_declared": ["tests/test_lexer.c"]}, report
    assert said(["scope", "--declared", "-", "--actual", f"{base}~1..{base}"], r.folder,
                given=b"src/lexer.c\0src/nothing.c\0") == report
    each = said(["scope", "--declared", "list", "--actual", "HEAD~9..HEAD", "--each"], r.folder)
    assert len(each["changes"]) == 9 and each["mean"]["changes"] == 9
    text = pawl([*words, "--each"], r.folder).stdout.decode()
    assert "not touched        src/nothing.c" in text and "not declared       tests/test_lexer.c" in text, text
    empty = said(["scope", "--declared", "/dev/null", "--actual", "HEAD..HEAD"], r.folder)
    assert empty["f1"] == 1 and empty["creep"] == 0 and empty["jaccard"] == 1, empty


def hostile(r):
    """Paths and subjects that look like something else, or like nothing."""
    mark = r.folder / "ran"
    evil = r.folder / ".git/evil.sh"
    evil.write_text(f"#!/bin/sh\ntouch {shlex.quote(str(mark))}\n")
    evil.chmod(0o755)
    for name, value in {"diff.external": evil, "core.pager": evil, "core.fsmonitor": evil, "gpg.program": evil,
                        "log.showSignature": "true", "color.ui": "always", "diff.renames": "copies", "log.follow": "true",
                        "log.showRoot": "false", "diff.noprefix": "true", "log.diffMerges": "on"}.items():
        r.run("config", name, str(value))
    names = ["new\nline.c", ":100644 100644 1 2 M", "a" * 40, "-option", "esc\x1b[2J.c", b"\xff\xfe.c"]
    for i in range(6):
        r.commit("fix(cache): \x1b[2J\u202e text" if i % 2 else ":100644 fix(cache): x", *names)
    r.run("-c", "i18n.commitEncoding=latin-1", "commit", "-q", "--allow-empty", "-m", "an empty one")
    mark.unlink(missing_ok=True)  # what the making of it ran
    words = ["scope", "--predict", "--title", "fix(cache): more", "--body", "\x1b[31m"]
    report = said(words, r.folder)
    assert len(chosen(report)) == len(names), report
    assert {"new\nline.c", "a" * 40, "-option"} <= chosen(report), report
    for more in ([], ["--json"]):
        done = pawl([*words, *more], r.folder)
        assert done.returncode == 0 and b"\x1b" not in done.stdout and b"\xff" not in done.stdout, done.stdout
    report = said(["scope", "--predict", "--range", "HEAD~7..HEAD"], r.folder)
    assert len(report["changes"]) == 6 and report["changes"][-1]["f1"] == 1, "the empty commit is left out"
    done = pawl(["scope", "--declared", "-", "--actual", "HEAD~2..HEAD", "--each"], r.folder, given=b"new\nline.c\0-option\0")
    assert done.returncode == 0 and b"\x1b" not in done.stdout and b"hits               2" in done.stdout, done
    assert b"changes            1\n" in done.stdout, "the empty commit is left out"
    assert not mark.exists(), "something of the repository's ran"


def limits(folder):
    """A range has a limit, and a history goes back only so far."""
    folder.mkdir()
    r = Repository(folder)
    stream = []
    for i in range(1026):
        stream.append(f"commit refs/heads/main\ncommitter t <t@example.com> {1700000000 + i} +0000\ndata 1\nx"
                      f"\nM 644 inline f{i % 3}\ndata {len(str(i))}\n{i}\n")
    subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, input="".join(stream).encode(), check=True, timeout=100)
    done = pawl(["scope", "--declared", "/dev/null", "--actual", "HEAD~1025..HEAD", "--each"], folder)
    assert done.returncode == 1 and b"the range has more than 1024 commits" in done.stderr, done
    assert len(said(["scope", "--declared", "/dev/null", "--actual", "HEAD~1024..HEAD", "--each"], folder)["changes"]) == 1024
    # From the first commit on, and from before it: a root has no parent.
    assert said(["scope", "--predict", "--range", "HEAD~1025..HEAD~1020"], folder)["mean"]["changes"] == 5
    done = pawl(["scope", "--declared", "-", "--actual", "HEAD~1..HEAD"], folder, given=b"a" * ((16 << 20) + 1))
    assert done.returncode == 1 and b"16777216" in done.stderr, done
    assert r.run("rev-list", "--count", "HEAD").strip() == b"1026"


def make_cases(folder):
    (folder / "trees").mkdir(parents=True)
    history = [{"i": i, "ts": i, "title": f"fix({PARTS[i % 3]}): case {i}",
                "files": [f"src/{PARTS[i % 3]}.c", f"tests/test_{PARTS[i % 3]}.c"]} for i in range(60)]
    files = sorted({name for row in history for name in row["files"]})
    (folder / "trees/all.txt").write_text("\n".join(files) + "\n")
    (folder / "trees/few.txt").write_text("src/lexer.c\n")
    cases = [{"id": "b", "history_upto": 60, "title": "fix(lexer): loops", "body": "", "tree": "trees/all.txt"},
             {"id": "a", "history_upto": 30, "title": "fix(writer): loops", "tree": "trees/all.txt"},
             {"id": "c", "history_upto": 60, "title": "fix(lexer): loops", "tree": "trees/few.txt"}]
    labels = [{"id": "a", "tier": "two", "files": ["src/writer.c", "tests/test_writer.c"]},
              {"id": "b", "tier": "two", "files": ["tests/test_lexer.c", "src/lexer.c"]},
              {"id": "c", "tier": "one", "files": ["src/lexer.c", "src/more.c", "src/most.c"]}]
    for name, rows in {"history": history, "cases": cases, "labels": labels}.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return history, cases, labels


def bench(folder):
    history, cases, labels = make_cases(folder)
    report = said(["bench-scope", ".", "--predictions", "said.jsonl"], folder)
    rows = [json.loads(line) for line in (folder / "said.jsonl").read_text().splitlines()]
    assert rows == [{"id": "b", "files": ["src/lexer.c", "tests/test_lexer.c"]},
                    {"id": "a", "files": ["src/writer.c", "tests/test_writer.c"]}, {"id": "c", "files": ["src/lexer.c"]}], rows
    tiers = {row["tier"]: row for row in report["tiers"]}
    assert list(tiers) == ["two", "one", "overall"] and tiers["two"]["f1"] == 1 and tiers["one"]["f1"] == 0.5
    assert tiers["overall"]["f1"] == 0.75 and tiers["overall"]["changes"] == 3, tiers
    assert tiers["one"]["recall"] == 0.3333 and tiers["overall"]["creep"] == 0
    assert report["commits"] == 60 and report["cases"] == 3
    text = pawl(["bench-scope", "."], folder).stdout.decode()
    assert "overall\t3\t0.75\t" in text and "ms per case" in text, text
    for without in ("recency", "words", "similar", "names", "convention", "weights", "expected"):
        said(["bench-scope", ".", "--without", without, "--without", "similar"], folder)
    # Without answers: predictions only.
    (folder / "labels.jsonl").unlink()
    assert said(["bench-scope", ".", "--predictions", "again.jsonl"], folder)["tiers"] == []
    assert (folder / "again.jsonl").read_bytes() == (folder / "said.jsonl").read_bytes()
    bench_refused(folder, history, cases, labels)


def bench_refused(folder, history, cases, labels):
    def with_rows(name, rows):
        (folder / f"{name}.jsonl").write_text("".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows))

    changed = [
        ("labels", None, "labels.jsonl"),
        ("labels", [{**labels[0], "id": "z"}], "labels.jsonl line 1: expected the id of a case"),
        ("labels", [{**labels[0], "files": "x"}], "labels.jsonl line 1: files: expected a list of texts"),
        ("labels", [{**labels[0], "tier": str(i)} for i in range(17)], "line 17: expected the id of a case, and at most 16 tiers"),
        ("labels", ["{\n"], "labels.jsonl line 1"),
        ("cases", [{**cases[0], "history_upto": 61}], "history_upto: expected a count from 0 to 60"),
        ("cases", [{**cases[0], "history_upto": -1}], "history_upto: expected a count from 0 to 60"),
        ("cases", [{**cases[0], "tree": "../x"}], "tree: expected the name of a file in the folder"),
        ("cases", [{**cases[0], "tree": "/etc/passwd"}], "tree: expected the name of a file in the folder"),
        ("cases", [{**cases[0], "tree": "trees/none.txt"}], "trees/none.txt"),
        ("history", [{**history[0], "files": [7]}] * 60, "history.jsonl line 1: files: expected a list of texts"),
        ("history", None, "history.jsonl"),
    ]
    for name, rows, text in changed:
        with_rows("history", history)
        with_rows("cases", cases)
        with_rows("labels", labels)
        if rows is None:
            (folder / f"{name}.jsonl").unlink()
        else:
            with_rows(name, rows)
        done = pawl(["bench-scope", "."], folder)
        assert done.returncode == 1 and text in done.stderr.decode() and done.stdout == b"", (name, text, done)
    with_rows("history", ["{}\n"] * 65537)
    done = pawl(["bench-scope", "."], folder)
    assert done.returncode == 1 and b"history.jsonl: more than 65536 lines" in done.stderr, done
    os.truncate(folder / "history.jsonl", (256 << 20) + 1)
    done = pawl(["bench-scope", "."], folder)
    assert done.returncode == 1 and b"history.jsonl" in done.stderr and b"268435456" in done.stderr, done
    done = pawl(["bench-scope", ".", "--without", "luck"], folder)
    assert done.returncode == 1 and b'there is no ingredient "luck"' in done.stderr, done
    assert pawl(["bench-scope"], folder).returncode == 2


def refused(folder):
    (folder / "list").write_text("a\n")
    for words, code, text in REFUSED:
        done = pawl(["scope", *words], folder)
        assert done.returncode == code and text in done.stderr.decode() and done.stdout == b"", (words, done)
    done = pawl(["scope", "--predict", "--title", "x"], folder, env={**os.environ, "PATH": str(folder)})
    assert done.returncode == 1 and b"no such command in PATH" in done.stderr, done


def documented_commands(r):
    """Each command of docs/scope.md runs as it stands there."""
    page = (ROOT / "docs/scope.md").read_text()
    commands = re.findall(r"^    (pawl scope .*?)(?:\s+#.*)?$", page, re.M)
    assert len(commands) >= 5, commands
    (r.folder / "files.txt").write_text("src/lexer.c\n")
    (r.folder / "issue.txt").write_text("see src/lexer.c\n")
    r.run("branch", "-f", "base", "HEAD~3")
    for command in commands:
        said(shlex.split(command)[1:], r.folder)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "repository").mkdir()
        r = make_history(folder / "repository")
        predictions(r)
        what_is_gone(r)
        ranges(r)
        declared(r)
        refused(r.folder)
        documented_commands(r)
        hostile(r)
        limits(folder / "long")
        bench(folder / "cases")
    print("ok")


if __name__ == "__main__":
    main()
