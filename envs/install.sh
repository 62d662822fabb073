#!/bin/sh
# Make .venv with exactly the packages of envs/lock.txt and this clone installed editable; say in one line what is wrong.
set -u
PYTHON=${PYTHON:-python3}
LOG=.venv-install.log
NEEDED_GB=${TRIPTYCH_DISK_GB:-8}  # Linux takes torch with CUDA unless a CPU index is configured; the CPU build needs 3

fail() {
    echo "triptych: $1" >&2
    exit 1
}

command -v "$PYTHON" >/dev/null 2>&1 || fail "no $PYTHON found; install Python 3.11 or newer, or say which: make PYTHON=python3.12"
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$("$PYTHON" --version) is too old; Triptych needs 3.11 or newer: make PYTHON=python3.11"
"$PYTHON" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "this Python has no venv module; on Debian and Ubuntu: apt install python3-venv"
free=$("$PYTHON" -c 'import shutil; print(shutil.disk_usage(".").free // 10**9)')
[ "$free" -ge "$NEEDED_GB" ] || fail "only $free GB free here, $NEEDED_GB GB are needed (TRIPTYCH_DISK_GB=3 is enough for a CPU build of torch)"

echo "triptych: making the environment in .venv (once; a few minutes)"
[ -x .venv/bin/python ] || "$PYTHON" -m venv .venv >"$LOG" 2>&1 || fail "could not make .venv; see $LOG"
if ! .venv/bin/python -m pip install --disable-pip-version-check --retries 2 --constraint envs/lock.txt --editable '.[dev]' >"$LOG" 2>&1; then
    if grep -qi 'no space left' "$LOG"; then fail "the disk is full; free some space and run make again (details: $LOG)"; fi
    if grep -qiE 'NewConnectionError|Temporary failure in name resolution|ConnectTimeout|Connection refused|Could not find a version' "$LOG"; then
        fail "the package index cannot be reached or lacks a pinned package; check network, proxy and pip settings (details: $LOG)"
    fi
    fail "the installation failed; the last line: $(tail -n 1 "$LOG") (details: $LOG)"
fi
packages=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])')
cp envs/triptych_start.py "$packages" && echo 'import triptych_start' >"$packages/triptych_start.pth"
rm -f "$LOG"
touch .venv/.ok
