// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <verilated.h>
#if VM_TRACE
#include <verilated_fst_c.h>
#endif
#if VM_COVERAGE
#include <verilated_cov.h>
#endif

#include <memory>
#include <string>

#include "smmu_rtl_bridge/rtl_device/design.h"
#include "smmu_rtl_bridge/rtl_device/verilated_stop.h"

namespace lockstep::smmu_rtl_bridge {

// A Verilated model behind its pin map. A map is a class with
//
//   static constexpr bool kHasIdle;                       whether the design has an idle output
//   static auto& clock(Model&);                           its clock pin
//   void drive(Model&, const DesignInputs&);              the bench's pins onto the design's, at the begin of a cycle
//   void sample(Model&, DesignOutputs&);                  and back, when all has settled, before the clock edge
//   bool set(Model&, const std::string&, uint64_t);       optional: settings of the design's own
//
// It may keep state of its own, where a port of the design speaks another protocol than the bench.
template <typename Model, typename Map>
class VerilatedDesign : public Design {
 public:
  VerilatedDesign() {
    verilated_stop() = {};
#if VM_TRACE
    context_.traceEverOn(true);
#endif
    model_ = std::make_unique<Model>(&context_, "top");
  }
  ~VerilatedDesign() override {
#if VM_TRACE
    if (waveform_) waveform_->close();
#endif
  }

  void clock(const DesignInputs& inputs, DesignOutputs& outputs) override {
    if (dead_) {
      outputs = {};
      outputs.stopped = true;
      return;
    }
    try {
      map_.drive(*model_, inputs);
      Map::clock(*model_) = 0;
      model_->eval();
      map_.sample(*model_, outputs);
      dump();
      Map::clock(*model_) = 1;
      model_->eval();
      dump();
    } catch (const VerilatedFatal&) {
      dead_ = true;
    }
    outputs.stopped = verilated_stop().stopped;
  }

  bool has_idle() const override { return Map::kHasIdle; }

  bool set(const std::string& name, uint64_t value) override {
    if constexpr (requires { map_.set(*model_, name, value); }) return map_.set(*model_, name, value);
    return false;
  }

  std::string complaint() override { return verilated_stop().text; }

#if VM_TRACE
  bool open_waveform(const std::string& path) override {
    constexpr int kLevels = 99;
    waveform_ = std::make_unique<VerilatedFstC>();
    model_->trace(waveform_.get(), kLevels);
    waveform_->open(path.c_str());
    return waveform_->isOpen();
  }
  void record(bool on) override {
    if (recording_ && !on && waveform_) waveform_->flush();
    recording_ = on;
  }
#endif
#if VM_COVERAGE
  bool write_coverage(const std::string& path) override {
    context_.coveragep()->write(path.c_str());
    return true;
  }
#endif

 private:
  // Half a cycle is five units of time, so that a cycle is ten.
  void dump() {
    time_ += 5;
#if VM_TRACE
    if (recording_ && waveform_) waveform_->dump(time_ - 5);
#endif
  }

  VerilatedContext context_;
  std::unique_ptr<Model> model_;
  Map map_;
  uint64_t time_ = 0;
  bool dead_ = false;
#if VM_TRACE
  std::unique_ptr<VerilatedFstC> waveform_;
  bool recording_ = false;
#endif
};

}  // namespace lockstep::smmu_rtl_bridge

// The last line of a pin map's source, outside of all namespaces.
#define LOCKSTEP_RTL_DESIGN(Model, Map)                                                                              \
  extern "C" __attribute__((visibility("default"))) const lockstep::smmu_rtl_bridge::DesignFile lockstep_rtl_design; \
  const lockstep::smmu_rtl_bridge::DesignFile lockstep_rtl_design = {                                                \
      lockstep::smmu_rtl_bridge::kDesignInterface, LOCKSTEP_RTL_NAME, LOCKSTEP_RTL_VARIANT, [] {                     \
        return static_cast<lockstep::smmu_rtl_bridge::Design*>(                                                      \
            new lockstep::smmu_rtl_bridge::VerilatedDesign<Model, Map>());                                           \
      }};
