# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # root is set by ./dev
# ./dev check [--all]: what a reviewer should not have to say.
. tools/dev/fmt.sh

check_failed=()

# About ten seconds a source: more than these would take longer than the build.
tidy_files_max=${SEXTANT_TIDY_FILES_MAX:-30}

# checked NAME COMMAND...: runs it, remembers a failure, goes on.
checked() {
  local name=$1
  shift
  step "$name"
  if "$@"; then
    say "$name: passed"
  else
    say "$name: FAILED"
    check_failed+=("$name")
  fi
}

check_layout() {
  cxx_files | xargs -0 -r clang-format-14 --dry-run -Werror ||
    { say "mend: ./dev fmt" && return 1; }
}

# Buf comes from npm. Without npm, or without a network the first time, the
# lint is left out and says so.
check_protos() {
  if ! command -v npm >/dev/null; then
    say "skipped: no npm here (apt-get install npm, then ./dev check)"
    return 0
  fi
  local buf=tools/buf/node_modules/.bin/buf
  if ! cmp -s tools/buf/package-lock.json \
    tools/buf/node_modules/.installed-lock; then
    if ! (cd tools/buf && npm ci --no-audit --no-fund --loglevel=error); then
      say "skipped: npm could not install buf"
      return 0
    fi
    cp tools/buf/package-lock.json tools/buf/node_modules/.installed-lock
  fi
  "$buf" lint proto
}

git_here() { git -c safe.directory="$root" "$@"; }

# The commit to compare with: where this work left the upstream branch, else
# the last commit's parent.
base_commit() {
  local upstream base
  for upstream in '@{upstream}' origin/main origin/master; do
    base=$(git_here merge-base HEAD "$upstream" 2>/dev/null) || continue
    [ "$base" = "$(git_here rev-parse HEAD)" ] || break
    base=''
  done
  printf '%s' "${base:-$(git_here rev-parse --verify -q HEAD~1 || true)}"
}

# Sources that differ from the base, committed or not, and the sources beside
# changed headers.
changed_sources() {
  local base file
  base=$(base_commit)
  {
    [ -z "$base" ] || git_here diff --name-only --diff-filter=d "$base"
    git_here ls-files --others --exclude-standard
  } | while IFS= read -r file; do
    case $file in
      *.cc) say "$file" ;;
      *.h) [ ! -f "${file%.h}.cc" ] || say "${file%.h}.cc" ;;
    esac
  done | sort -u
}

check_tidy() {
  local files=() listed file
  if [ "$1" = all ]; then
    listed=$(cxx_files | tr '\0' '\n' | grep '\.cc$' | sort)
  elif git_here rev-parse HEAD >/dev/null 2>&1; then
    listed=$(changed_sources)
  else
    say "skipped: no git history to compare with (use --all)"
    return 0
  fi
  configure clang
  build clang generated >/dev/null || return 1
  while IFS= read -r file; do
    # Only files of the build have flags: not the intrinsics of another
    # machine, not the fuzz targets.
    if grep -qF "$root/$file\"" build/clang/compile_commands.json; then
      files+=("$file")
    fi
  done <<<"$listed"
  [ ${#files[@]} -gt 0 ] || { say "no changed source" && return 0; }
  if [ "$1" != all ] && [ ${#files[@]} -gt "$tidy_files_max" ]; then
    say "${#files[@]} sources changed; looking at the $tidy_files_max changed \
last. All of them: ./dev check --all"
    # shellcheck disable=SC2012 # our file names are plain
    mapfile -t files < <(ls -t -- "${files[@]}" | head -n "$tidy_files_max")
  fi
  say "${#files[@]} source(s)"
  # shellcheck disable=SC2016 # expanded by the inner shell
  printf '%s\0' "${files[@]}" |
    xargs -0 -P "$(jobs)" -n 1 bash -c '
      # The analyzer walks the paths of gtest macros for minutes.
      case $1 in *_test.cc) skip=--checks=-clang-analyzer-* ;; esac
      exec clang-tidy-14 --quiet -p build/clang ${skip:+"$skip"} \
        --extra-arg=-Wthread-safety "$1" 2>/dev/null' tidy
}

dev_check() {
  local scope=changed
  case ${1:-} in
    '') ;;
    --all) scope=all ;;
    *) die "check: unknown option '$1'" ;;
  esac
  install_packages build check
  checked "layout" check_layout
  checked "tree rules" python3 tools/check_tree.py
  checked "scripts" shellcheck -x dev tools/dev/*.sh .ci/run deploy/*.sh
  checked "proto lint" check_protos
  checked "clang-tidy" check_tidy "$scope"
  if [ ${#check_failed[@]} -gt 0 ]; then
    say
    die "check failed: ${check_failed[*]}"
  fi
  printf '\ncheck: all passed\n'
}
