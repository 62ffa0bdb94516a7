#!/bin/sh
# Everything an image (or a clean Debian) needs to run the workbench in /srv/workbench. Run as root from the project's folder.
# Usage: docker/install.sh TARGET
set -eu
target=${1:?the folder that the workbench is installed into}
here=$(cd "$(dirname "$0")/.." && pwd)

if ! command -v python3.11 >/dev/null; then
    apt-get update
    apt-get install -y --no-install-recommends python3 python3-venv
fi
id workbench >/dev/null 2>&1 || useradd --system --create-home --home-dir /var/lib/workbench --groups dialout workbench

mkdir -p "$target"
[ "$here" = "$target" ] || cp -a "$here/manage.py" "$here/pyproject.toml" "$here/requirements" "$here/workbench" "$here/meters" \
    "$here/sessions" "$here/templates" "$here/static" "$target/"
"$(command -v python3.11)" -m venv "$target/.venv"
"$target/.venv/bin/pip" install --quiet --no-cache-dir --disable-pip-version-check --require-hashes -r "$target/requirements/run.txt"

# Static files are collected once, hashed and compressed. The key is for this step alone: nothing of it is kept.
cd "$target"
WORKBENCH_SECRET_KEY=collectstatic WORKBENCH_COLLECTED=1 WORKBENCH_STATIC_ROOT="$target/collected" \
    .venv/bin/python manage.py collectstatic --noinput --verbosity 0
install -d -o workbench -g workbench -m 0700 /var/lib/workbench
