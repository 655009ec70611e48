"""The workflow for GitHub Actions: its steps over a real site and a real remote, each run in a fresh clone."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
import yaml

from pipeline.demo.server import Answer, Behaviour, Site
from tests.db.histories import COUNTIES, Posted, rows, sheriff
from tests.pipeline.demo.watched import PAGE, cleared, local_site, post

GITHUB = Path(__file__).parents[2] / "deploy" / "github"
SCRIPT, WORKFLOW = GITHUB / "watch.sh", GITHUB / "watch.yml"

SHERIFFS = rows(*COUNTIES[:40])
FIRST = Posted("participating", 0, SHERIFFS)
SECOND = Posted("participating", 1, [*SHERIFFS[1:], sheriff("Polk")])
THIRD = Posted("participating", 2, [*SHERIFFS[1:], sheriff("Polk"), sheriff("Pasco")])
HALF = Posted("participating", 1, SHERIFFS[:20])

CONFIG = """\
source: {{page: "{page}", allowed_hosts: [127.0.0.1], contact: tests, delay_seconds: 0, retries: 0}}
subscribers:
  - name: reader
    channels:
      - folder: data/reports
      - exec: [/bin/sh, -c, 'echo "$WATCH287G_MESSAGE_ID" >> {told}']
alerts: {{feeds: {{folder: data/feeds}}}}
"""

PUSHED_BY_SOMEBODY_ELSE = """\
once=$(git rev-parse --absolute-git-dir)/once
[ -e "$once" ] && exit 0
touch "$once"
commit=$(git commit-tree -p FETCH_HEAD -m "Somebody else" "FETCH_HEAD^{tree}")
git push --quiet --no-verify origin "$commit:refs/heads/data"
"""


@dataclass
class Ended:
    """How a run ended: its exit code, what it printed, and the page that GitHub would show."""

    code: int
    said: str
    summary: str


class Remote:
    """A bare repository with the files that an operator has in it, and runs of the workflow against it."""

    def __init__(self, folder: Path, site: Site) -> None:
        self.bare, self.folder = folder / "remote.git", folder
        self._told = folder / "told"
        self._numbers = count()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "WATCH287G"))},
            "PATH": os.pathsep.join([str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "tests",
            "GIT_AUTHOR_EMAIL": "tests@example.org",
            "GIT_COMMITTER_NAME": "tests",
            "GIT_COMMITTER_EMAIL": "tests@example.org",
            "WATCH287G_PUSH_WAITS": "0 0",
        }
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(self.bare), cwd=folder)
        operators = folder / "operators"
        self.git("clone", "--quiet", self.url, str(operators), cwd=folder)
        shutil.copytree(GITHUB, operators / "deploy" / "github", ignore=shutil.ignore_patterns("__pycache__"))
        (operators / ".gitignore").write_text("/data/\n*.db\n")
        (operators / "config.yaml").write_text(CONFIG.format(page=site.url + PAGE, told=self._told))
        self.git("add", "--all", cwd=operators)
        self.git("commit", "--quiet", "--message", "Ours", cwd=operators)
        self.git("push", "--quiet", "origin", "HEAD:main", cwd=operators)

    @property
    def url(self) -> str:
        return self.bare.as_uri()

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd or self.bare,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def clone(self, pre_push: str = "") -> Path:
        """A fresh clone, as `actions/checkout` makes it; `pre_push` is run before each push."""
        place = self.folder / f"runner-{next(self._numbers)}"
        self.git("clone", "--quiet", "--depth=1", "--branch=main", self.url, str(place), cwd=self.folder)
        if pre_push:
            _executable(place / ".git" / "hooks" / "pre-push", pre_push)
        return place

    def start(self, place: Path, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(place / "deploy" / "github" / "watch.sh")],
            env=self.environment | {"GITHUB_STEP_SUMMARY": str(place / ".git" / "summary")} | environment,
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, place: Path | None = None, **environment: str) -> Ended:
        """A run, in a fresh clone unless told otherwise."""
        place = place or self.clone()
        process = self.start(place, **environment)
        said, _ = process.communicate(timeout=120)
        page = place / ".git" / "summary"
        return Ended(process.returncode, said, page.read_text() if page.exists() else "")

    def refuse_pushes(self, wanted: bool = True) -> None:
        hook = self.bare / "hooks" / "pre-receive"
        _executable(hook, "exit 1\n") if wanted else hook.unlink()

    def replace_program(self, script: str) -> None:
        """Have `watch287g` be a script; `$REAL` is the program."""
        real = Path(sys.executable).parent / "watch287g"
        _executable(self.folder / "bin" / "watch287g", f"REAL={real}\n{script}")

    def program_again(self) -> None:
        (self.folder / "bin" / "watch287g").unlink()

    def commits(self) -> list[str]:
        """What the branch has, the oldest first."""
        if not self.git("branch", "--list", "data"):
            return []
        return self.git("log", "--reverse", "--format=%s", "data").splitlines()

    def files(self) -> list[str]:
        return self.git("ls-tree", "-r", "--name-only", "data").splitlines()

    def ask(self, query: str) -> list[tuple[object, ...]]:
        """What the history that the branch has says."""
        place = self.folder / "asked.db"
        done = subprocess.run(["git", "show", "data:history.db"], cwd=self.bare, capture_output=True, check=True)
        place.write_bytes(done.stdout)
        with closing(sqlite3.connect(place)) as connection:
            return connection.execute(query).fetchall()

    def told(self) -> list[str]:
        """The ids of the messages that arrived, in their order."""
        return self._told.read_text().split() if self._told.exists() else []


def _executable(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}")
    path.chmod(0o755)


def kill(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=30)


@pytest.fixture(scope="module")
def running() -> Iterator[Site]:
    with local_site() as site:
        yield site


@pytest.fixture
def site(running: Site) -> Site:
    """A site that has the first list."""
    post(cleared(running), FIRST)
    return running


@pytest.fixture
def remote(site: Site, tmp_path: Path) -> Remote:
    """A remote on which nothing has run yet."""
    return Remote(tmp_path, site)


@pytest.fixture(scope="module")
def baseline(running: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare repository whose branch has the first list."""
    post(cleared(running), FIRST)
    remote = Remote(tmp_path_factory.mktemp("baseline"), running)
    assert remote.run().code == 0
    return remote.bare


