// SPDX-License-Identifier: Apache-2.0
#include "storage/file_checksum.h"

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

#include "base/coding.h"
#include "storage/crc32c.h"

namespace sextant {
namespace {

// In the manifests of existing stores.
constexpr char kFunctionName[] = "FileChecksumCrc32c";

class Generator final : public rocksdb::FileChecksumGenerator {
 public:
  void Update(const char* data, size_t n) override {
    crc_ = ExtendCrc32c(crc_, absl::string_view(data, n));
  }
  void Finalize() override { AppendBigEndian<uint32_t>(&checksum_, crc_); }
  std::string GetChecksum() const override { return checksum_; }
  const char* Name() const override { return kFunctionName; }

 private:
  uint32_t crc_ = 0;
  std::string checksum_;
};

class Factory final : public rocksdb::FileChecksumGenFactory {
 public:
  std::unique_ptr<rocksdb::FileChecksumGenerator> CreateFileChecksumGenerator(
      const rocksdb::FileChecksumGenContext& context) override {
    const std::string& wanted = context.requested_checksum_func_name;
    // By the interface's contract, null says that the function is unknown.
    return wanted.empty() || wanted == kFunctionName
               ? std::make_unique<Generator>()
               : nullptr;
  }
  const char* Name() const override { return "FileChecksumGenCrc32cFactory"; }
};

}  // namespace

std::shared_ptr<rocksdb::FileChecksumGenFactory> MakeFileChecksumFactory() {
  return std::make_shared<Factory>();
}

}  // namespace sextant
