// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace sextant {

// The server's configuration. What each value means, its unit and its range
// stand once, in the table of config_keys.cc; here are type and default.
struct Config {
  struct Grpc {
    std::string listen = "127.0.0.1:6350";
    std::string unix_socket;
    uint64_t max_message_mb = 64;
    uint64_t max_concurrent_streams = 128;
    uint64_t search_threads = 0;
    uint64_t search_queue = 256;
    uint64_t read_threads = 4;
    uint64_t read_queue = 256;
    uint64_t write_threads = 16;
    uint64_t write_queue = 256;
    uint64_t analysis_threads = 2;
    uint64_t analysis_queue = 16;
    std::string reflection = "auto";
  } grpc;

  struct Http {
    bool enabled = true;
    std::string listen = "127.0.0.1:6351";
    uint64_t collection_labels_max = 100;
  } http;

  struct Storage {
    std::string data_dir = "./sextant-data";
    std::string durability = "sync";
    uint64_t memory_mb = 256;
    uint64_t max_wal_mb = 256;
  } storage;

  struct Engine {
    double default_recall_target = 0.95;
    uint64_t default_ef = 0;
    uint64_t recall_probe_every = 1024;
    uint64_t recall_probe_cpu_percent = 1;
    uint64_t seal_rows = 8192;
    uint64_t seal_idle_ms = 1000;
    uint64_t min_graph_rows = 2048;
    uint64_t build_threads = 0;
    uint64_t group_commit_us = 1000;
    uint64_t group_commit_kb = 256;
  } engine;

  struct Logging {
    std::string level = "info";
    std::string format = "text";
    uint64_t slow_query_ms = 1000;
  } log;

  struct Server {
    uint64_t drain_seconds = 20;
    bool insecure = false;
  } server;
};

}  // namespace sextant
