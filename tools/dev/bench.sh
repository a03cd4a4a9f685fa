# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # root is set by ./dev
# ./dev bench NAME [OPTIONS]: builds bench/NAME_bench in release and runs it.
# ./dev bench all: every figure and plot of docs/benchmarks.md.

dev_bench() {
  case ${1:-} in
    '' | -*) die "bench: which one? $(bench_names)" ;;
  esac
  local name=$1
  shift
  if [ "$name" = all ]; then
    bench_all "$@"
    return
  fi
  build_bench "$name"
  exec "build/release/bench/${name}_bench" "$@"
}

build_bench() {
  local name=$1
  install_packages build bench >&2
  # Standard output is the benchmark's alone, so that --json can be piped.
  {
    step "Building $name"
    configure release
    has_target release "${name}_bench" ||
      die "bench: no benchmark '$name'; there are: $(bench_names)"
    build release "${name}_bench"
  } >&2
}

# Measures everything, one program after the other, and writes the page.
# SEXTANT_BENCH_WRAP, if set, is a command in front of each program, such as one
# that waits until the machine is idle.
bench_all() {
  local data=../shared/data results=build/bench-results cache=build/bench-cache
  local quick=()
  while [ $# -gt 0 ]; do
    case $1 in
      --quick) quick=(--quick) ;;
      --data | --cache)
        [ $# -ge 2 ] || die "bench all: $1 needs a folder"
        if [ "$1" = --data ]; then data=$2; else cache=$2; fi
        shift
        ;;
      *) die "bench all: unknown option '$1'; there are --quick, --data DIR (holds glove-100d and debian-packages), --cache DIR" ;;
    esac
    shift
  done
  build_bench ann
  build_bench server
  build_bench churn
  build_bench window
  build_bench text
  mkdir -p "$results"
  local programs=build/release/bench plots=docs/images set
  local wrap=()
  read -ra wrap <<<"${SEXTANT_BENCH_WRAP:-}"
  local common=(--cache "$cache" "${quick[@]}" --plot "$plots" --json)
  local peers=(hnswlib faiss_hnsw faiss_hnsw_sq8)
  for set in "$data/glove-100d" "$data/debian-packages" synthetic; do
    step "bench ann: ${set##*/}"
    "${wrap[@]}" "$programs/ann_bench" --data "$set" \
      --engines engine engine_mapped "${peers[@]}" "${common[@]}" \
      "$results/ann-${set##*/}.json"
  done
  step "bench window"
  "${wrap[@]}" "$programs/window_bench" --glove "$data/glove-100d" \
    --debian "$data/debian-packages" "${common[@]}" "$results/windows.json"
  step "bench text"
  "${wrap[@]}" "$programs/text_bench" --data "$data/debian-packages" \
    "${common[@]}" "$results/text.json"
  step "bench server"
  for set in "$data/glove-100d" synthetic; do
    "${wrap[@]}" "$programs/server_bench" --data "$set" \
      --parts ingest restart "${common[@]}" \
      "$results/server-disk-${set##*/}.json"
  done
  "${wrap[@]}" "$programs/server_bench" --data "$data/glove-100d" \
    --parts search "${common[@]}" "$results/server-search.json"
  step "bench churn"
  "${wrap[@]}" "$programs/churn_bench" --data "$data/glove-100d" \
    --rows 20000 --json "$results/churn-glove-100d.json"
  bench/report.py "$results" docs/benchmarks.md
  step "docs/benchmarks.md and $plots are written"
}

bench_names() {
  cmake --build build/release --target help 2>/dev/null |
    sed -n 's/^\([a-z_]*\)_bench:.*/\1/p' | tr '\n' ' '
}
