# SPDX-License-Identifier: Apache-2.0
# CMake options from matrix/features.yaml, so that the contract is the one place where a feature is declared. Gives
#   LOCKSTEP_FEATURE_...   an option for every feature with a `build-option`
#   lockstep_features      an interface target whose include folder holds lockstep_features.h, where each option is a
#                          macro of the same name with the value 0 or 1
# An option of a planned feature exists, so that it can be found and explained, and turning it on is an error.
include_guard(GLOBAL)

find_package(Python3 REQUIRED COMPONENTS Interpreter)

function(_lockstep_read_features contract)
  execute_process(COMMAND ${Python3_EXECUTABLE} -c "import yaml" RESULT_VARIABLE missing ERROR_QUIET)
  if(missing)
    message(FATAL_ERROR "${Python3_EXECUTABLE} has no module 'yaml', which reads ${contract}. "
                        "Install it (Debian: apt install python3-yaml) and configure again.")
  endif()
  execute_process(COMMAND ${Python3_EXECUTABLE} ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/lockstep_features.py ${contract}
                  RESULT_VARIABLE failed OUTPUT_VARIABLE lines ERROR_VARIABLE message OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(failed)
    message(FATAL_ERROR "The feature contract cannot be turned into options: ${message}")
  endif()

  set(header "// SPDX-License-Identifier: Apache-2.0\n// Made from matrix/features.yaml by CMake.\n#pragma once\n\n")
  string(REPLACE ";" "," lines "${lines}")
  string(REPLACE "\n" ";" lines "${lines}")
  foreach(line IN LISTS lines)
    # option|feature|status|default|description
    string(REPLACE "|" ";" fields "${line}")
    list(GET fields 0 option)
    list(GET fields 1 feature)
    list(GET fields 2 status)
    list(GET fields 3 default)
    list(GET fields 4 description)
    option(${option} "${description} (${status})" ${default})
    if(${option} AND status STREQUAL "planned")
      message(FATAL_ERROR "${option} is on, but the feature '${feature}' is planned and not built yet. "
                          "Configure with -D${option}=OFF; `lockstep matrix explain ${feature}` tells more.")
    endif()
    if(${option})
      string(APPEND header "#define ${option} 1\n")
    else()
      string(APPEND header "#define ${option} 0\n")
    endif()
  endforeach()
  # Written only when it changes: what includes it is not built again for nothing.
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/features/lockstep_features.h CONTENT "${header}")
endfunction()

set(LOCKSTEP_FEATURES_FILE ${CMAKE_CURRENT_LIST_DIR}/../matrix/features.yaml CACHE FILEPATH "The feature contract")
mark_as_advanced(LOCKSTEP_FEATURES_FILE)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
             ${LOCKSTEP_FEATURES_FILE} ${CMAKE_CURRENT_LIST_DIR}/lockstep_features.py)
_lockstep_read_features(${LOCKSTEP_FEATURES_FILE})

add_library(lockstep_features INTERFACE)
target_include_directories(lockstep_features INTERFACE ${CMAKE_BINARY_DIR}/features)
