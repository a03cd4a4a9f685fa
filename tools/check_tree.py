#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the source tree against the rules that no compiler knows.

Prints one line per violation, `path:line: what is wrong; how to mend it`, and
exits 1 if there is any. Runs as the ctest test `tree` and in `./dev check`.

    tools/check_tree.py [ROOT]
"""

import pathlib
import re
import subprocess
import sys
from dataclasses import dataclass

# Who may include whom, direct edges. A folder may always include itself.
ALLOWED = {
    "base": set(),
    "storage": {"base"},
    "index": {"base"},
    "ranking": {"base"},
    "filters": {"base", "index"},
    "engine": {"base", "storage", "index", "filters", "ranking"},
    # Filters are values of the requests that the server makes.
    "server": {"base", "engine", "filters"},
    # A client talks to a server through the API alone; it reads filters as
    # text.
    "clients": {"base", "filters"},
}
# These may include everything: they are never part of the product.
UNBOUND = {"tests", "bench"}
CODE_FOLDERS = set(ALLOWED) | UNBOUND
# Folders that hold no code, or code of another language, but need a README.
OTHER_FOLDERS = {"proto", "demo", "deploy", "docs", "tools", "cmake"}

# Unit tests and what they share may use what tests/support/ offers.
TEST_STEMS = ("_test", "_fixture", "_test_files")

# Headers of a library -> the folders that may include them.
ONLY_HERE = [
    (re.compile(r"^rocksdb/"), {"storage", "tests", "bench"}, "RocksDB"),
    (re.compile(r"^hnswlib/"), {"bench"}, "HNSWlib"),
    (re.compile(r"^(grpc|grpcpp)/"), {"server", "clients", "tests", "bench"},
     "gRPC"),
    (re.compile(r"^(sextant/v\d|google/rpc/|grpc/health/)"),
     {"server", "clients", "tests", "bench"}, "generated API"),
    (re.compile(r"^faiss/"), {"bench", "tests"}, "Faiss"),
    (re.compile(r"^roaring/"), {"index"}, "CRoaring"),
    (re.compile(r"^libstemmer\.h"), {"index"}, "libstemmer"),
    (re.compile(r"^(sqlite3|xapian)\.h"), {"bench"}, "SQLite, Xapian"),
]

LINES_MAX = 600
HEADER_LINES_MAX = 200
# Headers that may be longer, with their limit. It only shrinks.
HEADER_RATCHET = {
    "engine/engine_fixture.h": 191,
}

SOURCE_SUFFIXES = {".cc", ".h"}
SPDX_SUFFIXES = {".cc", ".h", ".py", ".sh", ".cmake", ".proto", ".yaml", ".yml"}
SPDX_NAMES = {"CMakeLists.txt", "Dockerfile", "dev", "run"}
TEXT_SUFFIXES = SPDX_SUFFIXES | {".md", ".json", ".txt"}


@dataclass(frozen=True)
class Ban:
    """A construct that must not appear in code."""

    name: str
    pattern: re.Pattern
    mend: str
    # Folders or files (prefixes) where it is allowed.
    allowed: tuple = ()
    # Match the raw line, comments and strings included.
    raw: bool = False
    only_tests: bool = False


BANS = [
    Ban("absl::Mutex",
        re.compile(r"\babsl::(Mutex|MutexLock|CondVar|Notification)\b|"
                   r"absl/synchronization/"),
        "use base/mutex.h: Debian's Abseil gives false races under TSan"),
    Ban("std::mutex",
        re.compile(r"\bstd::(mutex|shared_mutex|recursive_mutex|lock_guard|"
                   r"unique_lock|scoped_lock|condition_variable)\b"),
        "use base/mutex.h, whose locks clang checks",
        ("base/", "tests/", "bench/")),
    Ban("std::atomic<std::shared_ptr>",
        re.compile(r"\batomic<\s*(std::)?shared_ptr\b"),
        "use Published<T> of base/published.h: gcc 12's load() races"),
    Ban("std::format", re.compile(r"\bstd::(v?format|print)\b|<format>"),
        "use absl::StrFormat or absl::StrCat: gcc 12 has no std::format"),
    Ban("std::views", re.compile(r"\bstd::(ranges::)?views::|<ranges>"),
        "write the loop: clang 14 cannot compile views of libstdc++ 12"),
    Ban("std::string_view", re.compile(r"\bstd::string_view\b"),
        "use absl::string_view: Debian's Abseil has its own type"),
    Ban("StatusOr::value()",
        # Not ->value(): RocksDB's iterators have that.
        re.compile(r"\.\s*value\(\)"),
        "test ok() first, then use *x: value() throws "
        "(for std::optional use *x as well)"),
    Ban("std::thread",
        re.compile(r"\bstd::(j?thread|async)\b(?!::hardware_concurrency|::id)"),
        "use base/thread.h or base/thread_pool.h",
        ("base/", "tests/", "bench/")),
    Ban("throw", re.compile(r"\bthrow\b"),
        "return an absl::Status; CHECK for a bug"),
    Ban("using namespace", re.compile(r"\busing\s+namespace\b"),
        "name what you use"),
    Ban("sleep in a test",
        re.compile(r"\b(sleep_for|sleep_until|usleep|nanosleep|"
                   r"absl::SleepFor|sleep)\s*\("),
        "wait for the event itself, or use FakeClock", only_tests=True),
    Ban("name",
        re.compile(r"\b(?:class|struct|enum class|enum)\s+(?:\w+\s+)*?"
                   r"\w*(?:Manager|Helper|Util|Utils)\b"),
        "say what it does: Manager, Helper and Util say nothing"),
    Ban("TODO without an owner", re.compile(r"\b(TODO|FIXME|XXX)\b(?!\([a-z])"),
        "write TODO(owner): what and when, or do it now", raw=True),
]

# Words that belong to nobody's repository, in any text file.
FORBIDDEN = [
    (re.compile(r"(?:^|[\s(\"'=`])/(?:work|home|root|Users)/\w"),
     "a path of one machine", "write a path relative to the repository"),
    (re.compile(r"\b(?:issue|issues|fixes|closes|see)\s+#\d+|(?<![&\w/#])"
                r"#\d+\b(?![0-9a-fA-F;]*[\"'`;])", re.IGNORECASE),
     "an issue number", "say what the reader must know instead"),
]
# The rules' own samples.
FORBIDDEN_EXEMPT = {"tools/check_tree.py", "tools/check_tree_test.py"}

NOLINT = re.compile(r"NOLINT(?:NEXTLINE|BEGIN|END)?"
                    r"(?P<check>\([\w.*,\- ]+\))?(?P<reason>:? *\S)?")
COMMENT_LINE = re.compile(r"^\s*//")

LINK = re.compile(r"\]\(([^)#\s:]+)(?:#[^)\s]*)?\)")
CODE_SPAN = re.compile(r"`[^`]*`")

INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]')


def list_files(root):
    """Files git knows or would add; every file where there is no git."""
    command = ["git", "-c", "safe.directory=*", "-C", str(root), "ls-files",
               "-z", "--cached", "--others", "--exclude-standard"]
    try:
        inside = (root / ".git").exists()
        result = subprocess.run(command, capture_output=True, check=True) \
            if inside else None
    except (OSError, subprocess.CalledProcessError):
        result = None
    if result is not None:
        names = result.stdout.decode().split("\0")
        found = {name for name in names if name}
    else:
        skipped = {".git", "build", "node_modules", "__pycache__", ".cache"}
        found = {str(path.relative_to(root)) for path in root.rglob("*")
                 if path.is_file()
                 and not skipped & set(path.relative_to(root).parts)}
    return sorted(name for name in found if (root / name).is_file())


def strip_comments_and_strings(text):
    """The code of C++ text, line by line, without comments and literals."""
    pattern = re.compile(
        r'R"(?P<delim>[^()\s\\]{0,16})\(.*?\)(?P=delim)"'
        r'|//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"'
        r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'", re.DOTALL)

    def blank(match):
        found = match.group(0)
        kept = '""' if found[0] in "R\"'" else ""
        return kept + "\n" * found.count("\n")

    return pattern.sub(blank, text)


class Checker:
    """Collects the violations of one tree."""

    def __init__(self, root):
        self.root = root
        self.files = list_files(root)
        self.problems = []

    def report(self, path, line, text, mend):
        self.problems.append(f"{path}:{line}: {text}; {mend}")

    def run(self):
        for path in self.files:
            file = pathlib.PurePosixPath(path)
            suffix = file.suffix
            is_text = suffix in TEXT_SUFFIXES or file.name in SPDX_NAMES
            if not (is_text or suffix in SOURCE_SUFFIXES):
                continue
            text = (self.root / path).read_text(encoding="utf-8",
                                                errors="replace")
            self.check_spdx(path, file, text)
            self.check_forbidden(path, text)
            if suffix == ".md":
                self.check_links(path, file, text)
            if suffix in SOURCE_SUFFIXES:
                self.check_source(path, file, text)
            elif suffix == ".py" or file.name in {"dev", "run"}:
                self.check_length(path, text, LINES_MAX)
        self.check_readmes()
        return self.problems

    def check_spdx(self, path, file, text):
        if file.suffix not in SPDX_SUFFIXES and file.name not in SPDX_NAMES:
            return
        if "node_modules" in file.parts or file.name == "package-lock.json":
            return
        head = text.splitlines()[:3]
        if not any("SPDX-License-Identifier: Apache-2.0" in l for l in head):
            self.report(path, 1, "no licence line",
                        "start with SPDX-License-Identifier: Apache-2.0")

    def check_forbidden(self, path, text):
        suffix = pathlib.PurePosixPath(path).suffix
        if path in FORBIDDEN_EXEMPT or suffix in {".json", ".txt"}:
            return
        for number, line in enumerate(text.splitlines(), 1):
            for pattern, what, mend in FORBIDDEN:
                if pattern.search(line):
                    self.report(path, number, what, mend)

    def check_links(self, path, file, text):
        for number, line in enumerate(text.splitlines(), 1):
            for target in LINK.findall(CODE_SPAN.sub("", line)):
                if not (self.root / file.parent / target).exists():
                    self.report(path, number, f"dead link to {target}",
                                "links are relative to the file they are in")

    def check_length(self, path, text, limit):
        lines = text.count("\n")
        if lines > limit:
            self.report(path, limit, f"{lines} lines, {limit} allowed",
                        "split it: one idea per file")

    def check_source(self, path, file, text):
        limit = LINES_MAX
        if file.suffix == ".h":
            limit = HEADER_RATCHET.get(path, HEADER_LINES_MAX)
            if "#pragma once" not in text:
                self.report(path, 1, "no include guard", "add #pragma once")
        self.check_length(path, text, limit)
        self.check_includes(path, file, text)
        self.check_bans(path, file, text)

    def check_includes(self, path, file, text):
        folder = file.parts[0]
        for number, line in enumerate(text.splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            target = match.group(1)
            is_test = file.stem.endswith(TEST_STEMS)
            if not (is_test and target.startswith("tests/support/")):
                self.check_edge(path, number, folder, target)
            for pattern, homes, library in ONLY_HERE:
                if pattern.match(target) and folder not in homes:
                    self.report(
                        path, number,
                        f"{library} header <{target}> in {folder}/",
                        f"only {', '.join(sorted(homes))} may include it; "
                        "go through their interface")

    def check_edge(self, path, number, folder, target):
        if folder in UNBOUND or folder not in ALLOWED:
            return
        to = target.split("/")[0]
        if "/" not in target or to == folder or to not in CODE_FOLDERS:
            if target.startswith(".."):
                self.report(path, number, f'include of "{target}"',
                            "include from the repository root")
            return
        if to not in ALLOWED[folder]:
            allowed = ", ".join(sorted(ALLOWED[folder])) or "nothing else"
            self.report(path, number,
                        f"{folder}/ includes {to}/ ({target})",
                        f"{folder}/ may include: {allowed}; move the code or "
                        "pass what is needed as an argument")

    def check_bans(self, path, file, text):
        code = strip_comments_and_strings(text).split("\n")
        raw = text.split("\n")
        is_test = file.stem.endswith(TEST_STEMS) or file.parts[0] == "tests"
        for ban in BANS:
            if ban.only_tests and not is_test:
                continue
            if any(path.startswith(prefix) for prefix in ban.allowed):
                continue
            for number, line in enumerate(raw if ban.raw else code, 1):
                if ban.pattern.search(line):
                    self.report(path, number, ban.name, ban.mend)

        self.check_nolint(path, raw)

    def check_nolint(self, path, lines):
        for index, line in enumerate(lines):
            match = NOLINT.search(line)
            if not match:
                continue
            # The reason may stand on the line itself or in a comment that
            # touches it.
            near = lines[max(index - 1, 0):index] + lines[index + 1:index + 2]
            reason = match["reason"] or any(map(COMMENT_LINE.match, near))
            if not match["check"] or not reason:
                self.report(path, index + 1,
                            "NOLINT without a check name and a reason",
                            "write NOLINT(check-name): reason")

    def check_readmes(self):
        folders = CODE_FOLDERS | OTHER_FOLDERS
        present = {path.split("/")[0] for path in self.files if "/" in path}
        for folder in sorted(folders & present):
            if f"{folder}/README.md" not in self.files:
                self.report(f"{folder}/", 1, "folder without README.md",
                            "write its purpose, main types, thread rule and "
                            "who may include it")


def main(arguments):
    root = pathlib.Path(arguments[1]) if len(arguments) > 1 else \
        pathlib.Path(__file__).resolve().parent.parent
    problems = Checker(root).run()
    for problem in problems:
        print(problem)
    if problems:
        print(f"check_tree: {len(problems)} problem(s)", file=sys.stderr)
        return 1
    print("check_tree: clean")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
