# SPDX-License-Identifier: Apache-2.0
# SystemVerilog into C++ libraries, by Verilator. A machine without Verilator configures and builds all the same: what
# needs a design in RTL is absent then, and says so. LOCKSTEP_VERILATOR_FOUND tells which it is.
include_guard(GLOBAL)

find_program(LOCKSTEP_VERILATOR verilator)
set(LOCKSTEP_VERILATOR_FOUND FALSE)
if(LOCKSTEP_VERILATOR)
  execute_process(COMMAND ${LOCKSTEP_VERILATOR} --getenv VERILATOR_ROOT OUTPUT_VARIABLE LOCKSTEP_VERILATOR_ROOT
                  OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed)
  if(NOT failed AND EXISTS ${LOCKSTEP_VERILATOR_ROOT}/include/verilated.cpp)
    set(LOCKSTEP_VERILATOR_FOUND TRUE)
  endif()
endif()
if(NOT LOCKSTEP_VERILATOR_FOUND)
  message(STATUS "Verilator was not found: designs in RTL are left out (Debian: apt install verilator)")
endif()
set(LOCKSTEP_VERILATE_JOIN ${CMAKE_CURRENT_LIST_DIR}/join_verilated.cmake)

# Verilator's own library, once for all designs of a kind. What stops a simulation goes to rtl_device/verilated_stop.cpp.
function(_lockstep_verilated_runtime variant)
  if(TARGET lockstep_verilated_${variant})
    return()
  endif()
  set(include ${LOCKSTEP_VERILATOR_ROOT}/include)
  set(sources ${include}/verilated.cpp ${include}/verilated_threads.cpp
              ${PROJECT_SOURCE_DIR}/smmu_rtl_bridge/rtl_device/verilated_stop.cpp)
  if(variant STREQUAL "trace")
    list(APPEND sources ${include}/verilated_fst_c.cpp)
  elseif(variant STREQUAL "coverage")
    list(APPEND sources ${include}/verilated_cov.cpp)
  endif()
  add_library(lockstep_verilated_${variant} STATIC EXCLUDE_FROM_ALL ${sources})
  set_target_properties(lockstep_verilated_${variant} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_include_directories(lockstep_verilated_${variant} SYSTEM PUBLIC ${include} ${include}/vltstd)
  target_include_directories(lockstep_verilated_${variant} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(lockstep_verilated_${variant} PUBLIC
    VL_USER_STOP VL_USER_FATAL VL_USER_FINISH VL_PRINTF=lockstep_verilated_print
    VM_TRACE=$<STREQUAL:${variant},trace> VM_TRACE_FST=$<STREQUAL:${variant},trace>
    VM_COVERAGE=$<STREQUAL:${variant},coverage>)
  target_compile_options(lockstep_verilated_${variant} PUBLIC
    -include ${PROJECT_SOURCE_DIR}/smmu_rtl_bridge/rtl_device/verilated_print.h)
  target_compile_options(lockstep_verilated_${variant} PRIVATE -w)
  target_link_libraries(lockstep_verilated_${variant} PUBLIC Threads::Threads)
  if(variant STREQUAL "trace")
    find_package(ZLIB REQUIRED)
    target_link_libraries(lockstep_verilated_${variant} PUBLIC ZLIB::ZLIB)
  endif()
endfunction()

# lockstep_verilate(TARGET TOP module SOURCES file... [VARIANT plain|trace|coverage] [ARGS verilator-option...]): the
# static library TARGET with the class V<module> in "V<module>.h". Packages come before what uses them. Runs when what it
# is made of changes, never while CMake configures. EXCLUDE_FROM_ALL: whatever uses it builds it.
function(lockstep_verilate target)
  cmake_parse_arguments(ARG "" "TOP;VARIANT" "SOURCES;ARGS" ${ARGN})
  if(NOT ARG_VARIANT)
    set(ARG_VARIANT plain)
  endif()
  _lockstep_verilated_runtime(${ARG_VARIANT})
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/${target}.verilated)
  set(sources "")
  foreach(source ${ARG_SOURCES})
    get_filename_component(source ${source} ABSOLUTE)
    list(APPEND sources ${source})
  endforeach()
  set(options --cc --top-module ${ARG_TOP} --prefix V${ARG_TOP} -Mdir ${folder} --assert -O3 --x-assign fast
              --x-initial fast -Wno-fatal -Wno-WIDTH -Wno-UNUSED -Wno-DECLFILENAME)
  if(ARG_VARIANT STREQUAL "trace")
    list(APPEND options --trace-fst --trace-structs)
  elseif(ARG_VARIANT STREQUAL "coverage")
    list(APPEND options --coverage)
  endif()
  # Points of coverage are as much code again as the design, many times over: more files, and less care for each.
  set(pieces 1)
  set(care -O2)
  if(ARG_VARIANT STREQUAL "coverage")
    set(pieces 6)
    set(care -O1)
  endif()
  set(joined "")
  math(EXPR last "${pieces} - 1")
  foreach(piece RANGE ${last})
    list(APPEND joined ${folder}/joined_fast_${piece}.cpp ${folder}/joined_slow_${piece}.cpp)
    set_source_files_properties(${folder}/joined_fast_${piece}.cpp PROPERTIES
      COMPILE_OPTIONS "${care};-g0;-fno-strict-aliasing;-w")
    set_source_files_properties(${folder}/joined_slow_${piece}.cpp PROPERTIES
      COMPILE_OPTIONS "-O0;-g0;-fno-strict-aliasing;-w")
  endforeach()
  add_custom_command(
    OUTPUT ${joined}
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${folder}
    COMMAND ${LOCKSTEP_VERILATOR} ${options} ${ARG_ARGS} ${sources}
    COMMAND ${CMAKE_COMMAND} -DFOLDER=${folder} -DPREFIX=V${ARG_TOP} -DPIECES=${pieces} -P ${LOCKSTEP_VERILATE_JOIN}
    DEPENDS ${sources} ${LOCKSTEP_VERILATE_JOIN}
    COMMENT "Verilating ${ARG_TOP} (${ARG_VARIANT})"
    VERBATIM)
  add_library(${target} STATIC EXCLUDE_FROM_ALL ${joined})
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_include_directories(${target} SYSTEM PUBLIC ${folder})
  target_link_libraries(${target} PUBLIC lockstep_verilated_${ARG_VARIANT})
endfunction()

# lockstep_rtl_design(NAME [BY_NAME] TOP module PIN_MAP source SOURCES file... [ARGS verilator-option...]
#                     [COVERAGE_ARGS verilator-option...]): an SMMU in RTL that
# `lockstep cosim smmu --dut rtl --rtl NAME` can load: rtl/NAME.so (target rtl_NAME), and by name only rtl/NAME.trace.so
# (rtl_NAME_trace) with waveforms and rtl/NAME.coverage.so (rtl_NAME_coverage). PIN_MAP is a C++ source that ends in
# LOCKSTEP_RTL_DESIGN(...); docs/bring-your-rtl.md teaches it. BY_NAME: nothing of it is built unless it is asked for. COVERAGE_ARGS
# go with the coverage variant alone: small caches make it fit for a compiler, and evictions frequent.
function(lockstep_rtl_design name)
  cmake_parse_arguments(ARG "BY_NAME" "TOP;PIN_MAP" "SOURCES;ARGS;COVERAGE_ARGS" ${ARGN})
  if(NOT LOCKSTEP_VERILATOR_FOUND)
    return()
  endif()
  foreach(variant plain trace coverage)
    set(suffix "")
    set(file_suffix "")
    set(exclude EXCLUDE_FROM_ALL)
    set(more ${ARG_ARGS})
    if(variant STREQUAL "coverage")
      list(APPEND more ${ARG_COVERAGE_ARGS})
    endif()
    if(variant STREQUAL "plain")
      if(NOT ARG_BY_NAME)
        set(exclude "")
      endif()
    else()
      set(suffix _${variant})
      set(file_suffix .${variant})
    endif()
    lockstep_verilate(verilated_${name}${suffix} TOP ${ARG_TOP} VARIANT ${variant} SOURCES ${ARG_SOURCES}
                      ARGS ${more})
    add_library(rtl_${name}${suffix} MODULE ${exclude} ${ARG_PIN_MAP})
    target_compile_definitions(rtl_${name}${suffix} PRIVATE LOCKSTEP_RTL_NAME="${name}"
                               LOCKSTEP_RTL_VARIANT="${variant}")
    target_link_libraries(rtl_${name}${suffix} PRIVATE verilated_${name}${suffix} lockstep_flags)
    # Two designs in one process share nothing.
    target_link_options(rtl_${name}${suffix} PRIVATE -Wl,-Bsymbolic -Wl,--exclude-libs,ALL)
    set_target_properties(rtl_${name}${suffix} PROPERTIES
      PREFIX "" OUTPUT_NAME ${name}${file_suffix} LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/rtl)
  endforeach()
endfunction()
