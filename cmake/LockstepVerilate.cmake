# SPDX-License-Identifier: Apache-2.0
# How SystemVerilog becomes a C++ library. Verilator runs when the library is built, not when the tree is configured,
# and again when a source has changed.

find_program(LOCKSTEP_VERILATOR verilator)
find_program(LOCKSTEP_YOSYS yosys)

# What every verilated design needs at run time: built once, with traces and coverage for those that want them.
function(lockstep_verilated_runtime)
  if(TARGET lockstep_verilated_runtime)
    return()
  endif()
  execute_process(COMMAND ${LOCKSTEP_VERILATOR} --getenv VERILATOR_ROOT OUTPUT_VARIABLE root
                  OUTPUT_STRIP_TRAILING_WHITESPACE)
  find_package(ZLIB REQUIRED)
  set(include ${root}/include)
  add_library(lockstep_verilated_runtime STATIC ${include}/verilated.cpp ${include}/verilated_threads.cpp
                                                ${include}/verilated_cov.cpp ${include}/verilated_fst_c.cpp)
  target_include_directories(lockstep_verilated_runtime SYSTEM PUBLIC ${include} ${include}/vltstd)
  target_compile_definitions(lockstep_verilated_runtime PUBLIC VM_COVERAGE=1 VM_TRACE=1 VM_TRACE_FST=1 VM_TRACE_VCD=0
                                                               VM_SC=0)
  target_compile_options(lockstep_verilated_runtime PRIVATE -w)
  target_link_libraries(lockstep_verilated_runtime PUBLIC ZLIB::ZLIB Threads::Threads)
endfunction()

# lockstep_verilate(NAME TOP module SOURCES file... [DEPENDS file...] [PARAMETERS NAME=VALUE...] [FLAGS flag...]
#                   [TRACE] [COVERAGE] [NO_ASSERT]): the static library lockstep_NAME with the class NAME in NAME.h.
# SOURCES come in the order in which Verilator reads them, packages first; checkers with their `bind` are sources too.
# DEPENDS are files that sources include. Without Verilator there is no such target: callers ask if(TARGET ...).
function(lockstep_verilate name)
  cmake_parse_arguments(ARG "TRACE;COVERAGE;NO_ASSERT" "TOP" "SOURCES;DEPENDS;PARAMETERS;FLAGS" ${ARGN})
  if(NOT LOCKSTEP_VERILATOR)
    return()
  endif()
  lockstep_verilated_runtime()
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${name}.verilated)
  set(flags --cc --top-module ${ARG_TOP} --prefix ${name} -Mdir ${folder} -Wall -O3 --x-assign unique --x-initial unique
            --output-split 20000)
  if(NOT ARG_NO_ASSERT)
    list(APPEND flags --assert)
  endif()
  if(ARG_TRACE)
    list(APPEND flags --trace-fst --trace-structs)
  endif()
  if(ARG_COVERAGE)
    list(APPEND flags --coverage)
  endif()
  foreach(parameter ${ARG_PARAMETERS})
    list(APPEND flags -G${parameter})
  endforeach()
  set(sources)
  foreach(source ${ARG_SOURCES})
    get_filename_component(path ${source} ABSOLUTE)
    list(APPEND sources ${path})
  endforeach()
  # The names of what Verilator writes follow from the design, so one unit includes what runs in each cycle and another
  # one what runs once.
  add_custom_command(
    OUTPUT ${folder}/${name}_fast.cpp ${folder}/${name}_slow.cpp ${folder}/${name}.h
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${folder}
    COMMAND ${LOCKSTEP_VERILATOR} ${flags} ${ARG_FLAGS} ${sources}
    COMMAND ${CMAKE_COMMAND} -DFOLDER=${folder} -DNAME=${name} -P ${CMAKE_SOURCE_DIR}/cmake/verilated_units.cmake
    DEPENDS ${sources} ${ARG_DEPENDS} ${CMAKE_SOURCE_DIR}/cmake/verilated_units.cmake
    COMMENT "Verilating ${name}"
    VERBATIM)
  add_library(lockstep_${name} STATIC ${folder}/${name}_fast.cpp ${folder}/${name}_slow.cpp)
  target_include_directories(lockstep_${name} SYSTEM PUBLIC ${folder})
  target_compile_options(lockstep_${name} PRIVATE -w -fno-strict-aliasing)
  set_source_files_properties(${folder}/${name}_slow.cpp PROPERTIES COMPILE_OPTIONS -O1)
  target_link_libraries(lockstep_${name} PUBLIC lockstep_verilated_runtime)
endfunction()
