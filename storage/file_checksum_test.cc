// SPDX-License-Identifier: Apache-2.0
#include "storage/file_checksum.h"

#include <algorithm>
#include <memory>
#include <random>
#include <string>

#include "gtest/gtest.h"

namespace sextant {
namespace {

std::string ChecksumOf(rocksdb::FileChecksumGenFactory& factory,
                       const std::string& bytes, size_t piece) {
  const auto generator = factory.CreateFileChecksumGenerator({});
  for (size_t i = 0; i < bytes.size(); i += piece) {
    generator->Update(bytes.data() + i, std::min(piece, bytes.size() - i));
  }
  generator->Finalize();
  return std::string(generator->Name()) + ":" + generator->GetChecksum();
}

// Files of older versions have RocksDB's own checksums.
TEST(FileChecksumTest, EqualsRocksDbs) {
  const auto ours = MakeFileChecksumFactory();
  const auto theirs = rocksdb::GetFileChecksumGenCrc32cFactory();
  EXPECT_STREQ(ours->Name(), theirs->Name());
  std::mt19937_64 random(1);  // a fixed seed: the same bytes every time
  std::string bytes;
  for (const size_t size : {0U, 1U, 7U, 8U, 9U, 4096U, 100003U}) {
    while (bytes.size() < size) {
      bytes.push_back(static_cast<char>(random()));
    }
    for (const size_t piece : {1U, 13U, 4096U}) {
      EXPECT_EQ(ChecksumOf(*ours, bytes, piece),
                ChecksumOf(*theirs, bytes, piece))
          << size << " bytes, " << piece << " at a time";
    }
  }
}

TEST(FileChecksumTest, KnowsNoOtherFunction) {
  rocksdb::FileChecksumGenContext context;
  context.requested_checksum_func_name = "another";
  EXPECT_EQ(MakeFileChecksumFactory()->CreateFileChecksumGenerator(context),
            nullptr);
}

}  // namespace
}  // namespace sextant