@pytest.fixture
def begun(remote: Remote, baseline: Path, site: Site) -> Remote:
    """A remote whose branch has the first list, while the site has the second."""
    remote.git("fetch", "--quiet", baseline.as_uri(), "data:data")
    post(site, SECOND)
    return remote


def test_the_first_run_creates_the_branch_and_a_second_that_finds_nothing_new_commits_nothing(remote: Remote) -> None:
    first = remote.run()
    assert (first.code, remote.commits()) == (0, ["Check: first", "Alerts"]), first.said
    assert {".gitignore", "README.md", "history.db", "feeds/all.atom"} <= set(remote.files())
    assert [name for name in remote.files() if name.startswith("archive/")]
    assert not [name for name in remote.files() if "lock" in name or name.startswith(("crawl.log", "history.db-"))]
    assert remote.git("rev-list", "--count", "main..data", "--max-parents=0").strip() == "1"  # a history of its own

    second = remote.run()
    assert (second.code, len(remote.commits())) == (0, 2), second.said
    assert "unchanged" in second.summary
    assert remote.told() == []


def test_a_change_is_committed_and_told_once(begun: Remote) -> None:
    before = begun.commits()
    changed = begun.run()
    assert (changed.code, begun.commits()) == (0, [*before, "Check: changed", "Alerts"]), changed.said
    assert re.search(r"^## changed$", changed.summary, re.MULTILINE)
    assert "Polk County" in changed.summary
    (message,) = begun.told()
    assert len([name for name in begun.files() if name.startswith("reports/") and name.endswith(".json")]) == 1

    again = begun.run()
    assert (again.code, len(begun.commits()), begun.told()) == (0, len(before) + 2, [message]), again.said


def test_a_run_that_is_killed_while_it_asks_loses_nothing(begun: Remote, site: Site) -> None:
    page = site.pages[PAGE]
    site.pages[PAGE] = Answer(behaviour=Behaviour.hang)
    site.requests.clear()
    process = begun.start(begun.clone())
    assert site.wait_for(PAGE, 60)
    kill(process)
    site.pages[PAGE] = page

    before = begun.commits()
    assert begun.run().code == 0
    assert begun.commits() == [*before, "Check: changed", "Alerts"]
    assert len(begun.told()) == 1


