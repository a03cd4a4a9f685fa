# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # root is set by ./dev
# ./dev fuzz [TARGET] [--seconds N]

dev_fuzz() {
  local seconds=30 only=''
  while [ $# -gt 0 ]; do
    case $1 in
      --seconds) seconds=${2:?--seconds needs a number} && shift 2 ;;
      -*) die "fuzz: unknown option '$1'" ;;
      *) only=$1 && shift ;;
    esac
  done
  install_packages build check
  configure fuzz
  # One line a target: name, program, corpus in the tree (may be empty).
  local list=build/fuzz/fuzz_targets.txt name program corpus ran=0
  [ -s "$list" ] || die "fuzz: there are no fuzz targets yet"
  while IFS='|' read -r name program corpus <&3; do
    [ -z "$only" ] || [ "$only" = "$name" ] || continue
    build fuzz "$name"
    step "Fuzzing $name for $seconds s"
    # New inputs are collected outside the tree.
    mkdir -p "build/fuzz/corpus/$name"
    "$program" -max_total_time="$seconds" -print_final_stats=1 -timeout=10 \
      -artifact_prefix="build/fuzz/$name-" "build/fuzz/corpus/$name" \
      ${corpus:+"$corpus"} || die "fuzz: $name failed; the input is in \
build/fuzz/$name-*"
    ran=$((ran + 1))
  done 3<"$list"
  [ "$ran" -gt 0 ] || die "fuzz: no target '$only'; there are: \
$(cut -d'|' -f1 "$list" | tr '\n' ' ')"
  say "fuzz: $ran target(s) ran clean"
}
