// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <array>
#include <cstdint>

#include "tlm_models/kernel/device.h"
#include "tlm_models/kernel/irq_line.h"
#include "tlm_models/kernel/memory_access.h"
#include "tlm_models/kernel/timer_queue.h"
#include "tlm_models/smmuv3/requester.h"
#include "tlm_models/smmuv3/tlm_extensions.h"

namespace lockstep::tlm_models {

// Copies memory under the identity that software gives it, to try an SMMU: any stream and substream, privileged or not,
// reads as data or as instructions. One copy at a time, at most kMaxLengthBytes; it begins kStartNs and a nanosecond a
// byte after it was asked for. A stalled access holds the copy until the SMMU says how it ends.
class DmaEngine : public Device, public smmuv3::RequesterListener {
 public:
  static constexpr uint64_t kSizeBytes = 0x1000;
  static constexpr uint32_t kMaxLengthBytes = 1u << 20;
  static constexpr uint64_t kStartNs = 1000;

  tlm_utils::simple_initiator_socket<DmaEngine> dma;
  IrqLine irq;

  DmaEngine(sc_core::sc_module_name name, TimerQueue& timers, uint32_t default_stream);
  ~DmaEngine() override;

  void reset() override;
  void save(SnapshotSection& section) override;

  // RequesterListener
  void stall_ended(const smmuv3::StallEnd& end) override;
  void stalls_are_free() override;

 protected:
  void restore_extra(StateReader& reader) override;

 private:
  // What the copy does next.
  enum class Step : uint8_t { kIdle, kDelay, kRead, kReadStalled, kReadHeld, kWrite, kWriteStalled, kWriteHeld };

  // What a copy was asked for, as it was then: later writes are for the next one.
  enum class Field : uint8_t { kSource, kDestination, kLength, kStream, kSubstream, kFlags };
  static constexpr unsigned kFields = 6;

  uint64_t field(Field which) const { return registers_.get(copy_, static_cast<unsigned>(which)); }
  Step step() const { return static_cast<Step>(registers_.get(step_)); }
  void set_step(Step step) { registers_.set(step_, static_cast<uint64_t>(step)); }
  void start(uint64_t now_ns);
  void stop();
  // As far as it goes without software.
  void run();
  bool transfer(tlm::tlm_command command, uint64_t address);
  // Of an access that passed, or that was to be ignored.
  void passed();
  void end(uint64_t error, uint64_t address);
  void update_irq();
  uint32_t piece_bytes() const;

  TimerQueue& timers_;
  TimerId timer_;
  tlm::tlm_generic_payload payload_;
  smmuv3::RequesterExtension requester_;
  DmaExtension memory_only_;
  std::array<uint8_t, 4096> buffer_{};
  RegisterId source_, destination_, length_, stream_, substream_, flags_, status_, error_, error_address_, done_,
      stalls_, ignored_, interrupt_enable_, interrupt_;
  RegisterId step_, copy_, token_;
};

}  // namespace lockstep::tlm_models
