// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_target_socket.h>
#include <cstdint>
#include <functional>
#include <memory>
#include <systemc>
#include <tlm>
#include <vector>

#include "tlm_models/smmuv3/smmu_device.h"
#include "tlm_models/smmuv3/tlm_extensions.h"

namespace lockstep::tlm_models::smmuv3 {

class DownstreamPort;
class UpstreamPort;

// One upstream socket.
struct RequesterPort {
  // The streams that belong to it: ATC invalidations and page responses for them go to its listener. The first is what
  // an access without an extension is of.
  uint32_t first_stream = 0;
  uint32_t last_stream = ~uint32_t{0};
};

struct SmmuModuleConfig {
  Config core;                      // must have passed check()
  bool secure_interface = false;    // two sides, and a socket for secure register accesses
  bool wired_interrupts = true;     // false: no line ever moves
  bool combined_interrupt = false;  // all sources pulse combined_irq and not the lines of their own
  std::vector<RequesterPort> requesters = {RequesterPort{}};
};

// The SMMUv3 behind TLM-2.0 sockets. `socket` (of Device) takes register accesses, 32 and 64 bits wide, in the 128 KiB
// of pages 0 and 1; other widths and unaligned accesses are TLM_BURST_ERROR_RESPONSE as with every device.
//
// Accesses of requesters come through upstream(port), with a RequesterExtension, and leave through `downstream` with a
// DownstreamExtension, cut at pages of 4 KiB. b_transport() never waits for software: a stalled access answers
// TLM_GENERIC_ERROR_RESPONSE with Verdict::kStalled at once, and the port's listener hears of the end.
// nb_transport_fw() completes at once. What cannot be expressed (a beat that repeats beyond its page, an atomic access
// over two pages, no bytes at all) is F_UUT. DMI is granted for one page at a time and what caches hold of it, and
// taken back on any change of registers, configuration or translations that reached the caches.
//
// A downstream target may wait inside an access of a requester, and CMD_SYNC then waits for it; not inside one of the
// SMMU's own.
class SmmuModule : public SmmuDevice {
 public:
  static constexpr uint64_t kSizeBytes = kRegisterSpaceBytes;

  // In place of the others, where the configuration says so.
  IrqLine combined_irq;
  // Those of the secure side; there is no secure PRI queue.
  IrqLine secure_eventq_irq, secure_cmdq_sync_irq, secure_gerror_irq;

  SmmuModule(sc_core::sc_module_name name, const SmmuModuleConfig& config);
  ~SmmuModule() override;

  unsigned ports() const { return static_cast<unsigned>(upstream_.size()); }
  tlm::tlm_target_socket<>& upstream(unsigned port) override;
  AtsPort& ats(unsigned port);
  void set_listener(unsigned port, RequesterListener* listener) override;
  // Register accesses of secure software; null without the secure interface. `socket` sees secure registers as zero.
  tlm::tlm_target_socket<>* secure_socket();

  // What CMD_SYNC with CS = SEV sends to processors.
  void set_event_sink(std::function<void()> sink);
  // An invalidation that processors broadcast.
  void broadcast(const BroadcastInvalidation& message);
  // Ends the updates that Config::deferred_updates holds back.
  void complete_updates();

  // The core, for tests and benches; calls that change it are to be followed by refresh().
  Smmu& core(bool secure = false);
  // Takes back DMI grants and shows registers anew where the core has changed.
  void refresh();

  void reset() override;
  void save(SnapshotSection& section) override;

 protected:
  void restore_extra(StateReader& reader) override;

 private:
  class Side;
  friend class UpstreamPort;

  void add_registers(bool secure);
  void secure_b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  void access(UpstreamPort& port, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  // One page of it; whether it was transferred.
  bool access_page(UpstreamPort& port, RequesterExtension& requester, tlm::tlm_generic_payload& payload,
                   sc_core::sc_time& delay);
  // After its translation.
  bool carry_on(UpstreamPort& port, RequesterExtension& requester, tlm::tlm_generic_payload& payload,
                sc_core::sc_time& delay, const TranslateResult& result);
  void access_pages(UpstreamPort& port, RequesterExtension& requester, tlm::tlm_generic_payload& payload,
                    sc_core::sc_time& delay);
  void answer(UpstreamPort& port, RequesterExtension& requester, tlm::tlm_generic_payload& payload,
              const TranslateResult& result);
  bool grant(UpstreamPort& port, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
  unsigned debug(UpstreamPort& port, tlm::tlm_generic_payload& payload);
  void take_back_dmi();
  void pulse(IrqLine& own);

  struct Inside;
  std::unique_ptr<Inside> inside_;
  std::vector<std::unique_ptr<UpstreamPort>> upstream_;
};

}  // namespace lockstep::tlm_models::smmuv3
