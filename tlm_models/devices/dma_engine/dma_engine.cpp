// SPDX-License-Identifier: Apache-2.0
#include "tlm_models/devices/dma_engine/dma_engine.h"

#include <algorithm>

namespace lockstep::tlm_models {
namespace {

using smmuv3::Outcome;
using smmuv3::Verdict;

constexpr uint64_t kPage = 4096;

// FLAGS
constexpr uint64_t kPrivileged = 1;
constexpr uint64_t kInstruction = 2;
// SUBSTREAM
constexpr uint64_t kSubstreamValid = uint64_t{1} << 31;
// CONTROL
constexpr uint64_t kStart = 1;
constexpr uint64_t kStop = 2;
// STATUS
constexpr uint64_t kBusy = 1;
constexpr uint64_t kStalled = 2;
constexpr uint64_t kDone = 4;
constexpr uint64_t kFailed = 8;
// ERROR
constexpr uint64_t kAborted = 1;
constexpr uint64_t kBusError = 2;
constexpr uint64_t kTooLong = 3;
constexpr uint64_t kWhileWriting = 0x100;

}  // namespace

DmaEngine::DmaEngine(sc_core::sc_module_name name, TimerQueue& timers, uint32_t default_stream)
    : Device(name, {4, 8}), dma("dma"), timers_(timers), timer_(timers.add([this](uint64_t) {
        set_step(Step::kRead);
        run();
      })) {
  payload_.set_extension(&requester_);
  payload_.set_extension(&memory_only_);
  source_ = registers_.add({.offset = 0x00, .size_bytes = 8, .name = "SOURCE", .doc = "address to read from"});
  destination_ = registers_.add({.offset = 0x08, .size_bytes = 8, .name = "DESTINATION", .doc = "address to write to"});
  length_ = registers_.add({.offset = 0x10, .name = "LENGTH", .doc = "bytes, at most 1 MiB"});
  stream_ =
      registers_.add({.offset = 0x14, .name = "STREAM", .reset = default_stream, .doc = "stream of the accesses"});
  substream_ = registers_.add(
      {.offset = 0x18, .name = "SUBSTREAM", .write_mask = kSubstreamValid | 0xfffff, .doc = "bit 31: there is one"});
  flags_ = registers_.add({.offset = 0x1c,
                           .name = "FLAGS",
                           .write_mask = kPrivileged | kInstruction,
                           .doc = "bit 0: privileged; bit 1: reads are of instructions"});
  registers_.add({.offset = 0x20,
                  .name = "CONTROL",
                  .read_mask = 0,
                  .write_mask = 0,
                  .doc = "1 starts a copy where none is under way, 2 ends one",
                  .on_write = [this](unsigned, uint64_t value, uint64_t now_ns) {
                    if (value == kStart && step() == Step::kIdle) start(now_ns);
                    if (value == kStop) stop();
                  }});
  status_ = registers_.add({.offset = 0x24,
                            .name = "STATUS",
                            .write_mask = 0,
                            .doc = "bit 0: busy; bit 1: waits for the end of a stall; bit 2: done; bit 3: failed"});
  error_ =
      registers_.add({.offset = 0x28,
                      .name = "ERROR",
                      .write_mask = 0,
                      .doc = "1: aborted by the SMMU; 2: bus error; 3: LENGTH is too large; bit 8: while writing"});
  error_address_ = registers_.add({.offset = 0x30,
                                   .size_bytes = 8,
                                   .name = "ERROR_ADDRESS",
                                   .write_mask = 0,
                                   .doc = "of the access that failed, before translation"});
  done_ = registers_.add({.offset = 0x38, .name = "DONE", .write_mask = 0, .doc = "bytes copied"});
  stalls_ =
      registers_.add({.offset = 0x3c, .name = "STALLS", .write_mask = 0, .doc = "accesses of this copy that stalled"});
  ignored_ = registers_.add({.offset = 0x40,
                             .name = "IGNORED",
                             .write_mask = 0,
                             .doc = "accesses of this copy that read zero or wrote nothing"});
  interrupt_enable_ = registers_.add({.offset = 0x44,
                                      .name = "INTERRUPT_ENABLE",
                                      .write_mask = 1,
                                      .doc = "1: the end of a copy interrupts",
                                      .on_write = [this](unsigned, uint64_t, uint64_t) { update_irq(); }});
  interrupt_ = registers_.add({.offset = 0x48,
                               .name = "INTERRUPT",
                               .write_mask = 0,
                               .w1c_mask = 1,
                               .doc = "1: a copy has ended; writing 1 clears it",
                               .on_write = [this](unsigned, uint64_t, uint64_t) { update_irq(); }});
  step_ = registers_.add({.offset = kNoAddress, .name = "STEP", .doc = "where the copy stands"});
  copy_ = registers_.add({.offset = kNoAddress,
                          .size_bytes = 8,
                          .name = "COPY",
                          .count = kFields,
                          .doc = "SOURCE to FLAGS as they were when the copy began"});
  token_ = registers_.add({.offset = kNoAddress, .size_bytes = 8, .name = "TOKEN", .doc = "number of the last access"});
}

DmaEngine::~DmaEngine() {
  payload_.clear_extension(&requester_);
  payload_.clear_extension(&memory_only_);
}

void DmaEngine::start(uint64_t now_ns) {
  const RegisterId fields[kFields] = {source_, destination_, length_, stream_, substream_, flags_};
  for (unsigned i = 0; i < kFields; ++i) registers_.set(copy_, registers_.get(fields[i]), i);
  registers_.set(error_, 0);
  registers_.set(error_address_, 0);
  for (const RegisterId counter : {done_, stalls_, ignored_}) registers_.set(counter, 0);
  registers_.set(status_, kBusy);
  const uint64_t length = field(Field::kLength);
  if (length > kMaxLengthBytes) return end(kTooLong, 0);
  set_step(Step::kDelay);
  timers_.arm(timer_, now_ns + kStartNs + length);
}

void DmaEngine::stop() {
  // An answer that comes later for an access of this copy must find another number.
  registers_.set(token_, registers_.get(token_) + 1);
  timers_.cancel(timer_);
  set_step(Step::kIdle);
  registers_.set(status_, 0);
}

// Neither access of a piece crosses a page.
uint32_t DmaEngine::piece_bytes() const {
  const uint64_t done = registers_.get(done_);
  uint64_t bytes = field(Field::kLength) - done;
  for (const Field address : {Field::kSource, Field::kDestination})
    bytes = std::min(bytes, kPage - (field(address) + done) % kPage);
  return static_cast<uint32_t>(bytes);
}

void DmaEngine::run() {
  while (step() == Step::kRead || step() == Step::kWrite) {
    if (registers_.get(done_) >= field(Field::kLength)) return end(0, 0);
    const bool reads = step() == Step::kRead;
    const uint64_t address = field(reads ? Field::kSource : Field::kDestination) + registers_.get(done_);
    if (transfer(reads ? tlm::TLM_READ_COMMAND : tlm::TLM_WRITE_COMMAND, address)) passed();
  }
}

bool DmaEngine::transfer(tlm::tlm_command command, uint64_t address) {
  const bool reads = command == tlm::TLM_READ_COMMAND;
  const uint64_t flags = field(Field::kFlags);
  const uint64_t substream = field(Field::kSubstream);
  smmuv3::Transaction& transaction = requester_.transaction;
  transaction.stream_id = static_cast<uint32_t>(field(Field::kStream));
  transaction.substream_valid = (substream & kSubstreamValid) != 0;
  transaction.substream_id = static_cast<uint32_t>(substream & 0xfffff);
  transaction.privileged = (flags & kPrivileged) != 0;
  transaction.instruction = reads && (flags & kInstruction) != 0;
  requester_.token = registers_.get(token_);
  const uint32_t bytes = piece_bytes();
  payload_.set_command(command);
  payload_.set_address(address);
  payload_.set_data_ptr(buffer_.data());
  payload_.set_data_length(bytes);
  payload_.set_streaming_width(bytes);
  payload_.set_byte_enable_ptr(nullptr);
  payload_.set_dmi_allowed(false);
  payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  dma->b_transport(payload_, delay);
  switch (requester_.verdict) {
    case Verdict::kPassed:
      if (payload_.is_response_ok()) return true;
      end(kBusError | (reads ? 0 : kWhileWriting), address);
      return false;
    case Verdict::kAborted:
      end(kAborted | (reads ? 0 : kWhileWriting), address);
      return false;
    case Verdict::kIgnored:
      registers_.set(ignored_, registers_.get(ignored_) + 1);
      return true;
    case Verdict::kStalled:
      registers_.set(stalls_, registers_.get(stalls_) + 1);
      set_step(reads ? Step::kReadStalled : Step::kWriteStalled);
      break;
    case Verdict::kHeld:
      set_step(reads ? Step::kReadHeld : Step::kWriteHeld);
      break;
  }
  registers_.set(status_, kBusy | kStalled);
  return false;
}

void DmaEngine::passed() {
  registers_.set(token_, registers_.get(token_) + 1);
  if (step() == Step::kRead) return set_step(Step::kWrite);
  registers_.set(done_, registers_.get(done_) + piece_bytes());
  set_step(Step::kRead);
}

void DmaEngine::stall_ended(const smmuv3::StallEnd& end_of_stall) {
  const bool reads = step() == Step::kReadStalled;
  // A copy that was stopped has no access any more.
  if ((!reads && step() != Step::kWriteStalled) || end_of_stall.token != registers_.get(token_)) return;
  set_step(reads ? Step::kRead : Step::kWrite);
  registers_.set(status_, kBusy);
  switch (end_of_stall.outcome) {
    case Outcome::kPass:
      break;
    case Outcome::kZeroIgnored:
      if (reads) std::fill_n(buffer_.begin(), piece_bytes(), uint8_t{0});
      registers_.set(ignored_, registers_.get(ignored_) + 1);
      passed();
      break;
    default:
      return end(kAborted | (reads ? 0 : kWhileWriting), end_of_stall.address);
  }
  run();
}

void DmaEngine::stalls_are_free() {
  if (step() != Step::kReadHeld && step() != Step::kWriteHeld) return;
  set_step(step() == Step::kReadHeld ? Step::kRead : Step::kWrite);
  registers_.set(status_, kBusy);
  run();
}

void DmaEngine::end(uint64_t error, uint64_t address) {
  registers_.set(token_, registers_.get(token_) + 1);
  set_step(Step::kIdle);
  registers_.set(error_, error);
  registers_.set(error_address_, address);
  registers_.set(status_, error == 0 ? kDone : kDone | kFailed);
  registers_.set(interrupt_, 1);
  update_irq();
}

void DmaEngine::update_irq() { irq.set(registers_.test(interrupt_, 1) && registers_.test(interrupt_enable_, 1)); }

void DmaEngine::reset() {
  // An end of a stall may still come; it must not be taken for one of a later copy.
  const uint64_t token = registers_.get(token_) + 1;
  Device::reset();
  registers_.set(token_, token);
  timers_.cancel(timer_);
  update_irq();
}

void DmaEngine::save(SnapshotSection& section) {
  Device::save(section);
  section.put("deadline_ns", timers_.deadline_ns(timer_));
  section.put_bytes("buffer", buffer_);
}

void DmaEngine::restore_extra(StateReader& reader) {
  if (registers_.get(step_) > static_cast<uint64_t>(Step::kWriteHeld) ||
      field(Field::kLength) < registers_.get(done_) ||
      (step() != Step::kIdle && field(Field::kLength) > kMaxLengthBytes))
    return reader.fail("the copy under way is none that this engine makes");
  const std::vector<uint8_t> bytes = reader.bytes("buffer", buffer_.size());
  std::copy(bytes.begin(), bytes.end(), buffer_.begin());
  timers_.arm(timer_, reader.word("deadline_ns"));
  irq.restore(registers_.test(interrupt_, 1) && registers_.test(interrupt_enable_, 1));
}

}  // namespace lockstep::tlm_models
