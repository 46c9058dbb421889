// SPDX-License-Identifier: Apache-2.0
#include "cli/vm_trace.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "cli/guest_code.h"

namespace lockstep::cli {

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
    return core::Error{fmt::format("--trace: no trace '{}'; there are exec, irq, mmio and mem", kind)};
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
  fmt::print(exec_out_, "{} hart{} {:#018x} {}\n", hart.instruction_count(), hart.id(), pc,
             instruction_at(hart, pc, length).text);
}

}  // namespace lockstep::cli
