# SPDX-License-Identifier: Apache-2.0
# Every third-party library, as one interface target each: `sextant::<name>`.
# All come from Debian 12 (tools/packages.txt) and live under /usr/include, so
# the compiler treats their headers as system headers and stays silent.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(absl CONFIG REQUIRED)
find_package(GTest CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
find_package(nlohmann_json CONFIG REQUIRED)
find_package(roaring CONFIG REQUIRED)

# sextant_alias(<name> <link item>...): sextant::<name> links to the items.
function(sextant_alias name)
  add_library(sextant_dep_${name} INTERFACE)
  target_link_libraries(sextant_dep_${name} INTERFACE ${ARGN})
  add_library(sextant::${name} ALIAS sextant_dep_${name})
endfunction()

# sextant_pkgconfig(<name> <pkg-config module>...)
function(sextant_pkgconfig name)
  pkg_check_modules(SEXTANT_PC_${name} REQUIRED IMPORTED_TARGET ${ARGN})
  sextant_alias(${name} PkgConfig::SEXTANT_PC_${name})
endfunction()

# sextant_header_only(<name> <header>): checks that the header is installed.
function(sextant_header_only name header)
  find_path(SEXTANT_INCLUDE_${name} ${header} REQUIRED)
  add_library(sextant_dep_${name} INTERFACE)
  target_include_directories(sextant_dep_${name} SYSTEM INTERFACE
                             ${SEXTANT_INCLUDE_${name}})
  add_library(sextant::${name} ALIAS sextant_dep_${name})
endfunction()

sextant_alias(threads Threads::Threads)
sextant_alias(absl
  absl::any_invocable absl::base absl::btree absl::cleanup
  absl::core_headers absl::flat_hash_map absl::flat_hash_set
  absl::function_ref absl::hash absl::inlined_vector absl::memory
  absl::node_hash_map absl::span absl::status absl::statusor
  absl::str_format absl::strings absl::time)
sextant_alias(gtest GTest::gmock GTest::gtest)
sextant_alias(cli11 CLI11::CLI11)
sextant_alias(json nlohmann_json::nlohmann_json)
sextant_alias(roaring roaring::roaring)

sextant_pkgconfig(protobuf protobuf)
sextant_pkgconfig(grpc grpc++)
sextant_pkgconfig(rocksdb rocksdb)
sextant_pkgconfig(spdlog spdlog)
sextant_pkgconfig(yaml yaml-cpp)
sextant_pkgconfig(httplib cpp-httplib)
sextant_pkgconfig(prometheus prometheus-cpp-core)
sextant_pkgconfig(icu_text icu-uc icu-i18n)
sextant_pkgconfig(openblas openblas)

sextant_header_only(hnswlib hnswlib/hnswlib.h)
sextant_header_only(fp16 fp16.h)
sextant_header_only(xxhash xxhash.h)
sextant_header_only(icu unicode/utf8.h)

# Snowball's stemmers come without a pkg-config file.
find_path(SEXTANT_INCLUDE_stemmer libstemmer.h REQUIRED)
find_library(SEXTANT_STEMMER stemmer REQUIRED)
sextant_alias(stemmer ${SEXTANT_STEMMER})

# gRPC's server reflection is a library of its own without a pkg-config file.
find_library(SEXTANT_GRPC_REFLECTION grpc++_reflection REQUIRED)
sextant_alias(grpc_reflection ${SEXTANT_GRPC_REFLECTION} sextant::grpc)

# Only benchmarks and the recall oracle use these; a build without them works.

find_package(benchmark CONFIG QUIET)
if(benchmark_FOUND)
  sextant_alias(benchmark benchmark::benchmark)
endif()
find_library(SEXTANT_FAISS faiss)
find_package(OpenMP QUIET COMPONENTS CXX)
if(SEXTANT_FAISS AND OpenMP_CXX_FOUND)
  sextant_alias(faiss ${SEXTANT_FAISS} sextant::openblas OpenMP::OpenMP_CXX)
endif()

pkg_check_modules(SEXTANT_PC_sqlite QUIET IMPORTED_TARGET sqlite3)
if(SEXTANT_PC_sqlite_FOUND)
  sextant_alias(sqlite PkgConfig::SEXTANT_PC_sqlite)
endif()
pkg_check_modules(SEXTANT_PC_xapian QUIET IMPORTED_TARGET xapian-core)
if(SEXTANT_PC_xapian_FOUND)
  sextant_alias(xapian PkgConfig::SEXTANT_PC_xapian)
endif()

find_program(SEXTANT_PROTOC protoc REQUIRED)
find_program(SEXTANT_GRPC_PLUGIN grpc_cpp_plugin REQUIRED)
