// SPDX-License-Identifier: Apache-2.0
// The pin map of little_smmu: what a team writes to bring its own RTL (docs/bring-your-rtl.md).
#include "Vlittle_smmu.h"
#include "smmu_rtl_bridge/rtl_device/verilated_design.h"

namespace lockstep::smmu_rtl_bridge {
namespace {

class LittlePins {
 public:
  static constexpr bool kHasIdle = false;
  static auto& clock(Vlittle_smmu& top) { return top.clock; }

  void drive(Vlittle_smmu& top, const DesignInputs& in) {
    in_ = in;
    top.reset = in.reset;
    if (in.reset) *this = LittlePins();

    // Registers: a request that stays until it is done. Parts of words do not exist.
    const ApbRequest& registers = in.registers;
    top.cfg_request = registers.select && registers.enable;
    top.cfg_write = registers.write && registers.strobe == 0xf;
    top.cfg_address = registers.address;
    top.cfg_data = registers.data;

    // Clients: AXI, with what it calls USER beside it.
    const AxiAddress& ar = in.client.ar;
    top.up_arvalid = ar.valid;
    top.up_arid = ar.id;
    top.up_araddr = ar.address;
    top.up_arlen = ar.length;
    top.up_arsize = ar.size;
    top.up_stream = ar.stream_id;
    top.up_substream_valid = ar.substream_valid;
    top.up_substream = ar.substream_id;
    top.up_privileged = ar.prot & 1;
    top.up_instruction = ar.prot >> 2 & 1;
    top.up_translated = ar.translated;
    top.up_type = ar.type;
    top.up_share = ar.shareability;
    const AxiAddress& aw = in.client.aw;
    top.up_awvalid = aw.valid;
    top.up_awid = aw.id;
    top.up_awaddr = aw.address;
    top.up_awlen = aw.length;
    top.up_awsize = aw.size;
    top.up_aw_stream = aw.stream_id;
    top.up_aw_substream_valid = aw.substream_valid;
    top.up_aw_substream = aw.substream_id;
    top.up_aw_privileged = aw.prot & 1;
    top.up_aw_translated = aw.translated;
    top.up_aw_atomic = aw.atomic;
    top.up_aw_type = aw.type;
    top.up_aw_share = aw.shareability;
    top.up_wvalid = in.client.w.valid;
    top.up_wdata = in.client.w.data;
    top.up_wstrb = in.client.w.strobe;
    top.up_wlast = in.client.w.last;
    top.up_rready = in.client.r_ready;
    top.up_bready = in.client.b_ready;

    // Downstream: AXI with one ID.
    top.down_arready = in.downstream.ar_ready;
    top.down_awready = in.downstream.aw_ready;
    top.down_wready = in.downstream.w_ready;
    top.down_rvalid = in.downstream.r.valid;
    top.down_rdata = in.downstream.r.data;
    top.down_rresp = in.downstream.r.response;
    top.down_rlast = in.downstream.r.last;
    top.down_bvalid = in.downstream.b.valid;
    top.down_bresp = in.downstream.b.response;

    // Memory: the design's own bus, whose words are AXI's beats.
    const AxiReadData& r = in.memory.r;
    const AxiWriteResponse& b = in.memory.b;
    failed_ = failed_ || (r.valid && r.response != kAxiOkay) || (b.valid && b.response != kAxiOkay);
    top.mem_word_valid = r.valid;
    top.mem_word = r.data;
    top.mem_finish = (r.valid && r.last) || b.valid;
    top.mem_error = failed_;
  }

  void sample(const Vlittle_smmu& top, DesignOutputs& out) {
    out.registers.ready = top.cfg_done;
    out.registers.data = top.cfg_answer;

    out.client.ar_ready = top.up_arready;
    out.client.aw_ready = top.up_awready;
    out.client.w_ready = top.up_wready;
    out.client.r = {top.up_rvalid != 0, top.up_rid, top.up_rdata, top.up_rresp, top.up_rlast != 0};
    out.client.b = {top.up_bvalid != 0, top.up_bid, top.up_bresp};

    AxiAddress address;
    address.address = top.down_address;
    address.length = top.down_len;
    address.size = top.down_size;
    address.prot = static_cast<uint8_t>(2 | top.down_privileged | top.down_instruction << 2);
    address.type = top.down_type;
    address.shareability = top.down_share;
    out.downstream.ar = out.downstream.aw = {};
    if (top.down_arvalid) out.downstream.ar = address, out.downstream.ar.valid = true;
    if (top.down_awvalid) out.downstream.aw = address, out.downstream.aw.valid = true;
    out.downstream.w = {top.down_wvalid != 0, top.down_wdata, top.down_wstrb, top.down_wlast != 0};
    out.downstream.r_ready = top.down_rready;
    out.downstream.b_ready = top.down_bready;

    // A request stays until it is finished; AXI takes its address once, and its words one by one.
    out.memory = {};
    out.memory.r_ready = out.memory.b_ready = true;
    AxiAddress request;
    request.valid = top.mem_request && !address_taken_;
    request.address = top.mem_address;
    request.length = static_cast<uint8_t>(top.mem_words - 1);
    request.type = top.mem_type;
    request.shareability = top.mem_share;
    if (request.valid) (top.mem_write ? out.memory.aw : out.memory.ar) = request;
    if (top.mem_request && top.mem_write && words_taken_ < top.mem_words) {
      out.memory.w.valid = true;
      out.memory.w.data = uint64_t{top.mem_data[2 * words_taken_ + 1]} << 32 | top.mem_data[2 * words_taken_];
      out.memory.w.strobe = 0xff;
      out.memory.w.last = words_taken_ + 1 == top.mem_words;
    }
    if (top.mem_finish) {
      address_taken_ = failed_ = false;
      words_taken_ = 0;
    } else {
      if (request.valid && (top.mem_write ? in_.memory.aw_ready : in_.memory.ar_ready)) address_taken_ = true;
      if (out.memory.w.valid && in_.memory.w_ready) ++words_taken_;
    }

    // A line that changes its level is a pulse.
    const auto pulse = [](bool level, bool& before) {
      const bool changed = level != before;
      before = level;
      return changed;
    };
    out.wires = {};
    out.wires[static_cast<size_t>(Wire::kEventQueue)] = pulse(top.line_event, line_event_);
    out.wires[static_cast<size_t>(Wire::kCommandSync)] = pulse(top.line_sync, line_sync_);
    out.wires[static_cast<size_t>(Wire::kGlobalError)] = pulse(top.line_error, line_error_);
  }

 private:
  DesignInputs in_;
  bool address_taken_ = false, failed_ = false;
  unsigned words_taken_ = 0;
  bool line_event_ = false, line_sync_ = false, line_error_ = false;
};

}  // namespace
}  // namespace lockstep::smmu_rtl_bridge

LOCKSTEP_RTL_DESIGN(Vlittle_smmu, lockstep::smmu_rtl_bridge::LittlePins)
