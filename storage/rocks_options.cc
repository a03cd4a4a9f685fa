// SPDX-License-Identifier: Apache-2.0
#include "storage/rocks_options.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "rocksdb/convenience.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/rate_limiter.h"
#include "rocksdb/sst_file_manager.h"
#include "rocksdb/table.h"
#include "rocksdb/write_buffer_manager.h"

#include "storage/file_checksum.h"

namespace sextant {
namespace {

constexpr uint64_t kMiB = 1ULL << 20U;

// The first of `wanted` that this build of RocksDB has, else none.
rocksdb::CompressionType FirstSupported(
    std::initializer_list<rocksdb::CompressionType> wanted) {
  const std::vector<rocksdb::CompressionType> supported =
      rocksdb::GetSupportedCompressions();
  for (const rocksdb::CompressionType type : wanted) {
    if (std::find(supported.begin(), supported.end(), type) !=
        supported.end()) {
      return type;
    }
  }
  return rocksdb::kNoCompression;
}

rocksdb::ColumnFamilyOptions MakeFamilyOptions(
    Family family, uint64_t memory_bytes,
    const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.format_version = 5;
  // One vector fills a 4 KB block or more, so small blocks only cost index.
  table.block_size = family == Family::kVectors ? 32 << 10 : 8 << 10;

  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = std::clamp<uint64_t>(
      memory_bytes / 8, uint64_t{1} * kMiB, uint64_t{32} * kMiB);
  // The write buffer manager is the real limit; this only lets one family
  // fill a buffer while another is written out.
  options.max_write_buffer_number = 4;
  options.level_compaction_dynamic_level_bytes = true;
  options.paranoid_file_checks = true;
  options.force_consistency_checks = true;
  if (family == Family::kVectors) {
    // Floats do not compress.
    options.compression = rocksdb::kNoCompression;
  } else {
    options.compression =
        FirstSupported({rocksdb::kLZ4Compression, rocksdb::kSnappyCompression});
    options.bottommost_compression =
        FirstSupported({rocksdb::kZSTD, rocksdb::kLZ4Compression});
  }
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

void SetDurability(rocksdb::DBOptions* db, const StoreOptions& options) {
  // Replays up to the first hole. A hole that is no torn tail is refused
  // before that (log_check.h), and a missing log by the next setting.
  db->wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  db->track_and_verify_wals_in_manifest = true;
  db->verify_sst_unique_id_in_manifest = true;
  db->paranoid_checks = true;
  // VerifyFileChecksums only sees files written with this set.
  db->file_checksum_gen_factory = MakeFileChecksumFactory();
  // Many families share the log; without a limit a quiet one pins it.
  db->max_total_wal_size = options.max_wal_bytes;
  // Writes out dirty pages steadily, not in bursts that delay an fsync.
  db->bytes_per_sync = kMiB;
  db->wal_bytes_per_sync = kMiB;
}

void SetLimits(rocksdb::DBOptions* db) {
  db->max_background_jobs = 2;
  db->max_open_files = 512;
  // Follows the load down to a twentieth, so that compaction does not delay
  // the fsync of a commit.
  db->rate_limiter.reset(rocksdb::NewGenericRateLimiter(
      256 * kMiB, 100'000, 10, rocksdb::RateLimiter::Mode::kWritesOnly,
      /*auto_tuned=*/true));
  // The info log is for reading after an accident; the server has its own.
  db->info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  db->max_log_file_size = kMiB;
  db->keep_log_file_num = 2;
  db->stats_dump_period_sec = 0;
  db->stats_persist_period_sec = 0;
  db->max_manifest_file_size = 16 * kMiB;
}

}  // namespace

RocksOptions MakeRocksOptions(const StoreOptions& options, rocksdb::Env* env,
                              std::shared_ptr<rocksdb::FileSystem> files,
                              std::shared_ptr<CompactionDamage> damage) {
  const uint64_t memory_bytes = std::max(options.memory_bytes, 8 * kMiB);
  const std::shared_ptr<rocksdb::Cache> cache =
      rocksdb::NewLRUCache(memory_bytes, /*num_shard_bits=*/-1,
                           /*strict_capacity_limit=*/false,
                           /*high_pri_pool_ratio=*/0.3);
  RocksOptions result;
  result.db.create_if_missing = true;
  result.db.create_missing_column_families = true;
  result.db.env = env;
  result.db.listeners.push_back(std::move(damage));
  // Memtables are charged to the cache, so both together keep to the limit.
  result.db.write_buffer_manager =
      std::make_shared<rocksdb::WriteBufferManager>(memory_bytes / 2, cache);
  // With this, RocksDB resumes by itself after a full disk.
  result.db.sst_file_manager.reset(
      rocksdb::NewSstFileManager(env, std::move(files)));
  SetDurability(&result.db, options);
  SetLimits(&result.db);
  for (uint32_t id = 0; id < kFamilyCount; ++id) {
    result.families.at(id) =
        MakeFamilyOptions(static_cast<Family>(id), memory_bytes, cache);
  }
  return result;
}

}  // namespace sextant
