// SPDX-License-Identifier: Apache-2.0
#include "cli/vm_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace lockstep::cli {

namespace {

constexpr unsigned kMaxInstructionBytes = 16;

// The bytes at pc as the hart would fetch them; fewer where the next page cannot be read.
std::vector<uint8_t> code_at(core::Hart& hart, uint64_t pc) {
  std::vector<uint8_t> bytes;
  while (bytes.size() < kMaxInstructionBytes) {
    const uint64_t at = pc + bytes.size();
    const core::Translation translation = hart.translate(at, core::Access::kFetch, true);
    if (translation.fault != core::Fault::kNone) break;
    const core::RamWindow* window = hart.bus().window(translation.paddr);
    if (window == nullptr) break;
    const uint64_t here =
        std::min<uint64_t>(kMaxInstructionBytes - bytes.size(), core::kPageSize - at % core::kPageSize);
    const uint8_t* from = window->host + (translation.paddr - window->base);
    bytes.insert(bytes.end(), from, from + here);
  }
  return bytes;
}

}  // namespace

Tracer::~Tracer() {
  for (unsigned i = 0; exec_out_ != nullptr && i < machine_.hart_count(); ++i) {
    machine_.engine(i).set_instruction_hook(nullptr, nullptr);
  }
  machine_.trace_mmio({});
  machine_.trace_interrupts({});
  for (std::FILE* file : files_) std::fclose(file);
}

core::Status Tracer::add(const std::string& what) {
  const auto colon = what.find(':');
  const std::string kind = what.substr(0, colon);
  if (kind != "exec" && kind != "irq" && kind != "mmio") {
    return core::Error{fmt::format("--trace: no trace '{}'; there are exec, irq and mmio", kind)};
  }
  std::FILE* out = stderr;
  if (colon != std::string::npos) {
    const std::string path = what.substr(colon + 1);
    out = std::fopen(path.c_str(), "w");
    if (out == nullptr) {
      return core::Error{fmt::format("--trace: cannot write '{}': {}", path, std::strerror(errno))};
    }
    files_.push_back(out);
  }
  const auto line = [out, kind](const std::string& text) { fmt::print(out, "{} {}\n", kind, text); };
  if (kind == "irq") machine_.trace_interrupts(line);
  if (kind == "mmio") machine_.trace_mmio(line);
  if (kind == "exec") {
    exec_out_ = out;
    for (unsigned i = 0; i < machine_.hart_count(); ++i) {
      machine_.engine(i).set_instruction_hook(
          [](void* self, core::Hart& hart) { static_cast<Tracer*>(self)->trace_instruction(hart); }, this);
    }
  }
  return {};
}

void Tracer::trace_instruction(core::Hart& hart) {
  const uint64_t pc = hart.state().pc;
  unsigned length = 0;
  const std::string text = hart.disassemble(code_at(hart, pc), pc, length);
  fmt::print(exec_out_, "{} hart{} {:#018x} {}\n", hart.instruction_count(), hart.id(), pc, text);
}

}  // namespace lockstep::cli
