# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # root is set by ./dev
# Sourced by ./dev: messages, packages, builds. The working directory is the
# repository root.

say() { printf '%s\n' "$*"; }
step() { printf '\n==> %s\n' "$*"; }
die() {
  printf 'dev: %s\n' "$*" >&2
  exit 1
}

# packages_of SECTION...: the package names of those sections.
packages_of() {
  local wanted=" $* " section='' line
  while IFS= read -r line; do
    line=${line%%#*}
    line=${line//[[:space:]]/}
    case $line in
      '') ;;
      '['*']') section=${line:1:-1} ;;
      *) case $wanted in *" $section "*) printf '%s\n' "$line" ;; esac ;;
    esac
  done <tools/packages.txt
}

# missing_packages SECTION...: those that dpkg does not know as installed.
missing_packages() {
  local package
  for package in $(packages_of "$@"); do
    case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
      *installed*) ;;
      *) printf '%s ' "$package" ;;
    esac
  done
}

# install_packages SECTION...: no network and no root where nothing is missing.
install_packages() {
  command -v dpkg-query >/dev/null ||
    die "this needs Debian 12 packages (tools/packages.txt); no dpkg here"
  local missing sudo=''
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  step "Installing packages: $missing"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "packages are missing and there is no \
sudo; as root, run: apt-get install $missing"
    sudo='sudo'
  fi
  # Without a network the lists on the machine may still do.
  $sudo apt-get update -q || say "apt-get update failed; trying without"
  # shellcheck disable=SC2086
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
    --no-install-recommends $missing ||
    die "apt-get could not install: $missing"
}

# One compiler needs up to about 1.5 GB.
jobs() {
  local cores memory_kb by_memory
  cores=$(nproc)
  memory_kb=$(awk '/^MemAvailable/ {print $2}' /proc/meminfo)
  by_memory=$((memory_kb / 1500000))
  [ "$by_memory" -ge 1 ] || by_memory=1
  [ "$by_memory" -lt "$cores" ] || by_memory=$cores
  printf '%s' "${SEXTANT_JOBS:-$by_memory}"
}

# configure PRESET
configure() {
  local preset=$1
  if [ -e "build/$preset" ] && [ ! -w "build/$preset" ]; then
    die "build/$preset belongs to another user (an earlier run as root?); \
delete it or: sudo chown -R $(id -un) build"
  fi
  # A tree that was copied or mounted elsewhere holds paths of the old place.
  local cache="build/$preset/CMakeCache.txt"
  if [ -f "$cache" ] &&
    ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache"; then
    say "build/$preset was made elsewhere; starting it afresh"
    rm -rf "build/$preset"
  fi
  mkdir -p build
  cmake --preset "$preset" >"build/$preset-configure.log" 2>&1 || {
    cat "build/$preset-configure.log" >&2
    die "cmake could not configure '$preset'"
  }
}

# build PRESET TARGET...
build() {
  local preset=$1
  shift
  NINJA_STATUS="[$preset %f/%t, %e s] " \
    cmake --build "build/$preset" -j "$(jobs)" --target "$@"
}

# has_target PRESET TARGET. Not by a pipe into `grep -q`, which ends at the first
# match and so fails the command in front of it.
has_target() {
  local targets
  targets=$(cmake --build "build/$1" --target help)
  grep -q "^$2:" <<<"$targets"
}

preset_names() { printf '%s' 'dev release asan tsan clang fuzz'; }

is_preset() {
  case " $(preset_names) " in *" $1 "*) ;; *) return 1 ;; esac
}

# needs_for PRESET: the package sections it needs.
needs_for() {
  case $1 in
    asan | clang | fuzz) printf 'build check' ;;
    *) printf 'build' ;;
  esac
}
