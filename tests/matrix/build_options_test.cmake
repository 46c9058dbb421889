# SPDX-License-Identifier: Apache-2.0
# The build options that a contract gives: their defaults, the header, and the refusal of what is planned.
file(REMOVE_RECURSE ${WORK})
file(WRITE ${WORK}/source/CMakeLists.txt "
cmake_minimum_required(VERSION 3.25)
project(options LANGUAGES NONE)
list(APPEND CMAKE_MODULE_PATH ${TREE}/cmake)
include(LockstepFeatures)
")
file(WRITE ${WORK}/features.yaml "version: 1
project: p
features:
  - {name: ready, kind: build-option, status: stable, default: on, build-option: FEATURE_READY, description: 'Ready; really'}
  - {name: off, kind: build-option, status: experimental, build-option: FEATURE_OFF, description: Off}
  - {name: later, kind: build-option, status: planned, build-option: FEATURE_LATER, description: Later}
  - {name: runtime, kind: runtime-option, status: stable, description: No option}
")

# configure(EXPECTED_OUTPUT argument...): an empty expectation means success.
function(configure expected)
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${WORK}/source -B ${WORK}/build ${ARGN}
                  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  string(REGEX REPLACE "[ \n]+" " " output "${output}")
  if(expected STREQUAL "" AND NOT result EQUAL 0)
    message(FATAL_ERROR "configuring with ${ARGN} failed: ${output}")
  endif()
  if(NOT expected STREQUAL "")
    string(FIND "${output}" "${expected}" found)
    if(result EQUAL 0 OR found EQUAL -1)
      message(FATAL_ERROR "configuring with ${ARGN} did not fail with '${expected}': ${output}")
    endif()
  endif()
endfunction()

function(expect_header line)
  file(READ ${WORK}/build/features/lockstep_features.h header)
  string(FIND "${header}" "${line}\n" found)
  if(found EQUAL -1)
    message(FATAL_ERROR "lockstep_features.h has no line '${line}':\n${header}")
  endif()
endfunction()

configure("" -DLOCKSTEP_FEATURES_FILE=${WORK}/features.yaml)
expect_header("#define FEATURE_READY 1")
expect_header("#define FEATURE_OFF 0")
expect_header("#define FEATURE_LATER 0")
configure("" -DFEATURE_READY=OFF -DFEATURE_OFF=ON)
expect_header("#define FEATURE_READY 0")
expect_header("#define FEATURE_OFF 1")
configure("FEATURE_LATER is on, but the feature 'later' is planned and not built yet" -DFEATURE_LATER=ON)
configure("" -DFEATURE_LATER=OFF)

file(WRITE ${WORK}/broken.yaml "features: [{name: x, build-option: X}]\n")
configure("The feature contract cannot be turned into options" -DLOCKSTEP_FEATURES_FILE=${WORK}/broken.yaml)
file(WRITE ${WORK}/broken.yaml "features: [\n")
configure("The feature contract cannot be turned into options" -DLOCKSTEP_FEATURES_FILE=${WORK}/broken.yaml)
