// SPDX-License-Identifier: Apache-2.0
#include "clients/formats/npy.h"

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "base/status_matchers.h"
#include "clients/formats/format_test_files.h"

namespace sextant {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kFloats2x3[] =
    "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";

std::string Floats(const std::vector<float>& numbers) {
  std::string bytes;
  for (const float number : numbers) {
    bytes += Bytes(number);
  }
  return bytes;
}

TEST(NpyTest, ReadsEveryFormatVersion) {
  for (const char version : {'\1', '\2', '\3'}) {
    SCOPED_TRACE(int{version});
    const std::string path = WriteTestFile(
        "a.npy", NpyBytes(kFloats2x3, Floats({1, 2, 3, 4, 5, 6}), version));
    ASSERT_OK_AND_ASSIGN(auto file, OpenVectorFile(path));
    EXPECT_EQ(file->rows(), 2u);
    EXPECT_EQ(file->dimension(), 3u);
    std::vector<float> row(3);
    ASSERT_OK(file->ReadRows(1, row));
    EXPECT_THAT(row, ElementsAre(4, 5, 6));
  }
}

TEST(NpyTest, WidensHalfAndNarrowsDouble) {
  std::string halves;
  for (const int half : {0x3c00, 0xc000, 0x3555, 0x0001}) {
    halves += Bytes(static_cast<uint16_t>(half));
  }
  std::string path = WriteTestFile(
      "half.npy",
      NpyBytes("{'descr': '<f2', 'fortran_order': False, 'shape': (2, 2), }",
               halves));
  ASSERT_OK_AND_ASSIGN(auto file, OpenVectorFile(path));
  std::vector<float> rows(4);
  ASSERT_OK(file->ReadRows(0, rows));
  EXPECT_THAT(rows, ElementsAre(1.f, -2.f, 0.333251953125f, 0x1p-24f));

  path = WriteTestFile(
      "double.npy",
      NpyBytes("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 3)}",
               Bytes(0.1) + Bytes(1e300) + Bytes(-2.0)));
  ASSERT_OK_AND_ASSIGN(file, OpenVectorFile(path));
  rows.resize(3);
  ASSERT_OK(file->ReadRows(0, rows));
  EXPECT_THAT(rows, ElementsAre(0.1f, INFINITY, -2.f));
}

TEST(NpyTest, OneAxisIsOneVector) {
  const std::string path = WriteTestFile(
      "a.npy",
      NpyBytes("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
               Floats({1, 2, 3})));
  ASSERT_OK_AND_ASSIGN(auto file, OpenVectorFile(path));
  EXPECT_EQ(file->rows(), 1u);
  EXPECT_EQ(file->dimension(), 3u);
}

TEST(NpyTest, ReadsManyRowsAcrossChunks) {
  constexpr size_t kTestRows = 3000;
  constexpr size_t kColumns = 67;
  std::vector<float> numbers(kTestRows * kColumns);
  for (size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = static_cast<float>(i);
  }
  const std::string path = WriteTestFile(
      "a.npy", NpyBytes("{'descr': '<f4', 'fortran_order': False, 'shape': "
                        "(3000, 67), }",
                        Floats(numbers)));
  ASSERT_OK_AND_ASSIGN(auto file, OpenVectorFile(path));
  std::vector<float> read(numbers.size());
  ASSERT_OK(file->ReadRows(0, read));
  EXPECT_EQ(read, numbers);
}

TEST(NpyTest, RowsOutsideAreRefused) {
  const std::string path =
      WriteTestFile("a.npy", NpyBytes(kFloats2x3, Floats({1, 2, 3, 4, 5, 6})));
  ASSERT_OK_AND_ASSIGN(auto file, OpenVectorFile(path));
  std::vector<float> row(3);
  EXPECT_THAT(file->ReadRows(2, row),
              StatusIs(absl::StatusCode::kOutOfRange,
                       AllOf(HasSubstr("no row 2"), HasSubstr("2 rows"))));
  EXPECT_THAT(file->ReadRows(~uint64_t{0}, row),
              StatusIs(absl::StatusCode::kOutOfRange));
}

struct BadNpyCase {
  std::string name;
  std::string bytes;
  absl::StatusCode code;
  std::string message;
};

class BadNpyTest : public testing::TestWithParam<BadNpyCase> {};

TEST_P(BadNpyTest, SaysWhatAndWhere) {
  const std::string path = WriteTestFile("bad.npy", GetParam().bytes);
  EXPECT_THAT(OpenVectorFile(path).status(),
              StatusIs(GetParam().code,
                       AllOf(HasSubstr(path), HasSubstr(GetParam().message))));
}

std::string Header(const std::string& dictionary) {
  return NpyBytes(dictionary, std::string(24, '\0'));
}

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kLost = absl::StatusCode::kDataLoss;

INSTANTIATE_TEST_SUITE_P(
    All, BadNpyTest,
    testing::Values(
        BadNpyCase{"Empty", "", kLost, "ends at byte 0"},
        BadNpyCase{"NotNumpy", "PK\x03\x04 a zip of arrays", kInvalid,
                   "not a .npy file"},
        BadNpyCase{"CutInMagic", "\x93NUM", kLost, "ends at byte 4"},
        BadNpyCase{"CutInHeader", Header(kFloats2x3).substr(0, 40), kLost,
                   "ends at byte 40"},
        BadNpyCase{"CutInNumbers", NpyBytes(kFloats2x3, std::string(23, '\0')),
                   kLost, "the file ends at byte 151 in row 1"},
        BadNpyCase{"Version9", NpyBytes(kFloats2x3, "", 9), kInvalid,
                   "version 9"},
        BadNpyCase{"Fortran",
                   Header("{'descr': '<f4', 'fortran_order': True, "
                          "'shape': (2, 3), }"),
                   kInvalid, "Fortran order"},
        BadNpyCase{"BigEndian",
                   Header("{'descr': '>f4', 'fortran_order': False, "
                          "'shape': (2, 3), }"),
                   kInvalid, "big-endian"},
        BadNpyCase{"Text",
                   Header("{'descr': '<U7', 'fortran_order': False, "
                          "'shape': (2, 3), }"),
                   kInvalid, "'<U7' is not supported"},
        BadNpyCase{"Integers",
                   Header("{'descr': '<i4', 'fortran_order': False, "
                          "'shape': (2, 3), }"),
                   kInvalid, "holds integers"},
        BadNpyCase{"Structured",
                   Header("{'descr': [('a', '<f4')], 'fortran_order': False, "
                          "'shape': (2,), }"),
                   kInvalid, "structured"},
        BadNpyCase{"Scalar",
                   Header("{'descr': '<f4', 'fortran_order': False, "
                          "'shape': (), }"),
                   kInvalid, "0 axes"},
        BadNpyCase{"ThreeAxes",
                   Header("{'descr': '<f4', 'fortran_order': False, "
                          "'shape': (1, 2, 3), }"),
                   kInvalid, "3 axes"},
        BadNpyCase{"NoColumns",
                   Header("{'descr': '<f4', 'fortran_order': False, "
                          "'shape': (2, 0), }"),
                   kInvalid, "no numbers"},
        BadNpyCase{"HugeRows",
                   Header("{'descr': '<f4', 'fortran_order': False, "
                          "'shape': (9223372036854775807, 3), }"),
                   kLost, "promises 9223372036854775807 rows"},
        BadNpyCase{"HugeProduct",
                   Header("{'descr': '<f8', 'fortran_order': False, 'shape': "
                          "(4611686018427387904, 4611686018427387904), }"),
                   kLost, "truncated"},
        BadNpyCase{"Overflow",
                   Header("{'descr': '<f4', 'fortran_order': False, "
                          "'shape': (99999999999999999999999, 3), }"),
                   kLost, "a number in the shape"},
        BadNpyCase{"Negative",
                   Header("{'descr': '<f4', 'fortran_order': False, "
                          "'shape': (-1, 3), }"),
                   kLost, "a number in the shape"},
        BadNpyCase{"Unclosed", Header("{'descr': '<f4"), kLost, "expected"},
        BadNpyCase{"NoShape",
                   Header("{'descr': '<f4', 'fortran_order': False, }"), kLost,
                   "shape"}),
    [](const auto& test) { return test.param.name; });

TEST(NpyTest, NoRowsButHugeColumnsIsHarmless) {
  const std::string path = WriteTestFile(
      "a.npy", Header("{'descr': '<f4', 'fortran_order': False, 'shape': "
                      "(0, 9223372036854775808), }"));
  ASSERT_OK_AND_ASSIGN(auto file, OpenVectorFile(path));
  EXPECT_EQ(file->rows(), 0u);
}

TEST(NpyTest, RandomBytesNeverCrash) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  const std::string good = NpyBytes(kFloats2x3, Floats({1, 2, 3, 4, 5, 6}));
  for (int round = 0; round < 300; ++round) {
    std::string bytes = good.substr(0, random() % (good.size() + 1));
    for (int change = 0; change < 3 && !bytes.empty(); ++change) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    auto file = OpenVectorFile(WriteTestFile("a.npy", bytes));
    if (file.ok() && (*file)->rows() > 0) {
      std::vector<float> row((*file)->dimension());
      EXPECT_OK((*file)->ReadRows((*file)->rows() - 1, row));
    }
  }
}

}  // namespace
}  // namespace sextant
