# SPDX-License-Identifier: Apache-2.0
# Debian's SystemC has no CMake package; pkg-config knows it. Gives the target SystemC::systemc.
#
# Debian builds the library as C++17, and its headers refuse to link with another SC_CPLUSPLUS. The definition below is
# therefore a usage requirement, and the link check says plainly when a later package needs something else.
include(CheckCXXSourceCompiles)
pkg_check_modules(SYSTEMC_PC REQUIRED IMPORTED_TARGET systemc tlm)
if(NOT TARGET SystemC::systemc)
  add_library(SystemC::systemc INTERFACE IMPORTED)
  target_link_libraries(SystemC::systemc INTERFACE PkgConfig::SYSTEMC_PC)
  target_compile_definitions(SystemC::systemc INTERFACE SC_CPLUSPLUS=201703L SC_INCLUDE_DYNAMIC_PROCESSES)
  target_compile_options(SystemC::systemc INTERFACE -Wno-unused-parameter -Wno-shadow)

  set(CMAKE_REQUIRED_LIBRARIES SystemC::systemc)
  check_cxx_source_compiles("#include <systemc>
    int sc_main(int, char**) { return 0; }
    int main(int c, char** v) { return sc_core::sc_elab_and_sim(c, v); }" LOCKSTEP_SYSTEMC_LINKS)
  unset(CMAKE_REQUIRED_LIBRARIES)
  if(NOT LOCKSTEP_SYSTEMC_LINKS)
    message(FATAL_ERROR "SystemC was found but does not link as C++20 with SC_CPLUSPLUS=201703L. "
                        "See the log in ${CMAKE_BINARY_DIR}/CMakeFiles/CMakeError.log; "
                        "libsystemc-dev 2.3.4 of Debian 12 is known to work.")
  endif()
endif()
set(SystemC_FOUND TRUE)
