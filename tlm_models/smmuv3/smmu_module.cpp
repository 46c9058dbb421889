// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/smmuv3/smmu_module.h"

#include <fmt/format.h>

#include <cassert>

#include "tlm_models/smmuv3/smmu_module_inside.h"

namespace lockstep::tlm_models::smmuv3 {

SmmuModule::Inside::Inside(SmmuModule& module, const SmmuModuleConfig& module_config)
    : config(module_config),
      downstream(module.downstream, [&module] { module.take_back_dmi(); }),
      non_secure_side(module, false),
      secure_side(module, true) {
  if (config.secure_interface) {
    both = std::make_unique<TwoStateSmmu>(config.core, downstream, non_secure_side, secure_side);
    cores[0] = &both->side(false);
    cores[1] = &both->side(true);
  } else {
    single = std::make_unique<Smmu>(config.core, downstream, non_secure_side);
    cores[0] = single.get();
  }
}

SmmuModule::SmmuModule(sc_core::sc_module_name name, const SmmuModuleConfig& config)
    : SmmuDevice(name, {4, 8}), inside_(std::make_unique<Inside>(*this, config)) {
  assert(check(config.core).ok());
  assert(config.requesters.size() < 256);  // a port's number is eight bits of a token
  downstream.bind(inside_->downstream);
  for (unsigned port = 0; port < config.requesters.size(); ++port) {
    upstream_.push_back(
        std::make_unique<UpstreamPort>(fmt::format("upstream{}", port).c_str(), *this, port, config.requesters[port]));
  }
  if (config.secure_interface) {
    inside_->secure_socket = std::make_unique<tlm_utils::simple_target_socket<SmmuModule>>("secure_socket");
    inside_->secure_socket->register_b_transport(this, &SmmuModule::secure_b_transport);
  }
  for (unsigned side = 0; side < inside_->sides(); ++side) add_registers(side != 0);
  refresh();
}

SmmuModule::~SmmuModule() = default;

void SmmuModule::add_registers(bool secure) {
  const Smmu& core = inside_->core(secure);
  for (const RegisterRow& row : register_rows(secure)) {
    if (!present(row, core.config())) continue;
    const auto id = registers_.add({.offset = row.offset,
                                    .size_bytes = row.size_bytes,
                                    .name = row.name,
                                    .reset = reset_value(row.id, core.config()),
                                    .write_mask = writable_bits(row, core.config()),
                                    .doc = row.doc,
                                    .on_read = [this, secure, &row](unsigned, uint64_t, uint64_t) -> uint64_t {
                                      if (secure && !inside_->secure_access) return 0;
                                      return inside_->core(secure).register_value(row.id);
                                    },
                                    .on_write =
                                        [this, secure, &row](unsigned, uint64_t written, uint64_t) {
                                          if (!secure || inside_->secure_access)
                                            inside_->core(secure).write_register(row.offset, row.size_bytes, written);
                                          // Also where nothing was written: the table has stored the value by now.
                                          refresh();
                                        }});
    inside_->rows[secure ? 1 : 0].emplace_back(id, &row);
  }
}

void SmmuModule::secure_b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  inside_->secure_access = true;
  Device::b_transport(payload, delay);
  inside_->secure_access = false;
}

tlm::tlm_target_socket<>& SmmuModule::upstream(unsigned port) { return upstream_[port]->socket; }
AtsPort& SmmuModule::ats(unsigned port) { return *upstream_[port]; }
void SmmuModule::set_listener(unsigned port, RequesterListener* listener) { upstream_[port]->listener = listener; }
tlm::tlm_target_socket<>* SmmuModule::secure_socket() { return inside_->secure_socket.get(); }
void SmmuModule::set_event_sink(std::function<void()> sink) { inside_->event_sink = std::move(sink); }
Smmu& SmmuModule::core(bool secure) { return inside_->core(secure); }

void SmmuModule::broadcast(const BroadcastInvalidation& message) {
  for (unsigned side = 0; side < inside_->sides(); ++side) inside_->cores[side]->broadcast(message);
  refresh();
}

void SmmuModule::complete_updates() {
  for (unsigned side = 0; side < inside_->sides(); ++side) inside_->cores[side]->complete_updates();
  refresh();
}

