# SPDX-License-Identifier: Apache-2.0
# Designs with many mutants inside, of which one input chooses one while it runs. Without Yosys there are none that are
# drawn. Nothing of it is built unless it is asked for.
include_guard(GLOBAL)
include(LockstepVerilate)

find_program(LOCKSTEP_YOSYS yosys)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(LOCKSTEP_MUTANTS 400 CACHE STRING "Mutants of a design to draw")
set(LOCKSTEP_MUTANTS_SEED 20261122 CACHE STRING "The seed that draws them")

# What tools write is not held to the rules of this tree.
set(LOCKSTEP_MUTANTS_ARGS -Wno-lint -Wno-style -Wno-UNOPTFLAT)

# lockstep_rtl_drawn_mutants(NAME TOP module PIN_MAP source FOLDER folder [MUTANTS count] [KEEP_EQUAL] [ARGUMENTS file]
# [PARAMETERS NAME=VALUE...]): the design NAME (target rtl_NAME) with mutants of the sources in FOLDER, drawn by Yosys, and
# rtl/NAME.mutants, which lists them. KEEP_EQUAL: quickly, without ABC's proofs that some are the design itself.
function(lockstep_rtl_drawn_mutants name)
  cmake_parse_arguments(ARG "KEEP_EQUAL" "TOP;PIN_MAP;FOLDER;MUTANTS;ARGUMENTS" "PARAMETERS" ${ARGN})
  if(NOT LOCKSTEP_VERILATOR_FOUND OR NOT LOCKSTEP_YOSYS)
    return()
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${ARG_FOLDER}/*.sv)
  set(verilog ${CMAKE_CURRENT_BINARY_DIR}/${name}.v)
  set(list ${CMAKE_CURRENT_BINARY_DIR}/${name}.mutants)
  set(tool ${PROJECT_SOURCE_DIR}/tools/mutate_rtl)
  if(NOT ARG_MUTANTS)
    set(ARG_MUTANTS ${LOCKSTEP_MUTANTS})
  endif()
  set(arguments "")
  if(ARG_KEEP_EQUAL)
    set(arguments --keep-equal)
  endif()
  if(ARG_ARGUMENTS)
    get_filename_component(file ${ARG_ARGUMENTS} ABSOLUTE)
    list(APPEND arguments --arguments ${file})
  endif()
  foreach(parameter ${ARG_PARAMETERS})
    list(APPEND arguments --parameter ${parameter})
  endforeach()
  add_custom_command(
    OUTPUT ${verilog} ${list}
    COMMAND ${Python3_EXECUTABLE} ${tool} --folder ${ARG_FOLDER} --top ${ARG_TOP} --seed ${LOCKSTEP_MUTANTS_SEED}
            --mutants ${ARG_MUTANTS} ${arguments} --verilog ${verilog} --list ${list} --yosys ${LOCKSTEP_YOSYS}
    DEPENDS ${sources} ${tool} ${PROJECT_SOURCE_DIR}/tools/equal_mutants.py ${file}
    COMMENT "Drawing ${ARG_MUTANTS} mutants of ${ARG_TOP} by seed ${LOCKSTEP_MUTANTS_SEED}"
    VERBATIM)
  lockstep_rtl_mutants(${name} TOP ${ARG_TOP} PIN_MAP ${ARG_PIN_MAP} LIST ${list} SOURCES ${verilog})
endfunction()

# lockstep_rtl_mutants(NAME TOP module PIN_MAP source LIST file SOURCES file...): the same of sources that have the input
# `mutsel` already. A line of the list: number|kind|name|why it is equivalent, or nothing.
function(lockstep_rtl_mutants name)
  cmake_parse_arguments(ARG "" "TOP;PIN_MAP;LIST" "SOURCES" ${ARGN})
  if(NOT LOCKSTEP_VERILATOR_FOUND)
    return()
  endif()
  lockstep_rtl_design(${name} BY_NAME TOP ${ARG_TOP} PIN_MAP ${ARG_PIN_MAP} SOURCES ${ARG_SOURCES}
                      ARGS ${LOCKSTEP_MUTANTS_ARGS})
  set(listed ${CMAKE_BINARY_DIR}/rtl/${name}.mutants)
  add_custom_command(OUTPUT ${listed} COMMAND ${CMAKE_COMMAND} -E copy ${ARG_LIST} ${listed} DEPENDS ${ARG_LIST})
  add_custom_target(rtl_${name}_list DEPENDS ${listed})
  add_dependencies(rtl_${name} rtl_${name}_list)
endfunction()
