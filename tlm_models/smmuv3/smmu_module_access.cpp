// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "tlm_models/smmuv3/smmu_module_inside.h"

namespace lockstep::tlm_models::smmuv3 {
namespace {

constexpr uint64_t kGrainBytes = 4096;  // every page and block is made of these
constexpr uint64_t kInPage = kGrainBytes - 1;

// Reasons of F_UUT, whose meaning is the implementation's.
constexpr uint16_t kReasonEmpty = 1;      // no bytes
constexpr uint16_t kReasonStreaming = 2;  // beats of one address that leave its page or do not fill the payload
constexpr uint16_t kReasonAtomic = 3;     // an atomic access over two pages

// The same payload, on its way with an address and attributes of downstream; as it was when it comes back.
class Forwarded {
 public:
  Forwarded(tlm::tlm_generic_payload& payload, const TranslateResult& result, uint32_t stream_id)
      : payload_(payload), address_(payload.get_address()) {
    extension_.privileged = result.privileged;
    extension_.instruction = result.instruction;
    extension_.stream_id = stream_id;
    extension_.attributes = result.attributes;
    // Behind another SMMU it has one already.
    before_ = payload.set_extension(&extension_);
    payload.set_address(result.address);
  }
  ~Forwarded() {
    payload_.set_address(address_);
    payload_.set_extension(before_);
  }
  Forwarded(const Forwarded&) = delete;
  Forwarded& operator=(const Forwarded&) = delete;

 private:
  tlm::tlm_generic_payload& payload_;
  uint64_t address_;
  DownstreamExtension* before_;
  DownstreamExtension extension_;
};

RequesterExtension& requester_of(tlm::tlm_generic_payload& payload, UpstreamPort& port) {
  auto* extension = payload.get_extension<RequesterExtension>();
  return extension ? *extension : port.default_requester;
}

void fill(Transaction& transaction, const tlm::tlm_generic_payload& payload, uint64_t token) {
  transaction.address = payload.get_address();
  transaction.write = payload.is_write();
  transaction.token = token;
}

// What is left of a debugger's look through a core of its own: nothing is written and nobody is told.
class Onlooker : public MemoryPort, public Environment {
 public:
  explicit Onlooker(DownstreamPort& downstream) : downstream_(downstream) {}
  bool read(uint64_t address, void* data, size_t size_bytes, const MemoryAttributes&, AccessKind) override {
    return downstream_.peek(address, data, size_bytes);
  }
  bool write(uint64_t, const void*, size_t, const MemoryAttributes&, AccessKind) override { return true; }
  ExchangeResult exchange(uint64_t, uint64_t, uint64_t, const MemoryAttributes&, AccessKind) override {
    return ExchangeResult::kDone;
  }
  void raise(Interrupt) override {}
  void send_event() override {}
  void resolved(uint64_t, const TranslateResult&) override {}
  AtcAnswer invalidate_atc(const AtcInvalidation&) override { return AtcAnswer::kDone; }
  void page_response(const PageResponse&) override {}
  bool downstream_quiet() override { return true; }

 private:
  DownstreamPort& downstream_;
};

}  // namespace

UpstreamPort::UpstreamPort(const char* name, SmmuModule& module, unsigned number, const RequesterPort& streams)
    : socket(name), module_(module), number_(number), streams_(streams) {
  default_requester.transaction.stream_id = streams.first_stream;
  socket.bind(*this);
}

tlm::tlm_sync_enum UpstreamPort::nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                                 sc_core::sc_time& delay) {
  if (phase == tlm::BEGIN_REQ) b_transport(payload, delay);
  return tlm::TLM_COMPLETED;
}

AtsCompletion UpstreamPort::translate(const AtsRequest& request) {
  const AtsCompletion completion = module_.core().translate_for_ats(request);
  module_.refresh();
  return completion;
}

void UpstreamPort::page_request(const PageRequest& request) {
  module_.core().page_request(request);
  module_.refresh();
}

void UpstreamPort::invalidated(bool timed_out) {
  module_.core().atc_invalidated(timed_out);
  module_.refresh();
}

[[gnu::always_inline]] inline bool SmmuModule::carry_on(UpstreamPort& port, RequesterExtension& requester,
                                                        tlm::tlm_generic_payload& payload, sc_core::sc_time& delay,
                                                        const TranslateResult& result) {
  Inside& in = *inside_;
  if (result.outcome != Outcome::kPass) [[unlikely]] {
    answer(port, requester, payload, result);
    return false;
  }
  {
    const Forwarded forwarded(payload, result, requester.transaction.stream_id);
    ++in.in_flight;
    downstream->b_transport(payload, delay);
    --in.in_flight;
  }
  requester.verdict = Verdict::kPassed;
  requester.event = EventType::kNone;
  if (in.sync_waits && in.in_flight == 0) [[unlikely]] {
    in.sync_waits = false;
    for (unsigned side = 0; side < in.sides(); ++side) in.cores[side]->resume_commands();
    refresh();
  }
  return payload.is_response_ok();
}

