# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # root is set by ./dev
# ./dev test [--label L]... [--preset P] [-R REGEX]

dev_test() {
  local preset=release regex='' labels=()
  while [ $# -gt 0 ]; do
    case $1 in
      --label | -L) labels+=("${2:?--label needs a name}") && shift 2 ;;
      --preset) preset=${2:?--preset needs a name} && shift 2 ;;
      -R) regex=${2:?-R needs a regular expression} && shift 2 ;;
      *) die "test: unknown option '$1' (./dev help)" ;;
    esac
  done
  is_preset "$preset" || die "test: no preset '$preset'; there are: \
$(preset_names)"
  # Only a part of the code can be judged by ThreadSanitizer: Debian's gRPC,
  # RocksDB and Abseil are not built for it.
  if [ "$preset" = tsan ] && [ ${#labels[@]} -eq 0 ]; then
    labels=(tsan)
  fi
  # shellcheck disable=SC2046
  install_packages $(needs_for "$preset")

  step "Building the tests ($preset)"
  configure "$preset"
  local targets=() selection=() label
  for label in "${labels[@]}"; do
    has_target "$preset" "tests-$label" ||
      die "test: no label '$label'; there are: $(labels_of "$preset")"
    targets+=("tests-$label")
  done
  [ ${#targets[@]} -gt 0 ] || targets=(tests)
  build "$preset" "${targets[@]}"

  step "Testing"
  if [ ${#labels[@]} -gt 0 ]; then
    selection+=(-L "^($(
      IFS='|'
      printf '%s' "${labels[*]}"
    ))\$")
  fi
  [ -z "$regex" ] || selection+=(-R "$regex")
  ctest --preset "$preset" --parallel 2 "${selection[@]}"
}

labels_of() {
  cmake --build "build/$1" --target help |
    sed -n 's/^tests-\([a-z_]*\):.*/\1/p' | tr '\n' ' '
}
