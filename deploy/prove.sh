#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Proves deploy/Dockerfile where no Docker engine runs: reads it line by line,
# runs each instruction in a fresh Debian 12 root (debootstrap), then starts the
# result as the image's user with a read-only root and one writable volume, and
# lets Debian's Prometheus scrape it with deploy/prometheus.yml.
#
#   sudo deploy/prove.sh [WORK_FOLDER]    (default: a temporary one)
#
# WORK_FOLDER keeps the bare Debian root for the next time.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
repository=$PWD

die() {
  printf 'prove: %s\n' "$*" >&2
  exit 1
}
step() { printf '\n==> %s\n' "$*"; }

[ "$(id -u)" -eq 0 ] || die "needs root (chroot, mount)"
for tool in debootstrap prometheus python3 unshare; do
  command -v "$tool" >/dev/null || die "needs $tool: apt-get install $tool"
done

work=${1:-}
if [ -z "$work" ]; then
  work=$(mktemp -d /var/tmp/sextant-prove.XXXXXX)
  remove_work=yes
fi
mkdir -p "$work"
work=$(cd "$work" && pwd -P)

pids=()
# shellcheck disable=SC2317 # called by the trap
clean_up() {
  local pid
  for pid in "${pids[@]}"; do
    kill -9 "$pid" 2>/dev/null || true
  done
  rm -rf --one-file-system "$work"/stage.* "$work/volume" "$work/prometheus"
  [ -z "${remove_work:-}" ] || rm -rf --one-file-system "$work"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# --- the Dockerfile, interpreted -------------------------------------------

root=''         # root of the current stage
directory=/     # WORKDIR
user=root       # USER
environment=()  # ENV
volume=''
healthcheck=()
entrypoint=()
declare -A stages=()

# in_root COMMAND...: as root in the current stage, with ENV and WORKDIR. In
# namespaces of its own, so that nothing stays mounted or running.
in_root() {
  # shellcheck disable=SC2016 # expanded by the inner shell
  unshare --mount --pid --fork --kill-child sh -euc '
    root=$1 directory=$2
    shift 2
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    exec chroot "$root" env -i \
      PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
      HOME=/root "http_proxy=${http_proxy:-}" \
      sh -euc "cd \"\$1\"; shift; exec env \"\$@\"" sh "$directory" "$@"
  ' sh "$root" "$directory" "${environment[@]}" "$@"
}

from() {
  [ "$1" = debian:12 ] || die "FROM $1: only debian:12 is known"
  if [ ! -d "$work/debian" ]; then
    step "debootstrap bookworm"
    debootstrap --variant=minbase bookworm "$work/debian.new" >/dev/null
    mv "$work/debian.new" "$work/debian"
  fi
  root=$work/stage.${#stages[@]}
  stages[${3:-last}]=$root
  rm -rf --one-file-system "$root"
  cp -a "$work/debian" "$root"
  directory=/
  user=root
  environment=()
}

in_stage_path() {
  case $1 in
    /*) printf '%s%s' "$root" "$1" ;;
    *) printf '%s%s/%s' "$root" "$directory" "$1" ;;
  esac
}

# What Dockerfile.dockerignore names, as options of tar.
mapfile -t ignored < <(
  sed -n 's|^\*\*/\(.*\)|--no-anchored\n--exclude=\1|p
          t
          s|^\([^#].*\)|--anchored\n--exclude=./\1|p' \
    deploy/Dockerfile.dockerignore
)

copy() {
  local source_root=$repository target
  case $1 in
    --from=*) source_root=${stages[${1#--from=}]} && shift ;;
  esac
  [ $# -eq 2 ] || die "COPY with $# arguments"
  target=$(in_stage_path "$2")
  if [ "$1" = . ]; then
    mkdir -p "$target"
    tar -C "$source_root" "${ignored[@]}" -cf - . |
      tar -C "$target" --no-same-owner -xf -
  else
    mkdir -p "$(dirname -- "$target")"
    cp -a --no-preserve=ownership "$source_root/$1" "$target"
  fi
}

# json_list NAME TEXT: the strings of a JSON array into the array NAME.
json_list() {
  mapfile -t "$1" < <(python3 -c 'import json, sys
print("\n".join(json.loads(sys.argv[1])))' "$2")
}

instruction() {
  local name=$1 rest=$2 words
  step "$name $rest"
  read -ra words <<<"$rest"
  case $name in
    FROM) from "${words[@]}" ;;
    COPY) copy "${words[@]}" ;;
    RUN) in_root sh -euc "$rest" ;;
    ENV) environment+=("$rest") ;;
    WORKDIR) directory=$rest && mkdir -p "$root$rest" ;;
    USER) user=$rest ;;
    VOLUME) volume=$rest ;;
    EXPOSE) ;;
    HEALTHCHECK) json_list healthcheck "${rest#*CMD }" ;;
    ENTRYPOINT) json_list entrypoint "$rest" ;;
    *) die "unknown instruction $name" ;;
  esac
}

