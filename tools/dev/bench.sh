# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # root is set by ./dev
# ./dev bench NAME [OPTIONS]: builds bench/NAME_bench in release and runs it.

dev_bench() {
  case ${1:-} in
    '' | -*) die "bench: which one? $(bench_names)" ;;
  esac
  local name=$1
  shift
  install_packages build bench >&2
  # Standard output is the benchmark's alone, so that --json can be piped.
  {
    step "Building $name"
    configure release
    has_target release "${name}_bench" ||
      die "bench: no benchmark '$name'; there are: $(bench_names)"
    build release "${name}_bench"
  } >&2
  exec "build/release/bench/${name}_bench" "$@"
}

bench_names() {
  cmake --build build/release --target help 2>/dev/null |
    sed -n 's/^\([a-z_]*\)_bench:.*/\1/p' | tr '\n' ' '
}
