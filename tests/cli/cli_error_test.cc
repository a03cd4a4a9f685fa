// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

#include "tests/cli/cli_fixture.h"

namespace sextant {
namespace {

using testing::HasSubstr;

// Bad input of every kind: the exit code that scripts rely on, and words that
// tell a person what to do.
class CliErrorTest : public CliTest {
 protected:
  static void SetUpTestSuite() {
    CliTest::SetUpTestSuite();
    ImportDemo("packages");
  }

  static void ExpectError(const std::vector<std::string>& arguments,
                          int exit_code, const std::string& message,
                          const std::string& input = "") {
    const CliResult result = Run(arguments, input);
    EXPECT_EQ(result.exit_code, exit_code) << result.error;
    EXPECT_THAT(result.error, HasSubstr(message));
    EXPECT_EQ(result.output, "");
  }

  // A .npy file of one row of these numbers, given as text.
  static std::string MatrixOf(const std::string& name,
                              const std::vector<float>& numbers) {
    std::string dictionary =
        absl::StrCat("{'descr': '<f4', 'fortran_order': False, 'shape': (1, ",
                     numbers.size(), "), }");
    dictionary.resize(117, ' ');
    dictionary += '\n';
    std::string bytes("\x93NUMPY\x01\x00v\x00", 10);
    bytes += dictionary;
    for (const float number : numbers) {
      bytes.append(reinterpret_cast<const char*>(&number), sizeof(number));
    }
    return WriteFile(name, bytes);
  }
};

TEST_F(CliErrorTest, ServerDown) {
  const CliResult result =
      RunCli(folder(), {"count", "packages", "--server", "127.0.0.1:1"});
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.error, HasSubstr("cannot reach sextantd at 127.0.0.1:1"));
  EXPECT_THAT(result.error, HasSubstr("Is it running?"));
}

TEST_F(CliErrorTest, UnknownCollection) {
  ExpectError({"count", "nowhere"}, 3, "nowhere");
  ExpectError({"import", "nowhere", "demo/packages.npy"}, 3, "--create");
  ExpectError({"search", "nowhere", "--id", "1"}, 3, "nowhere");
}

TEST_F(CliErrorTest, WrongDimension) {
  const std::string path = MatrixOf("wide.npy", {1, 2, 3});
  ExpectError({"import", "packages", path}, 5,
              "row 0: vector of 3 numbers, field 'embedding' of collection "
              "'packages' takes 512");
  ExpectError({"search", "packages", "--vector", "[1,2,3]"}, 1, "512");
}

TEST_F(CliErrorTest, TruncatedFile) {
  const std::string path = folder() + "/cut.npy";
  std::filesystem::copy_file("demo/packages.npy", path);
  std::filesystem::resize_file(path, 1'000'000);
  ExpectError({"import", "packages", path}, 5,
              "cut.npy: truncated: the header promises 4000 rows");
  ExpectError({"search", "packages", "--vector-file", path}, 5, "truncated");
  ExpectError({"import", "packages", folder() + "/missing.npy"}, 5,
              "cannot open");
}

TEST_F(CliErrorTest, WrongFiles) {
  ExpectError({"search", "packages", "--vector-file", "demo/README.md"}, 5,
              "expected .npy or .fvecs");
  ExpectError({"search", "packages", "--vector-file", "demo/queries.npy",
               "--row", "220"},
              5, "no row 220");
  ExpectError({"import", "packages", "demo/packages.jsonl", "--vectors",
               "demo/queries.npy"},
              5, "only 220 rows");
}

TEST_F(CliErrorTest, BrokenLines) {
  ExpectError({"import", "packages", "-"}, 5,
              "standard input:2: expected a JSON object, got array",
              "\n[1,2]\n");
  ExpectError({"import", "packages", "-"}, 5, "ill-formed UTF-8",
              "{\"id\":1,\"t\":\"a\xff\"}\n");
  ExpectError({"import", "packages", "-"}, 5, "standard input:1: has no vector",
              "{\"id\":1}\n");
}

TEST_F(CliErrorTest, MixedIds) {
  const std::string line = absl::StrCat("{\"id\":\"x\",\"vector\":[",
                                        std::string(1022, ' '), "1", "]}\n");
  ASSERT_EQ(Run({"collection", "create", "tiny", "--dimension", "1"}).exit_code,
            0);
  ExpectError({"import", "tiny", "-"}, 5,
              "id 'x' is a string, collection 'tiny' takes numbers", line);
  ExpectError({"search", "packages", "--vector", "-"}, 5,
              "standard input: holds no vector");
  ExpectError({"get", "packages", "fotoxx"}, 2, "unsigned 64-bit numbers");
  ExpectError({"delete", "packages", "-1"}, 2, "");
}

TEST_F(CliErrorTest, NumbersThatAreNone) {
  const std::string path = MatrixOf("nan.npy", {1, std::stof("nan")});
  ExpectError({"import", "nans", path, "--create"}, 1, "vectors[embedding]");
  const std::string zero = MatrixOf("zero.npy", {0, 0});
  ExpectError({"import", "zeros", zero, "--create"}, 1, "vectors[embedding]");
}

TEST_F(CliErrorTest, LimitsOfASearch) {
  ExpectError({"search", "packages", "--id", "1", "--limit", "0"}, 1, "limit");
  ExpectError({"search", "packages", "--id", "1", "--limit", "2147483648"}, 1,
              "limit");
  ExpectError({"search", "packages", "--id", "1", "--limit", "99999999999"}, 2,
              "");
  ExpectError({"search", "packages", "--id", "1", "--ef", "5", "--exact"}, 1,
              "exact");
  ExpectError({"search", "packages", "--id", "1", "--recall-target", "1.5"}, 1,
              "recall_target");
  ExpectError(
      {"search", "packages", "--id", "1", "--recall-target", "0.9", "--exact"},
      1, "recall_target");
  ExpectError({"search", "packages", "--id", "123456"}, 3, "123456");
  ExpectError({"search", "packages", "--id", "1", "--field", "nope"}, 1,
              "no such vector field");
}

TEST_F(CliErrorTest, WrongCommandLines) {
  ExpectError({"search", "packages"}, 2, "--vector-file");
  ExpectError({"search", "packages", "--vector", "[1,"}, 2, "not JSON");
  ExpectError({"search", "packages", "--query", "photos"}, 2,
              "--query-text-file");
  ExpectError({"collection", "create", "x"}, 2, "--dimension");
  for (const char* dimension : {"0", "65537", "99999999999", "many"}) {
    ExpectError({"collection", "create", "x", "--dimension", dimension}, 2,
                "in range 1 to 65536");
  }
  ExpectError({"collection", "create", "x", "--dimension", "3", "--metric",
               "manhattan"},
              2, "cosine, ip or l2");
  ExpectError({"import", "packages", "-", "--resume"}, 2, "standard input");
  ExpectError({"serch"}, 2, "unknown command 'serch'");
  ExpectError({"count", "packages", "--output", "xml"}, 2, "xml");
  ExpectError({"get", "packages"}, 2, "no ids");
}

TEST_F(CliErrorTest, NamesAndClashes) {
  ExpectError({"collection", "create", "packages", "--dimension", "3"}, 1,
              "packages");
  ExpectError({"collection", "create", "a b", "--dimension", "3"}, 1, "name");
  ExpectError(
      {"collection", "create", std::string(65, 'x'), "--dimension", "3"}, 1,
      "64");
  ExpectError({"collection", "create", "wide", "--vector-field", "v:70000"}, 1,
              "schema.vector_fields[0].dimension: must be 1 to 65536");
  ExpectError({"collection", "create", "\xff", "--dimension", "3"}, 1, "");
}

TEST_F(CliErrorTest, TooLittleTime) {
  ExpectError({"count", "packages", "--timeout", "0"}, 2, "--timeout");
}

}  // namespace
}  // namespace sextant
