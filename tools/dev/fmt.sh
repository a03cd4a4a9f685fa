# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # root is set by ./dev
# ./dev fmt, and the list of our C++ files.

# Our C++ files, NUL-terminated; with an argument only below those folders.
cxx_files() {
  local folder
  for folder in base storage index filters ranking engine server clients \
    tests bench; do
    [ ! -d "$folder" ] || find "$folder" -name node_modules -prune -o \
      \( -name '*.cc' -o -name '*.h' \) -type f -print0
  done
}

dev_fmt() {
  install_packages check
  cxx_files | xargs -0 -r clang-format-14 -i
  say "fmt: done"
}
