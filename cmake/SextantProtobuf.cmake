# SPDX-License-Identifier: Apache-2.0
# Generated protobuf code. It lives in the build tree only, and its headers are
# SYSTEM headers: warnings in generated code are not ours.

# sextant_generate(<target> <import root> <with grpc> <proto>...): a static
# library of the generated code. Protos are absolute paths below the root.
function(sextant_generate target root with_grpc)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/generated/${target})
  file(MAKE_DIRECTORY ${out})
  set(generated)
  foreach(proto ${ARGN})
    file(RELATIVE_PATH relative ${root} ${proto})
    string(REGEX REPLACE "\\.proto$" "" stem ${out}/${relative})
    set(outputs ${stem}.pb.cc ${stem}.pb.h)
    set(flags --cpp_out=${out})
    if(with_grpc)
      list(APPEND outputs ${stem}.grpc.pb.cc ${stem}.grpc.pb.h)
      list(APPEND flags --grpc_out=${out}
           --plugin=protoc-gen-grpc=${SEXTANT_GRPC_PLUGIN})
    endif()
    # A proto may import any other of its set, so each depends on them all.
    add_custom_command(
      OUTPUT ${outputs}
      COMMAND ${SEXTANT_PROTOC} --proto_path=${root} ${flags} ${proto}
      DEPENDS ${ARGN}
      COMMENT "Generating ${relative}"
      VERBATIM)
    list(APPEND generated ${outputs})
  endforeach()
  add_custom_target(${target}_generated DEPENDS ${generated})
  add_dependencies(generated ${target}_generated)
  add_library(${target} STATIC ${generated})
  add_dependencies(${target} ${target}_generated)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE -w)
  if(SEXTANT_UNITY AND with_grpc)
    # Two .pb.cc use the same names; those of the services do not.
    set(messages ${generated})
    list(FILTER messages INCLUDE REGEX "\\.pb\\.cc$")
    list(FILTER messages EXCLUDE REGEX "\\.grpc\\.pb\\.cc$")
    set_source_files_properties(${messages} PROPERTIES
      SKIP_UNITY_BUILD_INCLUSION ON)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON)
  endif()
  target_include_directories(${target} SYSTEM PUBLIC ${out})
  target_link_libraries(${target} PUBLIC sextant::protobuf)
  if(with_grpc)
    target_link_libraries(${target} PUBLIC sextant::grpc)
  endif()
endfunction()

# sextant_protobuf_library(NAME x PROTOS a.proto ...): plain messages (no
# services) of one folder as library sextant_<x>, alias sextant::<x>. The
# header of storage/a.proto is included as "storage/a.pb.h".
function(sextant_protobuf_library)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "NAME" "PROTOS")
  sextant_check_arguments(sextant_protobuf_library)
  list(TRANSFORM arg_PROTOS PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  sextant_generate(sextant_${arg_NAME} ${PROJECT_SOURCE_DIR} FALSE
                   ${arg_PROTOS})
  add_library(sextant::${arg_NAME} ALIAS sextant_${arg_NAME})
endfunction()
