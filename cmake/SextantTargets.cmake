# SPDX-License-Identifier: Apache-2.0
# The few functions a folder's CMakeLists.txt calls. Examples:
#
#   sextant_component(
#     NAME storage
#     SOURCES rocks_engine.cc rocks_engine.h
#     DEPS sextant::base sextant::rocksdb sextant::absl
#     TESTS rocks_engine_test.cc
#     TEST_DEPS sextant::json
#     LABELS tsan)              # its unit tests also run under `tsan`
#
#   sextant_executable(NAME sextantd SOURCES main.cc DEPS sextant::server)
#
#   sextant_test(
#     NAME kill_loop_test SOURCES kill_loop_test.cc DEPS sextant::engine
#     LABELS crash TIMEOUT 300)
#
#   sextant_fuzz_target(NAME record_fuzz SOURCES record_fuzz.cc
#                       DEPS sextant::storage CORPUS corpus/record)
#
# `cmake --build <dir> --target tests-<label>` builds just what
# `ctest -L <label>` runs; the target `tests` builds what `ctest` runs.

set(sextant_warnings
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
  -Wnon-virtual-dtor -Woverloaded-virtual -Wold-style-cast
  -Wimplicit-fallthrough -Wextra-semi
  # {.limit = 5} leaves the other options at their defaults, on purpose.
  -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # gcc 12 warns falsely (-Wrestrict) about "a" + string.
  list(APPEND sextant_warnings -Wduplicated-cond -Wduplicated-branches
       -Wlogical-op -Wno-restrict)
  if(SEXTANT_SANITIZE)
    # gcc 12 warns falsely about inlined library code under sanitizers.
    list(APPEND sextant_warnings -Wno-maybe-uninitialized -Wno-tsan)
  endif()
else()
  list(APPEND sextant_warnings -Wthread-safety -Wthread-safety-beta
       -Werror=thread-safety)
endif()
if(SEXTANT_WERROR)
  list(APPEND sextant_warnings -Werror)
endif()

# Everything ctest runs, and everything protoc makes (clang-tidy needs it).
add_custom_target(tests)
add_custom_target(generated)

# How much longer a test may take under a sanitizer.
set(sextant_timeout_factor 1)
if(SEXTANT_SANITIZE)
  set(sextant_timeout_factor 5)
endif()

function(sextant_apply_flags target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE ${sextant_warnings})
  target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR})
endfunction()

