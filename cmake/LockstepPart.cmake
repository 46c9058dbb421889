# SPDX-License-Identifier: Apache-2.0
# How a part of the tree, its tests and its fuzz targets are declared, and the flags that all of them share.

option(LOCKSTEP_TESTS "Build the tests" ON)
option(LOCKSTEP_BENCH "Build the benchmarks" ON)
option(LOCKSTEP_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(LOCKSTEP_SANITIZE_THREADS "Build with ThreadSanitizer" OFF)
option(LOCKSTEP_COVERAGE "Build with gcov instrumentation" OFF)

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON) # computed goto and __int128 are used by the interpreter
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-Og -g")
# The sanitizers' builds: with -O2 compiling takes twice as long, and finds no more.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1 -DNDEBUG")

find_program(LOCKSTEP_CCACHE ccache)
if(LOCKSTEP_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${LOCKSTEP_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${LOCKSTEP_CCACHE})
endif()

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

add_library(lockstep_flags INTERFACE)
target_include_directories(lockstep_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(lockstep_flags INTERFACE -Wall -Wextra -Wshadow -Wnon-virtual-dtor -fno-strict-aliasing)
if(LOCKSTEP_SANITIZE)
  target_compile_options(lockstep_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined
                                                  -fno-omit-frame-pointer)
  target_link_options(lockstep_flags INTERFACE -fsanitize=address,undefined)
endif()
if(LOCKSTEP_SANITIZE_THREADS)
  # It knows no fences alone; the one there is stands for the host's, before a load-reserved of the guest.
  target_compile_options(lockstep_flags INTERFACE -fsanitize=thread -fno-omit-frame-pointer -Wno-tsan)
  target_link_options(lockstep_flags INTERFACE -fsanitize=thread)
endif()
if(LOCKSTEP_COVERAGE)
  target_compile_options(lockstep_flags INTERFACE --coverage)
  target_link_options(lockstep_flags INTERFACE --coverage)
endif()

# lockstep_part(NAME SOURCES file... [DEPENDS target...]): the static library lockstep_NAME. Headers are included from
# the root of the tree: #include "core/result.h".
function(lockstep_part name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_library(lockstep_${name} STATIC ${ARG_SOURCES})
  target_link_libraries(lockstep_${name} PUBLIC lockstep_flags ${ARG_DEPENDS})
endfunction()

# lockstep_test(NAME PART part SOURCES file... [DEPENDS target...] [ARGS arg...] [PER_CASE]): one GoogleTest program,
# known to ctest as NAME and labelled with its part, so that `./test --part PART` runs it. PER_CASE starts one process
# a test case, for SystemC, which has one simulation context a process.
function(lockstep_test name)
  cmake_parse_arguments(ARG "PER_CASE" "PART" "SOURCES;DEPENDS;ARGS" ${ARGN})
  find_package(GTest REQUIRED)
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} lockstep_flags GTest::gtest GTest::gmock GTest::gtest_main)
  if(ARG_PER_CASE)
    include(GoogleTest)
    gtest_discover_tests(${name} TEST_PREFIX "${name}." EXTRA_ARGS ${ARG_ARGS} DISCOVERY_TIMEOUT 60
                         PROPERTIES LABELS ${ARG_PART} TIMEOUT 300)
  else()
    add_test(NAME ${name} COMMAND ${name} ${ARG_ARGS})
    set_tests_properties(${name} PROPERTIES LABELS ${ARG_PART} TIMEOUT 600)
  endif()
endfunction()
