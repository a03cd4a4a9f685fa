# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # root is set by ./dev
# ./dev run [--smoke] [--fresh]

sextantd=build/release/server/sextantd
sextant=build/release/clients/cli/sextant
server_pid=''
run_folder=''
run_remove=''

# The demo's first search.
first_search=(search packages --vector-file demo/queries.npy
  --query-text-file demo/queries.txt --query 'edit photos'
  --fields 'name,section,description' --limit 5)

dev_run() {
  local smoke='' fresh='' option
  for option in "$@"; do
    case $option in
      --smoke) smoke=yes ;;
      --fresh) fresh=yes ;;
      *) die "run: unknown option '$option' (./dev help)" ;;
    esac
  done
  install_packages build
  step "Building the server and its command line (some minutes the first time)"
  configure release
  build release sextantd sextant

  run_folder=build/run
  if [ -n "$smoke" ]; then
    run_folder=build/run-smoke.$$
    run_remove=yes
  elif [ -n "$fresh" ]; then
    rm -rf build/run
  fi
  mkdir -p "$run_folder"
  # However this script ends, the server ends with it, cleanly.
  trap 'stop_server; exit 130' INT
  trap 'stop_server; exit 143' TERM HUP
  trap stop_server EXIT

  start_server
  load_demo
  step "A first search: the packages nearest to \"edit photos\""
  "$sextant" "${server_option[@]}" "${first_search[@]}" ||
    die "run: the search failed"
  if [ -n "$smoke" ]; then
    stop_server || die "run: the server did not stop cleanly"
    say
    say "smoke: passed"
    return 0
  fi
  how_to_go_on
  # Ends with the server, or with Ctrl-C.
  wait "$server_pid" || true
  local pid=$server_pid
  server_pid=''
  die "run: the server ($pid) ended by itself; see $run_folder/sextantd.log"
}

port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Sets grpc_port and http_port.
choose_ports() {
  for grpc_port in 6350 6360 6370 6380 6390 6400 6410 6420; do
    http_port=$((grpc_port + 1))
    if ! port_taken "$grpc_port" && ! port_taken "$http_port"; then
      [ "$grpc_port" = 6350 ] || say "Port 6350 or 6351 is taken; using \
$grpc_port and $http_port instead."
      return 0
    fi
  done
  die "run: no free pair of ports from 6350 to 6421"
}

start_server() {
  choose_ports
  local address=127.0.0.1:$grpc_port
  server_option=()
  [ "$grpc_port" = 6350 ] || server_option=(--server "$address")
  step "Starting sextantd on $address (log: $run_folder/sextantd.log)"
  # A session of its own: Ctrl-C reaches this script, which then stops the
  # server once, in order.
  setsid "$sextantd" --grpc.listen "$address" \
    --http.listen "127.0.0.1:$http_port" \
    --storage.data_dir "$run_folder/data" \
    >"$run_folder/sextantd.log" 2>&1 </dev/null &
  server_pid=$!
  local waited
  for ((waited = 0; waited < 600; waited++)); do
    if "$sextantd" healthcheck --address "$address" 2>/dev/null; then
      say "sextantd is serving"
      return 0
    fi
    if ! kill -0 "$server_pid" 2>/dev/null; then
      server_pid=''
      tail -n 20 "$run_folder/sextantd.log" >&2
      die "run: sextantd ended at start"
    fi
    sleep 0.1
  done
  tail -n 20 "$run_folder/sextantd.log" >&2
  die "run: sextantd does not serve after a minute"
}

# Nothing to do when an earlier run left the whole collection.
load_demo() {
  step "Loading the demo collection: 4,000 Debian packages"
  local wanted found
  wanted=$(wc -l <demo/packages.jsonl)
  if "$sextant" "${server_option[@]}" collection get packages \
    >/dev/null 2>"$run_folder/get.log"; then
    found=$("$sextant" "${server_option[@]}" --output json count packages) ||
      die "run: the demo collection cannot be counted"
    if [[ $found == *"\"count\":$wanted,"* ]]; then
      say "already there (./dev run --fresh starts again)"
      return 0
    fi
  else
    "$sextant" "${server_option[@]}" collection create packages \
      --dimension 512 --metric cosine \
      --payload-field section:keyword --payload-field tags:keyword \
      --payload-field size:integer:window \
      --payload-field installed_kb:integer --payload-field depends:integer \
      --text-field name --text-field description:english ||
      die "run: no collection"
  fi
  "$sextant" "${server_option[@]}" import packages demo/packages.jsonl \
    --vectors demo/packages.npy || die "run: the import failed"
}

how_to_go_on() {
  local cli="$sextant${server_option[*]:+ ${server_option[*]}}"
  cat <<TEXT

sextantd serves until you press Ctrl-C. In another terminal, in $root:

  $cli search packages --id 42 --fields name,description
      what is like package 42?
  $cli search --list-queries --query-text-file demo/queries.txt
      220 example queries for --query
  $cli search packages --id 42 --fields name,section,size \\
      --filter 'section in ("graphics", "video") and size < 1_000_000'
      the same among some packages
  $cli search packages --text 'photo editor -video' --fields name,description
      by words
  $cli search packages --text 'edit photos' --vector-query 42 --fusion rrf --explain
      by words and by what is like package 42, and why
  $cli collection list
  $cli --help
  curl http://127.0.0.1:$http_port/metrics

The data stays in $run_folder; './dev run --fresh' forgets it.
TEXT
}

# SIGTERM, then wait for the drain and the final sync.
stop_server() {
  trap - EXIT
  local status=0
  if [ -n "$server_pid" ]; then
    say
    say "Stopping sextantd"
    kill -TERM "$server_pid" 2>/dev/null || true
    wait "$server_pid" || status=$?
    server_pid=''
    if [ "$status" -ne 0 ]; then
      tail -n 20 "$run_folder/sextantd.log" >&2
      say "sextantd ended with exit code $status" >&2
    fi
  fi
  if [ -n "$run_remove" ] && [ "$status" -eq 0 ]; then
    rm -rf "$run_folder"
  fi
  return "$status"
}