# With SEXTANT_UNITY, eight sources of the target become one for the compiler.
# Headers are then read, and templates made, once instead of eight times. Two
# files of one target may not use a name for different things, then.
function(sextant_unity target)
  if(NOT SEXTANT_UNITY)
    return()
  endif()
  set_target_properties(${target} PROPERTIES
    UNITY_BUILD ON
    UNITY_BUILD_BATCH_SIZE 8)
  # A type of an unnamed namespace, used in the class of a .cc file: gcc takes
  # that file for a header here.
  target_compile_options(${target} PRIVATE
    $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endfunction()

# For tests: in groups too, where each may have its own kTestSeed.
function(sextant_apply_test_flags target)
  sextant_apply_flags(${target})
  sextant_unity(${target})
  if(NOT SEXTANT_UNITY)
    return()
  endif()
  set_target_properties(${target} PROPERTIES
    UNITY_BUILD_UNIQUE_ID SEXTANT_UNITY_FILE)
  target_compile_options(${target} PRIVATE
    -include ${PROJECT_SOURCE_DIR}/cmake/unity_test_names.h)
endfunction()

# Registers an executable with ctest, under labels, as one entry: starting one
# process per component is much cheaper than one per test case. SHARDS n makes
# n entries with a share of its tests each, for a program that mostly waits.
function(sextant_register_test)
  cmake_parse_arguments(PARSE_ARGV 0 arg "SERIAL" "TARGET;TIMEOUT;SHARDS"
                        "LABELS;ARGS;ENVIRONMENT;TARGETS")
  if(NOT arg_TIMEOUT)
    # Several times what the slowest takes, so that a busy machine passes too.
    set(arg_TIMEOUT 900)
  endif()
  set(entries ${arg_TARGET})
  if(arg_SHARDS)
    list(TRANSFORM entries APPEND _1)
    foreach(shard RANGE 2 ${arg_SHARDS})
      list(APPEND entries ${arg_TARGET}_${shard})
    endforeach()
  endif()
  math(EXPR timeout "${arg_TIMEOUT} * ${sextant_timeout_factor}")
  set(shard 0)
  foreach(entry ${entries})
    add_test(NAME ${entry} COMMAND ${arg_TARGET} ${arg_ARGS}
             WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set(environment ${arg_ENVIRONMENT})
    if(arg_SHARDS)
      list(APPEND environment GTEST_TOTAL_SHARDS=${arg_SHARDS}
           GTEST_SHARD_INDEX=${shard})
      math(EXPR shard "${shard} + 1")
    endif()
    set_tests_properties(${entry} PROPERTIES
      LABELS "${arg_LABELS}"
      TIMEOUT ${timeout}
      # An executable without tests is a mistake in CMake, not a pass.
      FAIL_REGULAR_EXPRESSION "Running 0 tests from 0 test suites")
    if(arg_SERIAL)
      set_tests_properties(${entry} PROPERTIES RUN_SERIAL TRUE)
    endif()
    if(environment)
      set_property(TEST ${entry} APPEND PROPERTY
                   ENVIRONMENT "${environment}")
    endif()
  endforeach()
  sextant_test_targets("${arg_LABELS}" ${arg_TARGET} ${arg_TARGETS})
endfunction()

# sextant_test_targets(<labels> <target>...): tests of those labels need them.
function(sextant_test_targets labels)
  foreach(label ${labels})
    if(NOT TARGET tests-${label})
      add_custom_target(tests-${label})
    endif()
    if(ARGN)
      add_dependencies(tests-${label} ${ARGN})
    endif()
  endforeach()
  if(ARGN)
    add_dependencies(tests ${ARGN})
  endif()
endfunction()

# A folder's library sextant_<name> (alias sextant::<name>) and its unit tests
# <name>_test. OPTIMIZE is for hot loops: -O3 in optimised builds, and -O1 in
# all others, for its tests too, which would crawl without. BY_FILE is for files
# that use one name for different things, one file for each kind of CPU.
function(sextant_component)
  cmake_parse_arguments(PARSE_ARGV 0 arg "OPTIMIZE;BY_FILE" "NAME;TIMEOUT"
                        "SOURCES;DEPS;TESTS;TEST_DEPS;LABELS")
  sextant_check_arguments(sextant_component)
  set(target sextant_${arg_NAME})
  set(compiled ${arg_SOURCES})
  list(FILTER compiled INCLUDE REGEX "\\.(cc|c)$")
  if(compiled)
    add_library(${target} STATIC ${arg_SOURCES})
    sextant_apply_flags(${target})
    target_link_libraries(${target} PUBLIC ${arg_DEPS})
    if(arg_OPTIMIZE)
      target_compile_options(${target} PRIVATE
        $<IF:$<CONFIG:RelWithDebInfo,Release>,-O3,-O1>)
    endif()
    # What users run has its hot loops compiled file by file: neighbours must
    # not change what becomes of them.
    if(NOT arg_BY_FILE AND (SEXTANT_SANITIZE OR NOT arg_OPTIMIZE))
      sextant_unity(${target})
    endif()
  else()
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE ${PROJECT_SOURCE_DIR})
    target_link_libraries(${target} INTERFACE ${arg_DEPS})
  endif()
  add_library(sextant::${arg_NAME} ALIAS ${target})
  if(arg_TESTS AND BUILD_TESTING)
    add_executable(${arg_NAME}_test ${arg_TESTS})
    sextant_apply_test_flags(${arg_NAME}_test)
    if(arg_OPTIMIZE)
      target_compile_options(${arg_NAME}_test PRIVATE
        $<$<NOT:$<CONFIG:RelWithDebInfo,Release>>:-O1>)
    endif()
    target_link_libraries(${arg_NAME}_test PRIVATE
      ${target} ${arg_TEST_DEPS} sextant::absl sextant::gtest
      GTest::gmock_main)
    sextant_register_test(TARGET ${arg_NAME}_test TIMEOUT ${arg_TIMEOUT}
                          LABELS unit ${arg_LABELS})
  endif()
endfunction()

# A program. It lands at build/<preset>/<folder>/<name>.
function(sextant_executable)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "SOURCES;DEPS")
  sextant_check_arguments(sextant_executable)
  add_executable(${arg_NAME} ${arg_SOURCES})
  sextant_apply_flags(${arg_NAME})
  sextant_unity(${arg_NAME})
  target_link_libraries(${arg_NAME} PRIVATE ${arg_DEPS})