[[gnu::always_inline]] inline bool SmmuModule::access_page(UpstreamPort& port, RequesterExtension& requester,
                                                           tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  Inside& in = *inside_;
  fill(requester.transaction, payload, port.token(requester.token));
  if (in.ended_stall && in.ended_stall->is_of(requester.transaction)) [[unlikely]] {
    const TranslateResult result = in.ended_stall->result;
    in.ended_stall.reset();
    return carry_on(port, requester, payload, delay, result);
  }
  // The result is used where it was made: a copy of it would wait for its parts to be stored.
  return carry_on(port, requester, payload, delay, in.core(requester.secure_stream).translate(requester.transaction));
}

void SmmuModule::access(UpstreamPort& port, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  RequesterExtension& requester = requester_of(payload, port);
  const uint64_t length = payload.get_data_length();
  const bool one_page = (payload.get_address() & kInPage) + length <= kGrainBytes && length != 0 &&
                        payload.get_streaming_width() >= length;
  requester.bytes_done = 0;
  if (one_page) [[likely]] {
    if (access_page(port, requester, payload, delay)) requester.bytes_done = static_cast<uint32_t>(length);
    return;
  }
  access_pages(port, requester, payload, delay);
}

void SmmuModule::answer(UpstreamPort& port, RequesterExtension& requester, tlm::tlm_generic_payload& payload,
                        const TranslateResult& result) {
  requester.event = result.event;
  requester.stall_tag = result.stall_tag;
  payload.set_dmi_allowed(false);
  switch (result.outcome) {
    case Outcome::kPass:
      break;
    case Outcome::kAbort:
      requester.verdict = Verdict::kAborted;
      payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
      break;
    case Outcome::kZeroIgnored:
      requester.verdict = Verdict::kIgnored;
      if (payload.is_read()) std::memset(payload.get_data_ptr(), 0, payload.get_data_length());
      payload.set_response_status(tlm::TLM_OK_RESPONSE);
      break;
    case Outcome::kStalled:
      requester.verdict = Verdict::kStalled;
      payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
      break;
    case Outcome::kNoRoom:
      requester.verdict = Verdict::kHeld;
      port.holds_access = inside_->any_held = true;
      payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
      break;
  }
  // An event has moved registers.
  refresh();
}

void SmmuModule::access_pages(UpstreamPort& port, RequesterExtension& requester, tlm::tlm_generic_payload& payload,
                              sc_core::sc_time& delay) {
  const uint64_t address = payload.get_address();
  const unsigned length = payload.get_data_length();
  const unsigned width = payload.get_streaming_width();
  unsigned char* const data = payload.get_data_ptr();
  unsigned char* const enables = payload.get_byte_enable_ptr();
  const unsigned enables_length = payload.get_byte_enable_length();
  const bool repeats = width < length;
  uint16_t reason = 0;
  if (length == 0) reason = kReasonEmpty;
  if (repeats && (width == 0 || length % width != 0 || (address & kInPage) + width > kGrainBytes))
    reason = kReasonStreaming;
  if (!repeats && requester.transaction.atomic) reason = kReasonAtomic;
  if (reason != 0) {
    fill(requester.transaction, payload, port.token(requester.token));
    answer(port, requester, payload, inside_->core(requester.secure_stream).unsupported(requester.transaction, reason));
    return;
  }
  if (repeats) {
    if (access_page(port, requester, payload, delay)) requester.bytes_done = length;
    return;
  }
  std::vector<unsigned char> piece_enables;
  unsigned done = 0;
  while (done < length) {
    const auto bytes =
        static_cast<unsigned>(std::min<uint64_t>(length - done, kGrainBytes - ((address + done) & kInPage)));
    payload.set_address(address + done);
    payload.set_data_ptr(data + done);
    payload.set_data_length(bytes);
    payload.set_streaming_width(bytes);
    if (enables) {
      piece_enables.resize(bytes);
      for (unsigned i = 0; i < bytes; ++i) piece_enables[i] = enables[(done + i) % enables_length];
      payload.set_byte_enable_ptr(piece_enables.data());
      payload.set_byte_enable_length(bytes);
    }
    const bool passed = access_page(port, requester, payload, delay);
    if (!passed && requester.verdict != Verdict::kIgnored) break;
    done += bytes;
    requester.bytes_done = done;
  }
  payload.set_address(address);
  payload.set_data_ptr(data);
  payload.set_data_length(length);
  payload.set_streaming_width(width);
  payload.set_byte_enable_ptr(enables);
  payload.set_byte_enable_length(enables_length);
  payload.set_dmi_allowed(false);
}

