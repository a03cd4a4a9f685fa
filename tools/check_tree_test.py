#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests check_tree.py: each rule must catch its bad sample and pass its good
one."""

import contextlib
import io
import pathlib
import tempfile
import unittest

import check_tree

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"


def problems_of(files):
    """Runs the tool over a small tree; returns its exit code and output."""
    with tempfile.TemporaryDirectory() as root:
        folders = {path.split("/")[0] for path in files if "/" in path}
        readmes = {f"{folder}/README.md": "x\n" for folder in folders}
        for path, text in {**readmes, **files}.items():
            if text is None:
                continue
            file = pathlib.Path(root, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        output = io.StringIO()
        with contextlib.redirect_stdout(output), \
                contextlib.redirect_stderr(io.StringIO()):
            code = check_tree.main(["check_tree.py", root])
        return code, output.getvalue()


def source(code):
    return SPDX + code + "\n"


def header(code):
    return SPDX + "#pragma once\n" + code + "\n"


# name, path, content, what the message must hold.
BAD = [
    ("edge up", "storage/a.cc", source('#include "engine/b.h"'),
     "storage/ includes engine/"),
    ("edge across", "index/a.cc", source('#include "storage/b.h"'),
     "index/ includes storage/"),
    ("edge over the border", "server/a.cc", source('#include "storage/b.h"'),
     "server/ includes storage/"),
    ("ranking alone", "ranking/a.h", header('#include "index/b.h"'),
     "ranking/ includes index/"),
    ("base alone", "base/a.cc", source('#include "index/b.h"'),
     "base/ includes index/"),
    ("client without engine", "clients/a.cc", source('#include "engine/b.h"'),
     "clients/ includes engine/"),
    ("product without tests", "engine/a.cc",
     source('#include "tests/support/b.h"'), "engine/ includes tests/"),
    ("relative include", "engine/a.cc", source('#include "../engine/b.h"'),
     "repository root"),
    ("rocksdb", "engine/a.cc", source("#include <rocksdb/db.h>"), "RocksDB"),
    ("hnswlib", "engine/a.cc", source('#include "hnswlib/hnswlib.h"'),
     "HNSWlib"),
    ("grpc", "engine/a.cc", source("#include <grpcpp/grpcpp.h>"), "gRPC"),
    ("api", "engine/a.cc", source('#include "sextant/v1/point.pb.h"'),
     "generated API"),
    ("long source", "base/a.cc", source("int x;\n" * 600), "600 allowed"),
    ("long header", "base/a.h", header("int x;\n" * 200), "200 allowed"),
    ("no guard", "base/a.h", source("int x;"), "#pragma once"),
    ("absl mutex", "base/a.cc", source("absl::Mutex m;"), "base/mutex.h"),
    ("absl mutex header", "base/a.cc",
     source("#include <absl/synchronization/mutex.h>"), "base/mutex.h"),
    ("std mutex", "engine/a.cc", source("std::lock_guard<std::mutex> l(m);"),
     "base/mutex.h"),
    ("atomic shared_ptr", "engine/a.cc",
     source("std::atomic<std::shared_ptr<const T>> p;"), "Published"),
    ("format", "base/a.cc", source('auto s = std::format("{}", 1);'),
     "StrFormat"),
    ("views", "base/a.cc", source("for (int i : std::views::iota(0)) {}"),
     "write the loop"),
    ("string_view", "base/a.cc", source("void F(std::string_view s);"),
     "absl::string_view"),
    ("value", "base/a.cc", source("int x = Parse(y).value();"), "use *x"),
    ("thread", "engine/a.cc", source("std::thread t(F);"), "base/thread.h"),
    ("throw", "base/a.cc", source('throw std::runtime_error("x");'),
     "absl::Status"),
    ("using namespace", "base/a.cc", source("using namespace std;"),
     "name what you use"),
    ("todo", "base/a.cc", source("// TODO: later"), "TODO(owner)"),
    ("sleep", "base/a_test.cc", source("absl::SleepFor(d);"), "FakeClock"),
    ("bare nolint", "base/a.cc", source("int x;  // NOLINT"), "check-name"),
    ("nolint without reason", "base/a.cc",
     source("int y;\nint x;  // NOLINT(google-runtime-int)"), "check-name"),
    ("manager", "base/a.h", header("class SegmentManager {};"),
     "say what it does"),
    ("util", "base/a.h", header("struct StringUtils {};"), "say what it does"),
    ("no licence", "base/a.cc", "int x;\n", "SPDX"),
    ("no licence in cmake", "base/CMakeLists.txt", "set(x 1)\n", "SPDX"),
    ("issue number", "base/a.cc", source("// as agreed in issue #12"),
     "issue number"),
    ("bare number", "docs/a.md", "See #7.\n", "issue number"),
    ("dead link", "docs/a.md", "[x](b.md)\n", "dead link to b.md"),
    ("machine path", "docs/a.md", "Run " + "/ho" + "me/me/x now.\n",
     "path of one machine"),
]

GOOD = [
    ("own folder", "engine/a.cc", source('#include "engine/b.h"')),
    ("edges down", "engine/a.cc",
     source('#include "base/b.h"\n#include "storage/b.h"\n'
            '#include "index/b.h"\n#include "ranking/b.h"')),
    ("filters on index", "filters/a.cc", source('#include "index/b.h"')),
    ("rocksdb at home", "storage/a.cc", source("#include <rocksdb/db.h>")),
    ("everything in tests", "tests/a.cc",
     source('#include "storage/b.h"\n#include <rocksdb/db.h>\n'
            "#include <grpcpp/grpcpp.h>")),
    ("unit test on test support", "engine/a_test.cc",
     source('#include "tests/support/temp_dir.h"')),
    ("bans in comments", "base/a.cc",
     source("// std::format and throw are banned\n/* using namespace std; */")),
    ("bans in strings", "base/a.cc",
     source('const char* a = "throw std::format"; auto b = R"(throw)";')),
    ("digit separators", "base/a.cc",
     source("int x = 1'000'000;  // don't\nint y = 2;")),
    ("thread at home", "base/a.cc", source("std::thread t(F);")),
    ("cpu count", "engine/a.cc",
     source("auto n = std::thread::hardware_concurrency();")),
    ("owned todo", "base/a.cc", source("// TODO(ada): split by field")),
    ("nolint with reason", "base/a.cc",
     source("int x;  // NOLINT(google-runtime-int): the C API's type")),
    ("nolint with reason below", "base/a.cc",
     source("int x;  // NOLINT(google-runtime-int):\n        // C type")),
    ("iterator", "storage/a.cc", source("Slice x = iterator_->value();")),
    ("value with default", "base/a.cc", source("int x = y.value_or(1);")),
    ("longest source", "base/a.cc", source("int x;\n" * 598)),
    ("colour and anchor", "docs/a.md", "[x](#top) `#ffffff` and 1# y\n"),
    ("links", "docs/a.md",
     "[a](README.md#x) [b](../docs/) [c](https://x.org/y) `[d](e.md)`\n"),
    ("script", "dev", "#!/bin/bash\n# SPDX-License-Identifier: Apache-2.0\n"),
]


class CheckTreeTest(unittest.TestCase):
    def test_bad_samples_are_caught(self):
        for name, path, text, expected in BAD:
            with self.subTest(name):
                code, output = problems_of({path: text})
                self.assertEqual(code, 1, f"{name}: nothing found")
                self.assertIn(expected, output)
                self.assertIn(path, output)

    def test_good_samples_pass(self):
        for name, path, text in GOOD:
            with self.subTest(name):
                code, output = problems_of({path: text})
                self.assertEqual(code, 0, output)

    def test_a_folder_needs_a_readme(self):
        code, output = problems_of({"base/a.h": header("int x;"),
                                    "base/README.md": None})
        self.assertEqual(code, 1)
        self.assertIn("README", output)

    def test_messages_name_the_line(self):
        _, output = problems_of({"base/a.cc": source("int x;\nthrow 1;")})
        self.assertTrue(output.startswith("base/a.cc:3: throw;"), output)


if __name__ == "__main__":
    unittest.main()