endfunction()

# A test that crosses folders. LABELS default to `integration`; TARGETS names
# programs the test starts, so that building a label builds them too; SERIAL
# keeps other tests away while it runs; NO_MAIN when it has its own main();
# SHARDS as above.
function(sextant_test)
  cmake_parse_arguments(PARSE_ARGV 0 arg "SERIAL;NO_MAIN" "NAME;TIMEOUT;SHARDS"
                        "SOURCES;DEPS;LABELS;ARGS;ENVIRONMENT;TARGETS")
  sextant_check_arguments(sextant_test)
  if(NOT BUILD_TESTING)
    return()
  endif()
  if(NOT arg_LABELS)
    set(arg_LABELS integration)
  endif()
  add_executable(${arg_NAME} ${arg_SOURCES})
  sextant_apply_test_flags(${arg_NAME})
  target_link_libraries(${arg_NAME} PRIVATE
    ${arg_DEPS} sextant::absl sextant::gtest)
  if(NOT arg_NO_MAIN)
    target_link_libraries(${arg_NAME} PRIVATE GTest::gmock_main)
  endif()
  set(serial)
  if(arg_SERIAL)
    set(serial SERIAL)
  endif()
  sextant_register_test(TARGET ${arg_NAME} ${serial}
    TIMEOUT ${arg_TIMEOUT} SHARDS ${arg_SHARDS} LABELS ${arg_LABELS}
    ARGS ${arg_ARGS} ENVIRONMENT ${arg_ENVIRONMENT} TARGETS ${arg_TARGETS})
endfunction()

# A test that is one run of a program of ours, judged by its exit code.
# TARGETS names what must be built first. LABELS default to `unit`.
function(sextant_command_test)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;TIMEOUT"
                        "COMMAND;TARGETS;LABELS;ENVIRONMENT")
  sextant_check_arguments(sextant_command_test)
  if(NOT BUILD_TESTING)
    return()
  endif()
  if(NOT arg_LABELS)
    set(arg_LABELS unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  math(EXPR timeout "${arg_TIMEOUT} * ${sextant_timeout_factor}")
  add_test(NAME ${arg_NAME} COMMAND ${arg_COMMAND}
           WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${arg_NAME} PROPERTIES
    LABELS "${arg_LABELS}" TIMEOUT ${timeout}
    ENVIRONMENT "${arg_ENVIRONMENT}")
  sextant_test_targets("${arg_LABELS}" ${arg_TARGETS})
endfunction()

# A libFuzzer program, built by the preset `fuzz` only. Its CORPUS folder is
# replayed by ctest under the label `fuzz`.
function(sextant_fuzz_target)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME;CORPUS" "SOURCES;DEPS")
  sextant_check_arguments(sextant_fuzz_target)
  if(NOT SEXTANT_FUZZ)
    return()
  endif()
  add_executable(${arg_NAME} ${arg_SOURCES})
  sextant_apply_flags(${arg_NAME})
  target_link_libraries(${arg_NAME} PRIVATE ${arg_DEPS})
  target_link_options(${arg_NAME} PRIVATE -fsanitize=fuzzer)
  set(corpus)
  if(arg_CORPUS)
    set(corpus ${CMAKE_CURRENT_SOURCE_DIR}/${arg_CORPUS})
  endif()
  # Read by `./dev fuzz`.
  set_property(GLOBAL APPEND_STRING PROPERTY SEXTANT_FUZZ_TARGETS
               "${arg_NAME}|$<TARGET_FILE:${arg_NAME}>|${corpus}\n")
  if(arg_CORPUS)
    sextant_register_test(TARGET ${arg_NAME} LABELS fuzz ARGS
      -runs=0 ${corpus})
  endif()
endfunction()

# Called inside the functions above: a misspelt keyword must not pass.
macro(sextant_check_arguments function_name)
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR
            "${function_name}: unknown arguments ${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT arg_NAME)
    message(FATAL_ERROR "${function_name}: NAME is missing")
  endif()
endmacro()