bool SmmuModule::grant(UpstreamPort& port, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
  Inside& in = *inside_;
  const RequesterExtension& requester = requester_of(payload, port);
  const uint64_t address = payload.get_address();
  dmi.init();
  dmi.set_start_address(address & ~kInPage);
  dmi.set_end_address(address | kInPage);
  dmi.set_granted_access(tlm::tlm_dmi::DMI_ACCESS_NONE);
  Smmu& core = in.core(requester.secure_stream);
  Transaction read = requester.transaction;
  read.address = address;
  read.write = false;
  read.speculative = true;
  Transaction write = read;
  write.write = true;
  TranslateResult result;
  // Only what the caches permit without a further look: a page that a first write marks dirty is none that may be
  // written unseen. A speculative read brings a page into the caches.
  if (!core.translated_already(read, result)) core.translate(read);
  const bool readable = core.translated_already(read, result);
  const bool writable = core.translated_already(write, result);
  if (!(payload.is_write() ? writable : readable)) return false;

  bool granted = false;
  tlm::tlm_dmi below;
  {
    result.address &= ~kInPage;
    const Forwarded forwarded(payload, result, requester.transaction.stream_id);
    granted = downstream->get_direct_mem_ptr(payload, below);
  }
  const uint64_t first = std::max<uint64_t>(below.get_start_address(), result.address);
  const uint64_t last = std::min<uint64_t>(below.get_end_address(), result.address | kInPage);
  const bool may_read = readable && below.is_read_allowed();
  const bool may_write = writable && below.is_write_allowed();
  auto* window = payload.get_extension<WindowExtension>();
  if (!granted || first > last || !(payload.is_write() ? may_write : may_read)) {
    if (window) window->window = {};
    return false;
  }
  const uint64_t page = address & ~kInPage;
  dmi.set_start_address(page + (first - result.address));
  dmi.set_end_address(page + (last - result.address));
  dmi.set_dmi_ptr(below.get_dmi_ptr() + (first - below.get_start_address()));
  dmi.set_read_latency(below.get_read_latency());
  dmi.set_write_latency(below.get_write_latency());
  dmi.set_granted_access(may_read && may_write ? tlm::tlm_dmi::DMI_ACCESS_READ_WRITE
                         : may_write           ? tlm::tlm_dmi::DMI_ACCESS_WRITE
                                               : tlm::tlm_dmi::DMI_ACCESS_READ);
  if (window) {
    core::RamWindow& whole = window->window;
    if (whole.contains(result.address, kGrainBytes)) {
      const uint64_t offset = result.address - whole.base;
      whole = {page, kGrainBytes, whole.host + offset, whole.page_flags + offset / kGrainBytes,
               whole.writable && may_write};
    } else {
      whole = {};
    }
  }
  if (!in.any_dmi) {
    for (unsigned side = 0; side < in.sides(); ++side) in.dmi_generation[side] = in.cores[side]->generation();
  }
  port.has_dmi = in.any_dmi = true;
  return true;
}

unsigned SmmuModule::debug(UpstreamPort& port, tlm::tlm_generic_payload& payload) {
  Inside& in = *inside_;
  const RequesterExtension& requester = requester_of(payload, port);
  const Smmu& core = in.core(requester.secure_stream);
  Onlooker onlooker(in.downstream);
  Smmu looking(core.config(), onlooker, onlooker);
  looking.restore(core.state());
  const uint64_t address = payload.get_address();
  unsigned char* const data = payload.get_data_ptr();
  const unsigned length = payload.get_data_length();
  unsigned done = 0;
  while (done < length) {
    const auto bytes =
        static_cast<unsigned>(std::min<uint64_t>(length - done, kGrainBytes - ((address + done) & kInPage)));
    Transaction transaction = requester.transaction;
    transaction.address = address + done;
    transaction.write = payload.is_write();
    transaction.speculative = true;
    const TranslateResult result = looking.translate(transaction);
    if (result.outcome != Outcome::kPass) break;
    payload.set_data_ptr(data + done);
    payload.set_data_length(bytes);
    unsigned got = 0;
    {
      const Forwarded forwarded(payload, result, transaction.stream_id);
      got = downstream->transport_dbg(payload);
    }
    done += got;
    if (got != bytes) break;
  }
  payload.set_data_ptr(data);
  payload.set_data_length(length);
  return done;
}

}  // namespace lockstep::tlm_models::smmuv3
