// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "tlm_models/machines/riscv_virt/machine.h"

namespace lockstep::cli {

// The traces of `--trace`: exec (each instruction before it begins), irq and mmio, a line an event.
class Tracer {
 public:
  explicit Tracer(tlm_models::Machine& machine) : machine_(machine) {}
  ~Tracer();
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  // "exec", "irq" or "mmio", with ":FILE" behind it to write there instead of to stderr.
  core::Status add(const std::string& what);

 private:
  void trace_instruction(core::Hart& hart);

  tlm_models::Machine& machine_;
  std::FILE* exec_out_ = nullptr;
  std::vector<std::FILE*> files_;
};

}  // namespace lockstep::cli