def test_a_run_that_is_killed_before_it_sends_leaves_the_alert_to_the_next(begun: Remote) -> None:
    begun.replace_program('[ "$1" = alerts ] && kill -9 0\nexec "$REAL" "$@"\n')
    assert begun.run().code == -signal.SIGKILL
    assert begun.commits()[-1] == "Check: changed"
    assert begun.told() == []
    noted = begun.ask("select public_id from message where target like '%exec%'")

    begun.program_again()
    assert begun.run().code == 0
    assert begun.run().code == 0
    assert [(message,) for message in begun.told()] == noted


def test_a_run_that_is_killed_after_it_sends_has_the_next_repeat_that_message_and_no_other(
    begun: Remote, site: Site
) -> None:
    begun.replace_program('"$REAL" "$@"; code=$?; [ "$1" = alerts ] && kill -9 0\nexit $code\n')
    assert begun.run().code == -signal.SIGKILL
    (message,) = begun.told()

    begun.program_again()
    post(site, THIRD)  # what is new meanwhile goes out in a message of its own
    assert begun.run().code == 0
    assert begun.run().code == 0
    assert begun.told()[:2] == [message, message]
    assert len(begun.told()) == 3
    assert len(set(begun.told())) == 2


def test_where_the_branch_cannot_be_pushed_to_nothing_is_sent(begun: Remote) -> None:
    before = begun.commits()
    begun.refuse_pushes()
    refused = begun.run()
    assert refused.code == 1
    assert "::error::" in refused.said
    assert (begun.commits(), begun.told()) == (before, [])

    begun.refuse_pushes(wanted=False)
    assert begun.run().code == 0
    assert len(begun.told()) == 1


def test_where_it_could_not_be_pushed_what_was_sent_it_is_not_sent_again_each_hour(begun: Remote) -> None:
    hook = begun.bare / "hooks" / "pre-receive"
    _executable(hook, "[ -e pushed ] && exit 1\ntouch pushed\n")
    assert begun.run().code == 1
    assert len(begun.told()) == 1
    for _ in range(2):
        assert begun.run().code == 1
    assert len(begun.told()) == 1

    hook.unlink()
    assert begun.run().code == 0
    first, again = begun.told()
    assert first == again
    assert begun.run().code == 0
    assert len(begun.told()) == 2


def test_where_somebody_else_has_pushed_the_check_is_made_again_on_top(begun: Remote) -> None:
    before = begun.commits()
    raced = begun.run(begun.clone(pre_push=PUSHED_BY_SOMEBODY_ELSE))
    assert raced.code == 0, raced.said
    assert begun.commits() == [*before, "Somebody else", "Check: changed", "Alerts"]
    assert len(begun.told()) == 1


def test_a_quiet_branch_gets_a_commit_a_day(remote: Remote) -> None:
    remote.run(GIT_COMMITTER_DATE="2025-03-03T12:00:00Z")
    before = remote.commits()
    assert remote.run().code == 0
    assert remote.commits() == [*before, "Check: unchanged"]
    assert remote.run().code == 0
    assert len(remote.commits()) == len(before) + 1


def test_a_held_list_is_decided_by_a_command_that_is_run_before_the_check(begun: Remote, site: Site) -> None:
    post(site, HALF)
    held = begun.run()
    assert held.code == 0
    assert "::warning::a list is held" in held.said

    released = begun.run(WATCH287G_COMMAND="held release --why 'a person has looked; $(touch no) is no command'")
    assert released.code == 0, released.said
    assert begun.ask("select verdict from publication_log where verdict = 'held'") == []
    assert begun.ask("select count(*) from event_log where kind = 'terminated'") == [(20,)]


def test_a_command_that_fails_ends_the_run_and_changes_nothing(begun: Remote) -> None:
    before = begun.commits()
    assert begun.run(WATCH287G_COMMAND="held release --why nothing").code == 1
    assert begun.commits() == before


