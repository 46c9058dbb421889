// SPDX-License-Identifier: Apache-2.0
#include "jit/perf_map.h"

#include <fmt/format.h>
#include <unistd.h>

namespace lockstep::jit {

PerfMap::PerfMap() : file_(std::fopen(fmt::format("/tmp/perf-{}.map", getpid()).c_str(), "a")) {}

void PerfMap::add(std::span<const uint8_t> code, const std::string& name) {
  if (file_ == nullptr) return;
  fmt::print(file_.get(), "{:x} {:x} {}\n", reinterpret_cast<uint64_t>(code.data()), code.size(), name);
  std::fflush(file_.get());
}

}  // namespace lockstep::jit
