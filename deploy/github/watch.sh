#!/usr/bin/env bash
# One check of ICE's page on a machine that keeps nothing: what is known comes from a branch, and goes back to it.
#
#   deploy/github/watch.sh install    install the program: what WATCH287G names, else this checkout
#   deploy/github/watch.sh            make a check
#
# Run in a checkout whose `origin` has the branch and may be pushed to. The branch is checked out in data/, where
# config.yaml keeps the history unless told otherwise, and only ever gets commits on top of what it has.
#
# Note, push, send, push. What a check finds, and the messages that tell it, are on the branch before any of them is
# sent: none is lost where a run dies, and where the branch cannot be pushed to, nothing is sent, so that nobody hears
# the same thing every hour. What was sent is pushed after that. A run that dies in between leaves messages that the
# next one sends again, under the same ids.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

BRANCH=${WATCH287G_BRANCH:-data}
PUSH_WAITS=${WATCH287G_PUSH_WAITS:-5 20 60}  # seconds between one attempt to push and the next
A_DAY=72000                                  # without news the branch gets a commit a day, more or less
TOO_LARGE=80000000                           # GitHub takes no file of 100 MB
MOVED=9                                      # how `keep` ends where somebody else has pushed

said=$(mktemp)
trap 'rm -f "$said"' EXIT

state() { python deploy/github/state.py "$@"; }
warn() { echo "::warning::$*"; }
die() {
  echo "::error::$*"
  exit 1
}

install_program() {
  local constraints=()
  [[ ! -e constraints.txt ]] || constraints=(--constraint constraints.txt)
  python -m pip install --quiet --disable-pip-version-check "${constraints[@]}" "${WATCH287G:-.}"
}

# data/ as the branch has it, or empty where there is no such branch yet.
restore() {
  local code=0
  [[ ! -e data || -f data/.git ]] || die "data/ is in the way: it does not come from the branch $BRANCH"
  rm -rf data
  git worktree prune
  git ls-remote --exit-code origin "refs/heads/$BRANCH" > "$said" || code=$?
  case $code in
    0)
      git fetch --quiet --no-tags --depth=1 origin "refs/heads/$BRANCH" || die "the branch $BRANCH cannot be fetched"
      git worktree add --quiet --detach data FETCH_HEAD || die "the branch $BRANCH cannot be checked out"
      ;;
    2) begin || die "the branch $BRANCH cannot be begun" ;;
    *) die "the branch $BRANCH cannot be asked for" ;;
  esac
}

begin() {
  git worktree add --quiet --detach --no-checkout data HEAD &&
    git -C data checkout --quiet --orphan "watch287g-begin-$$" &&
    git -C data rm -r --quiet --cached --ignore-unmatch . &&
    printf '/%s\n' 'history.db-*' 'history.db.*' 'crawl.log*' 'backups/' > data/.gitignore &&
    cat > data/README.md << 'END'
# A history of ICE's 287(g) lists

`history.db` (SQLite) and `archive/`, every workbook under its SHA-256, as `watch287g` keeps them. A workflow commits
here after each check that found something, and once a day; nothing is ever removed.
END
}

base() { git -C data rev-parse --quiet --verify HEAD || true; }

# Commit data/ and push it. Ends with MOVED where somebody else has pushed, with 1 where it cannot be pushed.
keep() {
  local parent tip there wait
  parent=$(base)
  state compact && git -C data add --all &&
    git -C data -c user.name='github-actions[bot]' \
      -c user.email='41898282+github-actions[bot]@users.noreply.github.com' \
      commit --quiet --allow-empty --message "$1" || return 1
  tip=$(base)
  for wait in 0 $PUSH_WAITS; do
    sleep "$wait"
    # From the checkout itself, where the token is; and never by force.
    if git push --quiet origin "$tip:refs/heads/$BRANCH"; then return 0; fi
    there=$(git ls-remote origin "refs/heads/$BRANCH") || continue
    there=${there%%[[:space:]]*}
    [[ $there != "$tip" ]] || return 0
    [[ $there == "$parent" ]] || return $MOVED
  done
  return 1
}

# Is there anything in data/ that is worth a commit? $1 is the fingerprint of what the branch has.
news() {
  [[ $(state fingerprint) != "$1" || -n $(git -C data status --porcelain -- . ':(exclude)history.db') ]]
}

is_old() { (($(date +%s) - $(git -C data log -1 --format=%ct) > A_DAY)); }

# A check, and what it notes on the branch; ends as `keep` does. Leaves in `code` how the check ended, in `ready` whether
# the messages are put together.
check() {
  local known
  restore
  known=$(state fingerprint)
  if [[ -n ${WATCH287G_COMMAND:-} ]]; then
    xargs watch287g <<< "$WATCH287G_COMMAND" || die "watch287g $WATCH287G_COMMAND: nothing was kept"
  fi
  code=0 ready=yes
  watch287g check --no-send > "$said" 2>&1 || code=$?
  quote
  [[ -e data/history.db ]] || die "the check has made no history"
  state prepare || ready=no
  if [[ -z $(base) ]] || news "$known" || [[ $(state due) != 0 ]] || is_old; then
    keep "Check: $(state outcome)"
  fi
}

send() {
  local pushed
  pushed=$(state fingerprint)
  watch287g alerts send > "$said" 2>&1 || warn "not every alert could be sent; what was put off is tried again"
  quote
  if news "$pushed"; then
    keep "Alerts" || die "it could not be noted what was sent: the next run sends it again, under the same ids"
  fi
}

# Print what others wrote, and let the runner take no line of it for a command.
quote() {
  local token
  token=$(od -A n -N 16 -t x1 /dev/urandom | tr -d ' \n')
  echo "::stop-commands::$token"
  cat "$said"
  echo "::$token::"
}

# The report of the day, where something has changed, for the page of the run.
summarize() {
  echo "## $(state outcome)"
  echo
  sed 's/^/    /' "$1"
  echo
  if [[ $code == 3 ]]; then watch287g report --since today --format markdown || true; fi
}

main() {
  local kept attempt told
  for attempt in 1 2 3; do
    kept=0
    check || kept=$?
    [[ $kept == "$MOVED" && $attempt != 3 ]] || break
  done
  [[ $kept == 0 ]] || die "the branch $BRANCH cannot be pushed to: nothing was sent, the next run begins where this one did"
  if [[ -n ${GITHUB_STEP_SUMMARY:-} ]]; then summarize "$said" >> "$GITHUB_STEP_SUMMARY"; fi
  (($(wc -c < data/history.db) < TOO_LARGE)) || warn "history.db will soon be too large for GitHub: move to a server"
  told=$(state outcome)
  [[ $ready == no ]] || send
  case $code in
    0 | 3) ;;
    4) warn "a list is held: run this workflow by hand with a command, \`held release --why ...\` or \`held reject --why ...\`" ;;
    1)
      [[ $told == failed-again ]] || exit 1
      warn "the check failed again"
      ;;
    *) exit "$code" ;;
  esac
  [[ $ready == yes ]] || die "the messages could not be put together, and nothing was sent"
}

case ${1:-check} in
  install) install_program ;;
  check) main ;;
  *) die "usage: deploy/github/watch.sh [install]" ;;
esac
