// SPDX-License-Identifier: Apache-2.0
#include "storage/record_codec.h"

#include <functional>
#include <limits>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "base/checksum.h"
#include "base/coding.h"
#include "base/status_matchers.h"
#include "storage/format.pb.h"
#include "storage/keys.h"

namespace sextant {
namespace {

using ::testing::HasSubstr;

const char* const kId = "id\x01";

struct RecordCase {
  std::string name;
  RecordKind kind = RecordKind::kPoint;
  std::string key;
  std::string record;
  // Decodes and, if that succeeds, compares with what was encoded.
  std::function<absl::Status(absl::string_view key, absl::string_view record)>
      decode;

  friend void PrintTo(const RecordCase& tested, std::ostream* out) {
    *out << tested.name;
  }
};

RecordCase NumberCase(std::string name, RecordKind kind,
                      absl::string_view key) {
  RecordCase result{std::move(name), kind, std::string(key), "", nullptr};
  EncodeNumber(kind, key, 77, &result.record);
  result.decode = [kind](absl::string_view k, absl::string_view record) {
    const auto number = DecodeNumber(kind, k, record);
    EXPECT_TRUE(!number.ok() || *number == 77);
    return number.status();
  };
  return result;
}

RecordCase PointCase(std::string name, std::string payload) {
  RecordCase result{std::move(name), RecordKind::kPoint, PointKey(7, kId), "",
                    nullptr};
  EncodePoint(result.key, 5, {.low = 1, .high = 2}, payload, &result.record);
  result.decode = [payload](absl::string_view k, absl::string_view record) {
    StoredPoint point;
    const absl::Status status = DecodePoint(k, record, &point);
    if (status.ok()) {
      EXPECT_EQ(point.seq, 5U);
      EXPECT_EQ(point.hash, (ContentHash{.low = 1, .high = 2}));
      EXPECT_EQ(point.payload, payload);
    }
    return status;
  };
  return result;
}

RecordCase VectorsCase(std::string name,
                       std::vector<StoredPoint::Field> fields) {
  RecordCase result{std::move(name), RecordKind::kVectors, PointKey(7, kId), "",
                    nullptr};
  std::vector<FieldVector> views;
  for (const StoredPoint::Field& field : fields) {
    views.push_back({field.field, field.values});
  }
  EncodeVectors(result.key, 5, {.low = 1, .high = 2}, {views}, &result.record);
  result.decode = [fields](absl::string_view k, absl::string_view record) {
    StoredPoint point;
    // Left over from a point decoded before.
    point.vectors.resize(5);
    point.sparse.resize(2);
    const absl::Status status = DecodeVectors(k, record, &point);
    if (status.ok()) {
      EXPECT_TRUE(point.sparse.empty());
      EXPECT_EQ(point.seq, 5U);
      EXPECT_EQ(point.vectors.size(), fields.size());
      for (size_t i = 0; i < fields.size(); ++i) {
        EXPECT_EQ(point.vectors[i].field, fields[i].field);
        EXPECT_EQ(point.vectors[i].values, fields[i].values);
      }
    }
    return status;
  };
  return result;
}

// With a dense vector, or none.
RecordCase SparseCase(std::string name, std::vector<float> dense) {
  RecordCase result{std::move(name), RecordKind::kVectors, PointKey(7, kId), "",
                    nullptr};
  const std::vector<StoredPoint::SparseField> fields = {
      {0, {{3, 0.5F}, {4'000'000'000, -2}}}, {2, {}}, {3, {{0, 1}}}};
  std::vector<FieldVector> views;
  if (!dense.empty()) {
    views.push_back({1, dense});
  }
  std::vector<FieldSparse> sparse;
  for (const StoredPoint::SparseField& field : fields) {
    sparse.push_back({field.field, field.entries});
  }
  EncodeVectors(result.key, 5, {.low = 1, .high = 2}, {views, sparse},
                &result.record);
  result.decode = [fields, dense](absl::string_view k,
                                  absl::string_view record) {
    StoredPoint point;
    const absl::Status status = DecodeVectors(k, record, &point);
    if (status.ok()) {
      EXPECT_EQ(point.vectors.size(), dense.empty() ? 0U : 1U);
      EXPECT_EQ(point.sparse.size(), fields.size());
      for (size_t i = 0; i < fields.size(); ++i) {
        EXPECT_EQ(point.sparse[i].field, fields[i].field);
        EXPECT_EQ(point.sparse[i].entries, fields[i].entries);
      }
    }
    return status;
  };
  return result;
}

RecordCase ChangeCase(std::string name, Change change) {
  RecordCase result{std::move(name), RecordKind::kChange,
                    ChangeKey(7, change.seq), "", nullptr};
  EncodeChange(result.key, change, &result.record);
  result.decode = [change](absl::string_view k, absl::string_view record) {
    const auto decoded = DecodeChange(k, record);
    if (decoded.ok()) {
      EXPECT_EQ(decoded->seq, change.seq);
      EXPECT_EQ(decoded->upserted, change.upserted);
      EXPECT_EQ(decoded->deleted, change.deleted);
    }
    return decoded.status();
  };
  return result;
}

RecordCase StateCase() {
  RecordCase result{"State", RecordKind::kState,
                    CollectionPartKey(7, CollectionPart::kState), "", nullptr};
  const CollectionState state{9, 8, {.low = 7, .high = 6}};
  EncodeState(result.key, state, &result.record);
  result.decode = [state](absl::string_view k, absl::string_view record) {
    const auto decoded = DecodeState(k, record);
    EXPECT_TRUE(!decoded.ok() || *decoded == state);
    return decoded.status();
  };
  return result;
}

RecordCase ProtoCase() {
  RecordCase result{"Collection", RecordKind::kCollection,
                    CollectionPartKey(7, CollectionPart::kDefinition), "",
                    nullptr};
  storage::CollectionRecord proto;
  proto.set_name("docs");
  EncodeProto(result.kind, result.key, proto, &result.record);
  result.decode = [](absl::string_view k, absl::string_view record) {
    storage::CollectionRecord decoded;
    const absl::Status status =
        DecodeProto(RecordKind::kCollection, k, record, &decoded);
    EXPECT_TRUE(!status.ok() || decoded.name() == "docs");
    return status;
  };
  return result;
}

std::vector<RecordCase> AllCases() {
  const float nan = std::numeric_limits<float>::infinity();
  return {
      NumberCase("Format", RecordKind::kFormat, kFormatKey),
      NumberCase("NextCollection", RecordKind::kNextCollection,
                 kNextCollectionKey),
      ProtoCase(),
      StateCase(),
      PointCase("Point", "payload"),
      PointCase("PointWithoutPayload", ""),
      VectorsCase("Vectors", {{0, {1, -2.5F, nan}}, {3, {0.25F}}}),
      VectorsCase("EmptyVector", {{1, {}}}),
      VectorsCase("NoVectors", {}),
      SparseCase("SparseVectors", {1, -2.5F, nan}),
      SparseCase("OnlySparseVectors", {}),
      ChangeCase("Change", {4, {"a", "", "bc"}, {"d"}}),
      ChangeCase("EmptyChange", {4, {}, {}}),
  };
}

class RecordCodecTest : public ::testing::TestWithParam<RecordCase> {};

TEST_P(RecordCodecTest, ComesBackUnchanged) {
  EXPECT_OK(GetParam().decode(GetParam().key, GetParam().record));
}

TEST_P(RecordCodecTest, RejectsEveryTruncation) {
  const RecordCase& tested = GetParam();
  for (size_t size = 0; size < tested.record.size(); ++size) {
    EXPECT_THAT(tested.decode(tested.key, tested.record.substr(0, size)),
                StatusIs(absl::StatusCode::kDataLoss))
        << size << " of " << tested.record.size() << " bytes";
  }
}

TEST_P(RecordCodecTest, RejectsEveryFlippedBit) {
  const RecordCase& tested = GetParam();
  for (size_t i = 0; i < tested.record.size() * 8; ++i) {
    std::string damaged = tested.record;
    damaged[i / 8] = static_cast<char>(
        static_cast<unsigned char>(damaged[i / 8]) ^ (1U << (i % 8)));
    EXPECT_THAT(tested.decode(tested.key, damaged),
                StatusIs(absl::StatusCode::kDataLoss))
        << "bit " << i;
  }
}

TEST_P(RecordCodecTest, RejectsTrailingBytes) {
  const RecordCase& tested = GetParam();
  EXPECT_THAT(tested.decode(tested.key, tested.record + '\0'),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_P(RecordCodecTest, RejectsTheRecordOfAnotherKey) {
  const RecordCase& tested = GetParam();
  std::string other = tested.key;
  other.back() = static_cast<char>(other.back() ^ 1);
  EXPECT_THAT(tested.decode(other, tested.record),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_P(RecordCodecTest, RejectsANewerVersionAndNamesBoth) {
  const RecordCase& tested = GetParam();
  std::string newer = tested.record;
  newer[0] = 9;
  EXPECT_THAT(tested.decode(tested.key, newer),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("record version 9, this program reads 1")));
}

// The bytes fit the checksum, but not the layout: a bug or a forgery. Each
// prefix and each extension of the body is sealed anew.
TEST_P(RecordCodecTest, NeverReadsPastAWellSealedBody) {
  const RecordCase& tested = GetParam();
  const auto seal = [&](std::string record) {
    AppendLittleEndian<uint64_t>(
        &record,
        Checksum64(record,
                   Checksum64(tested.key, static_cast<uint64_t>(tested.kind))));
    return record;
  };
  const std::string body =
      tested.record.substr(0, tested.record.size() - sizeof(uint64_t));
  EXPECT_EQ(seal(body), tested.record);
  for (size_t size = 1; size < body.size(); ++size) {
    // Ends in kDataLoss, or in a shorter payload; ASan watches the reads.
    StoredPoint point;
    switch (tested.kind) {
      case RecordKind::kPoint:
        static_cast<void>(
            DecodePoint(tested.key, seal(body.substr(0, size)), &point));
        break;
      case RecordKind::kVectors:
        EXPECT_FALSE(
            DecodeVectors(tested.key, seal(body.substr(0, size)), &point).ok());
        break;
      case RecordKind::kChange:
        EXPECT_FALSE(DecodeChange(tested.key, seal(body.substr(0, size))).ok());
        break;
      default:
        static_cast<void>(tested.decode);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Records, RecordCodecTest,
                         ::testing::ValuesIn(AllCases()),
                         [](const auto& tested) { return tested.param.name; });

TEST(RecordCodecErrorTest, NamesFamilyAndKey) {
  std::string record;
  const std::string key = PointKey(7, kId);
  EncodePoint(key, 1, {}, "payload", &record);
  record.back() = static_cast<char>(record.back() ^ 1);
  StoredPoint point;
  EXPECT_THAT(DecodePoint(key, record, &point),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr(R"(family 'points', collection 7, )"
                                 R"(key "id\x01": checksum mismatch)")));
}

TEST(HashPointTest, SeesEveryPart) {
  const std::vector<float> values = {1, 2, 3};
  const std::vector<float> other_values = {1, 2, 4};
  const std::vector<FieldVector> vectors = {{0, values}};
  const std::vector<FieldVector> other_vectors = {{0, other_values}};
  const std::vector<FieldVector> other_field = {{1, values}};
  // The same bytes as the numbers of a dense vector.
  const std::vector<SparseEntry> entries = {{1, 2}};
  const std::vector<FieldSparse> sparse = {{0, entries}};
  const std::vector<FieldSparse> other_sparse = {{1, entries}};
  const PointView point{"id", "payload", vectors};
  const ContentHash hash = HashPoint(point);
  EXPECT_EQ(HashPoint(point), hash);
  const std::vector<PointView> others = {
      {"ie", "payload", vectors},     {"id", "payloae", vectors},
      {"idp", "ayload", vectors},     {"id", "payload", other_vectors},
      {"id", "payload", other_field}, {"id", "payload", {}},
      {"", "idpayload", vectors},     {"id", "payload", vectors, sparse},
      {"id", "payload", {}, sparse},  {"id", "payload", {}, other_sparse}};
  std::set<uint64_t> hashes = {hash.low};
  for (const PointView& other : others) {
    EXPECT_TRUE(hashes.insert(HashPoint(other).low).second);
  }
}

TEST(HashPointTest, AddsUpInAnyOrder) {
  const ContentHash a = HashPoint({"a", "1", {}});
  const ContentHash b = HashPoint({"b", "2", {}});
  ContentHash ab;
  ab.Add(a);
  ab.Add(b);
  ContentHash ba;
  ba.Add(b);
  ba.Add(a);
  EXPECT_EQ(ab, ba);
  ba.Remove(a);
  EXPECT_EQ(ba, b);
}

// A change of these values makes every data directory unreadable.
TEST(RecordCodecErrorTest, TheFormatDoesNotChange) {
  std::string record;
  EncodePoint(PointKey(1, "a"), 2, {.low = 3, .high = 4}, "p", &record);
  EXPECT_EQ(Checksum64(record), 176663546118674956U);
  const std::vector<float> values = {1.5F};
  const std::vector<FieldVector> vectors = {{0, values}};
  EncodeVectors(PointKey(1, "a"), 2, {.low = 3, .high = 4}, {vectors}, &record);
  EXPECT_EQ(Checksum64(record), 1033794508473732032U);
  EncodeChange(ChangeKey(1, 2), {2, {"a"}, {"b"}}, &record);
  EXPECT_EQ(Checksum64(record), 15640964463982855197U);
  EXPECT_EQ(HashPoint({"a", "p", vectors}).low, 5392378812727133471U);
}

}  // namespace
}  // namespace sextant
