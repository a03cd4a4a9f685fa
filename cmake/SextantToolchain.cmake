# SPDX-License-Identifier: Apache-2.0
# Settings that hold for every target: linker, compiler cache, CPU baseline,
# sanitizers. The flags of one target (warnings) are in SextantTargets.cmake.

if(NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(SEXTANT_CCACHE ccache)
  if(SEXTANT_CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER ${SEXTANT_CCACHE})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${SEXTANT_CCACHE})
  endif()
endif()

find_program(SEXTANT_LLD ld.lld)
if(SEXTANT_LLD)
  add_link_options(-fuse-ld=lld)
endif()
add_link_options(-Wl,--as-needed)

# One binary for every x86-64 machine since about 2009. Wider instructions are
# chosen at run time, function by function; never by -march=native.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
  add_compile_options(-march=x86-64-v2)
endif()

# Frame pointers keep profiles and crash traces readable at about 1 % cost.
add_compile_options(-fno-omit-frame-pointer)

if(SEXTANT_SANITIZE)
  add_compile_options(-fsanitize=${SEXTANT_SANITIZE})
  add_link_options(-fsanitize=${SEXTANT_SANITIZE})
  if(SEXTANT_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=all)
  endif()
endif()

if(SEXTANT_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "SEXTANT_FUZZ needs clang; use the preset 'fuzz'")
  endif()
  # Coverage feedback in every library; only fuzz targets link the driver.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