def test_a_check_that_fails_is_red_once_and_committed_once(begun: Remote, site: Site) -> None:
    page, before = site.pages[PAGE], begun.commits()
    site.pages[PAGE] = Answer(403, body=b"Access Denied")
    assert begun.run().code == 1
    for _ in range(2):
        again = begun.run()
        assert (again.code, "::warning::the check failed again" in again.said) == (0, True)
    assert begun.commits() == [*before, "Check: failed"]

    site.pages[PAGE] = page
    assert begun.run().code == 0
    assert begun.commits() == [*before, "Check: failed", "Check: changed", "Alerts"]


def test_a_history_that_is_not_the_branchs_is_left_alone(remote: Remote) -> None:
    place = remote.clone()
    (place / "data").mkdir()
    (place / "data" / "history.db").write_text("somebody's")
    refused = remote.run(place)
    assert (refused.code, remote.commits()) == (1, [])
    assert "in the way" in refused.said
    assert (place / "data" / "history.db").read_text() == "somebody's"


def test_where_the_branch_cannot_be_asked_for_no_history_is_begun(begun: Remote) -> None:
    place = begun.clone()
    begun.git("remote", "set-url", "origin", (begun.folder / "elsewhere.git").as_uri(), cwd=place)
    assert begun.run(place).code == 1
    assert not (place / "data").exists()


def test_the_site_is_made_of_the_history_of_the_branch_with_the_workflows_own_command(begun: Remote) -> None:
    (command,) = (
        step["run"] for step in yaml.safe_load(_published())["jobs"]["watch"]["steps"] if step.get("name") == "Site"
    )
    for _ in range(2):
        place = begun.clone()
        assert begun.run(place).code == 0
        said = subprocess.run(
            command.split(), cwd=place, env=begun.environment, capture_output=True, text=True, check=True
        )
        assert "written" in said.stderr + said.stdout
        assert (place / "public" / "index.html").exists()
        assert (place / "public" / "feeds" / "all.atom").exists()
    assert "public" not in begun.files()


def test_the_script_has_no_fault_that_bash_or_shellcheck_know() -> None:
    subprocess.run(["bash", "-n", str(SCRIPT)], check=True)
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    subprocess.run(["shellcheck", str(SCRIPT)], check=True)


def _published() -> str:
    """The workflow with the part that publishes the site, which is commented out."""
    text = WORKFLOW.read_text(encoding="utf-8")
    before, marker, after = text.partition("      # - name: Site")
    return before + re.sub(r"^(\s*)# ", r"\1", marker + after, flags=re.MULTILINE)


@pytest.mark.parametrize("published", [False, True])
def test_the_workflow_is_of_the_form_that_github_reads(tmp_path: Path, published: bool) -> None:
    pytest.importorskip("check_jsonschema", reason="check-jsonschema is not installed")
    file = tmp_path / "watch.yml"
    file.write_text(_published() if published else WORKFLOW.read_text(encoding="utf-8"), encoding="utf-8")
    assert ("publish" in yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"]) is published
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_workflow_may_do_no_more_than_it_must() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    job = workflow["jobs"]["watch"]
    assert workflow["permissions"] == {}
    assert job["permissions"] == {"contents": "write"}
    assert workflow["concurrency"] == {"group": "watch287g", "cancel-in-progress": False}
    (schedule,) = workflow[True]["schedule"]  # YAML takes `on` for a truth value
    assert schedule["cron"].split()[0] not in ("0", "*")
    for step in yaml.safe_load(_published())["jobs"].values():
        for one in step["steps"]:
            assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", one.get("uses", "actions/x@" + "0" * 40))
    assert [step["run"] for step in job["steps"] if "run" in step] == [
        "deploy/github/watch.sh install",
        "deploy/github/watch.sh",
    ]
    assert SCRIPT.stat().st_mode & 0o111


def test_the_workflow_passes_on_every_secret_that_the_config_shows() -> None:
    shown = set(re.findall(r"\$\{([A-Z_]+)\}", (GITHUB.parents[1] / "config.yaml").read_text(encoding="utf-8")))
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    passed = {name for step in workflow["jobs"]["watch"]["steps"] for name in step.get("env", {})}
    assert shown - {"NAME", "HEARTBEAT"} <= passed, json.dumps(sorted(shown))
