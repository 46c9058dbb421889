// SPDX-License-Identifier: Apache-2.0
#include "smmu_rtl_bridge/rtl_device/verilated_stop.h"

#include <verilated.h>

#include <cstdarg>
#include <cstdio>

namespace lockstep::smmu_rtl_bridge {

VerilatedStop& verilated_stop() {
  static VerilatedStop stop;
  return stop;
}

}  // namespace lockstep::smmu_rtl_bridge

namespace {

using lockstep::smmu_rtl_bridge::VerilatedStop;

void add(const std::string& text) {
  std::string& all = lockstep::smmu_rtl_bridge::verilated_stop().text;
  if (all.size() + text.size() <= VerilatedStop::kTextMax) all += text;
}

void stop_at(const char* what, const char* file, int line, const char* where) {
  VerilatedStop& stop = lockstep::smmu_rtl_bridge::verilated_stop();
  if (!stop.stopped) add(std::string(what) + " at " + file + ":" + std::to_string(line) + " in " + where);
  stop.stopped = true;
}

}  // namespace

extern "C" int lockstep_verilated_print(const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  const int length = std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  add(text);
  return length;
}

// NOLINTBEGIN: Verilator's names.
void vl_finish(const char* filename, int linenum, const char* hier) VL_MT_UNSAFE {
  stop_at("$finish", filename, linenum, hier);
}
void vl_stop(const char* filename, int linenum, const char* hier) VL_MT_UNSAFE {
  stop_at("stopped", filename, linenum, hier);
}
void vl_fatal(const char* filename, int linenum, const char* hier, const char* msg) VL_MT_UNSAFE {
  add(std::string(msg) + ": ");
  stop_at("fatal", filename, linenum, hier);
  throw lockstep::smmu_rtl_bridge::VerilatedFatal();
}
// NOLINTEND