void SmmuModule::refresh() {
  Inside& in = *inside_;
  for (unsigned side = 0; side < in.sides(); ++side) {
    for (const auto& [id, row] : in.rows[side]) registers_.set(id, in.cores[side]->register_value(row->id));
    if (in.any_dmi && in.cores[side]->generation() != in.dmi_generation[side]) take_back_dmi();
  }
  if (!in.any_held) return;
  bool free = false;
  for (unsigned side = 0; side < in.sides(); ++side) {
    const Smmu& core = *in.cores[side];
    free |= core.stalled_transactions() < core.config().stalled_transactions_max;
  }
  if (!free) return;
  // Each is told once: one that finds no room again is told by a later change.
  in.any_held = false;
  std::vector<UpstreamPort*> waiting;
  for (const auto& port : upstream_) {
    if (port->holds_access) waiting.push_back(port.get());
    port->holds_access = false;
  }
  for (UpstreamPort* port : waiting)
    if (port->listener) port->listener->stalls_are_free();
}

void SmmuModule::take_back_dmi() {
  if (!inside_->any_dmi) return;
  inside_->any_dmi = false;
  for (const auto& port : upstream_) {
    if (!port->has_dmi) continue;
    port->has_dmi = false;
    port->socket->invalidate_direct_mem_ptr(0, ~sc_dt::uint64{0});
  }
}

void SmmuModule::reset() {
  Device::reset();
  for (unsigned side = 0; side < inside_->sides(); ++side) inside_->cores[side]->reset();
  for (const auto& port : upstream_) port->holds_access = false;
  inside_->any_held = inside_->sync_waits = false;
  refresh();
}

void SmmuModule::pulse(IrqLine& own) {
  if (!inside_->config.wired_interrupts) return;
  IrqLine& line = inside_->config.combined_interrupt ? combined_irq : own;
  line.set(true);
  line.set(false);
}

void SmmuModule::Side::raise(Interrupt interrupt) {
  switch (interrupt) {
    case Interrupt::kEventQueue:
      return module_.pulse(secure_ ? module_.secure_eventq_irq : module_.eventq_irq);
    case Interrupt::kPriQueue:
      return module_.pulse(module_.priq_irq);
    case Interrupt::kCommandSync:
      return module_.pulse(secure_ ? module_.secure_cmdq_sync_irq : module_.cmdq_sync_irq);
    case Interrupt::kGlobalError:
      return module_.pulse(secure_ ? module_.secure_gerror_irq : module_.gerror_irq);
  }
}

void SmmuModule::Side::send_event() {
  if (module_.inside_->event_sink) module_.inside_->event_sink();
}

void SmmuModule::Side::resolved(uint64_t token, const TranslateResult& result) {
  UpstreamPort& port = *module_.upstream_[token >> UpstreamPort::kPortShift];
  if (!port.listener) return;
  // A callback may lead to another end of a stall before it returns.
  const auto before = module_.inside_->ended_stall;
  const Transaction transaction = module_.inside_->core(secure_).resolved_transaction();
  module_.inside_->ended_stall = EndedStall{transaction, result};
  port.listener->stall_ended(
      {token & ~(~uint64_t{0} << UpstreamPort::kPortShift), transaction.address, result.outcome});
  module_.inside_->ended_stall = before;
}

AtcAnswer SmmuModule::Side::invalidate_atc(const AtcInvalidation& invalidation) {
  for (const auto& port : module_.upstream_)
    if (port->listener && port->has_stream(invalidation.stream_id)) return port->listener->invalidate_atc(invalidation);
  return AtcAnswer::kDone;
}

void SmmuModule::Side::page_response(const PageResponse& response) {
  for (const auto& port : module_.upstream_)
    if (port->listener && port->has_stream(response.stream_id)) return port->listener->page_response(response);
}

bool SmmuModule::Side::downstream_quiet() {
  // What was invalidated before must be out of use everywhere when CMD_SYNC completes.
  module_.take_back_dmi();
  module_.inside_->sync_waits |= module_.inside_->in_flight != 0;
  return module_.inside_->in_flight == 0;
}

}  // namespace lockstep::tlm_models::smmuv3
