// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>

#include "rocksdb/file_checksum.h"

namespace sextant {

// Makes the checksums of whole files that RocksDB keeps in its manifest. Names
// and values are those of rocksdb::GetFileChecksumGenCrc32cFactory(), whose
// files it verifies too, but with the processor's instruction for CRC-32C,
// which Debian's RocksDB is compiled without: every byte that a flush or a
// compaction writes goes through it.
std::shared_ptr<rocksdb::FileChecksumGenFactory> MakeFileChecksumFactory();

}  // namespace sextant
