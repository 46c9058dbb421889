// SPDX-License-Identifier: Apache-2.0
#include "jit/perf_map.h"

#include <fmt/format.h>
#include <unistd.h>

namespace lockstep::jit {

PerfMap::PerfMap() : file_(std::fopen(fmt::format("/tmp/perf-{}.map", getpid()).c_str(), "a")) {}

void PerfMap::installed(const CodePiece& piece) {
  if (file_ == nullptr) return;
  const auto base = reinterpret_cast<uint64_t>(piece.code.data());
  for (const CodeSymbol& symbol : piece.symbols) {
    fmt::print(file_.get(), "{:x} {:x} {}\n", base + symbol.offset, symbol.size_bytes, symbol.name);
  }
  std::fflush(file_.get());
}

}  // namespace lockstep::jit
