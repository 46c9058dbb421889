// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <memory>

#include "jit/code_listener.h"

namespace lockstep::jit {

// Tells `perf` what generated code is: a line for each piece in /tmp/perf-PID.map, where perf looks for it.
class PerfMap final : public CodeListener {
 public:
  PerfMap();
  void installed(const CodePiece& piece) override;

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Closer> file_;  // none: the file cannot be written, and perf shows addresses
};

}  // namespace lockstep::jit