while IFS= read -r line; do
  case $line in
    '' | '#'*) ;;
    *) instruction "${line%% *}" "${line#* }" ;;
  esac
done <deploy/Dockerfile

# --- the container, near enough --------------------------------------------

# A new volume takes the content and the owner of the image's folder.
cp -a "$root$volume" "$work/volume"

# contained COMMAND...: as the image's user, no capabilities, the root file
# system read-only, the volume writable, an own /tmp-less file tree.
contained() {
  # shellcheck disable=SC2016 # expanded by the inner shell
  exec unshare --mount sh -euc '
    root=$1 volume=$2 storage=$3 user=$4
    shift 4
    mount --bind "$root" "$root"
    mount --bind "$storage" "$root$volume"
    mount -t proc proc "$root/proc"
    mount --bind /dev "$root/dev"
    mount -o remount,bind,ro "$root"
    exec chroot "$root" env -i PATH=/usr/local/bin:/usr/bin:/bin \
      setpriv --reuid="$user" --regid="$user" --clear-groups \
      --bounding-set=-all --inh-caps=-all --no-new-privs \
      sh -euc "cd \"\$1\"; shift; exec env \"\$@\"" sh "$volume" "$@"
  ' sh "$root" "$volume" "$work/volume" "$user" "${environment[@]}" "$@"
}

wait_for() {
  local what=$1 tries
  shift
  for ((tries = 0; tries < 300; tries++)); do
    if "$@" >/dev/null 2>&1; then
      return 0
    fi
    sleep 0.2
  done
  tail -n 30 "$work"/*.log >&2
  die "waited a minute for: $what"
}

start_server() {
  (contained "${entrypoint[@]}") >"$work/server.log" 2>&1 &
  server=$!
  pids+=("$server")
  wait_for "HEALTHCHECK ${healthcheck[*]}" run_contained "${healthcheck[@]}"
}
run_contained() { (contained "$@"); }

stop_server() {
  kill -TERM "$server"
  wait "$server" || die "sextantd ended with exit code $? on SIGTERM"
}

step "Starting the result as '$user'"
start_server
owner=$(ps -o user:32= -p "$server" | tr -d ' ')
uid=$(awk '/^Uid:/ {print $2}' "/proc/$server/status")
caps=$(awk '/^CapEff:/ {print $2}' "/proc/$server/status")
[ "$uid" -ne 0 ] || die "the server runs as root"
[ "$caps" = 0000000000000000 ] || die "the server has capabilities: $caps"
echo "runs as uid $uid ($owner on this machine), without capabilities"
if run_contained touch /usr/local/bin/x 2>/dev/null; then
  die "the root file system can be written"
fi
echo "its root file system is read-only"

step "Writing, searching, restarting"
run_contained sextant collection create proof --dimension 2 --metric cosine
printf '{"id": %d, "vector": [%d, 1]}\n' 1 0 2 5 3 9 >"$work/volume/points.jsonl"
chmod a+r "$work/volume/points.jsonl"
run_contained sextant import proof points.jsonl
run_contained sextant search proof --id 3 --limit 2
stop_server
echo "SIGTERM: exit code 0"
start_server
count=$(run_contained sextant --output json count proof)
echo "after the restart: $count"
[[ $count == *3* ]] || die "points are missing after the restart"

step "Scraping with Prometheus"
metrics=127.0.0.1:6351
sed "s/sextant:6351/$metrics/; s/scrape_interval: .*/scrape_interval: 1s/" \
  deploy/prometheus.yml >"$work/prometheus.yml"
prometheus --config.file="$work/prometheus.yml" \
  --storage.tsdb.path="$work/prometheus" \
  --web.listen-address=127.0.0.1:19090 >"$work/prometheus.log" 2>&1 &
pids+=($!)

# scraped QUERY: the query's first value, if there is one.
scraped() {
  python3 - "$1" <<'PY'
import json, sys, urllib.parse, urllib.request
url = ("http://127.0.0.1:19090/api/v1/query?" +
       urllib.parse.urlencode({"query": sys.argv[1]}))
result = json.load(urllib.request.urlopen(url, timeout=5))["data"]["result"]
if not result:
    sys.exit(1)
print(sys.argv[1], "=", result[0]["value"][1])
PY
}
wait_for "a scrape" scraped 'up{job="sextant"} == 1'
scraped 'up{job="sextant"}'
wait_for "metrics" scraped 'count({__name__=~"sextant_.*"})'
scraped 'count({__name__=~"sextant_.*"})'
stop_server

printf '\nprove: passed\n'
