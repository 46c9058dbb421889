// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/engine/engine.h"

namespace lockstep::core {

// An engine around another one, to which everything goes but what a subclass changes.
class ForwardingEngine : public Engine {
 public:
  explicit ForwardingEngine(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}

  std::string_view name() const override { return engine_->name(); }
  RunResult run(uint64_t budget) override { return engine_->run(budget); }
  bool invalidate_code(uint64_t paddr, uint64_t size_bytes) override {
    return engine_->invalidate_code(paddr, size_bytes);
  }
  void invalidate_all_code() override { engine_->invalidate_all_code(); }
  std::string describe_code(uint64_t pc) const override { return engine_->describe_code(pc); }
  EngineReport report() override { return engine_->report(); }
  void set_breakpoint(uint64_t vaddr, bool on) override { engine_->set_breakpoint(vaddr, on); }
  void set_watchpoint(const Watchpoint& watchpoint, bool on) override { engine_->set_watchpoint(watchpoint, on); }
  uint64_t watchpoint_address() const override { return engine_->watchpoint_address(); }
  void set_instruction_hook(InstructionHook hook, void* context) override {
    engine_->set_instruction_hook(hook, context);
  }

 protected:
  Engine& inner() { return *engine_; }

 private:
  std::unique_ptr<Engine> engine_;
};

}  // namespace lockstep::core
