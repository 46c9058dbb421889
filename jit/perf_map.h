// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>

namespace lockstep::jit {

// Tells `perf` what generated code is: a line for each piece in /tmp/perf-PID.map, where perf looks for it.
class PerfMap {
 public:
  PerfMap();
  void add(std::span<const uint8_t> code, const std::string& name);

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Closer> file_;  // none: the file cannot be written, and perf shows addresses
};

}  // namespace lockstep::jit
