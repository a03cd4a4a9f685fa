# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # root is set by ./dev
# ./dev build [PRESET] [TARGET...]

dev_build() {
  local preset=release
  if [ $# -gt 0 ] && is_preset "$1"; then
    preset=$1
    shift
  fi
  case ${1:-} in -*) die "build: unknown option '$1'" ;; esac
  # shellcheck disable=SC2046
  install_packages $(needs_for "$preset")
  step "Building $preset"
  configure "$preset"
  if [ $# -eq 0 ]; then
    set -- all
  fi
  build "$preset" "$@"
}
