// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "tlm_models/smmuv3/downstream_port.h"
#include "tlm_models/smmuv3/smmu_module.h"
#include "tlm_models/smmuv3/two_state_smmu.h"
#include "tlm_models/smmuv3/upstream_port.h"

namespace lockstep::tlm_models::smmuv3 {

// What one side's core asks of the module.
class SmmuModule::Side : public Environment {
 public:
  Side(SmmuModule& module, bool secure) : module_(module), secure_(secure) {}
  void raise(Interrupt interrupt) override;
  void send_event() override;
  void resolved(uint64_t token, const TranslateResult& result) override;
  AtcAnswer invalidate_atc(const AtcInvalidation& invalidation) override;
  void page_response(const PageResponse& response) override;
  bool downstream_quiet() override;

 private:
  SmmuModule& module_;
  bool secure_;
};

// The translation that ended a stall, for the repeated access.
struct EndedStall {
  Transaction transaction;
  TranslateResult result;
  bool is_of(const Transaction& repeated) const {
    return transaction.token == repeated.token && transaction.address == repeated.address &&
           transaction.write == repeated.write;
  }
};

struct SmmuModule::Inside {
  Inside(SmmuModule& module, const SmmuModuleConfig& module_config);

  Smmu& core(bool secure) const { return *cores[secure && config.secure_interface ? 1 : 0]; }
  unsigned sides() const { return config.secure_interface ? 2 : 1; }

  const SmmuModuleConfig config;
  DownstreamPort downstream;
  Side non_secure_side;
  Side secure_side;
  std::unique_ptr<Smmu> single;
  std::unique_ptr<TwoStateSmmu> both;
  Smmu* cores[2] = {nullptr, nullptr};
  std::unique_ptr<tlm_utils::simple_target_socket<SmmuModule>> secure_socket;
  std::function<void()> event_sink;
  // The table's rows, in the order of the core's; the second list has those of the secure side.
  std::vector<std::pair<tlm_models::RegisterId, const RegisterRow*>> rows[2];

  bool secure_access = false;  // the register access under way comes from secure software
  std::optional<EndedStall> ended_stall;
  unsigned in_flight = 0;   // accesses of requesters that downstream has not answered
  bool sync_waits = false;  // a CMD_SYNC was told to wait for them
  bool any_dmi = false;
  bool any_held = false;
  uint64_t dmi_generation[2] = {0, 0};  // of the cores, when the oldest grant was given
};

}  // namespace lockstep::tlm_models::smmuv3
