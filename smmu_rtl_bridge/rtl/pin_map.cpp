// SPDX-License-Identifier: Apache-2.0
// How the bench's pins stand for those of smmu_top.
#include "Vsmmu_top.h"
#include "smmu_rtl_bridge/rtl_device/pins.h"
#include "smmu_rtl_bridge/rtl_device/verilated_design.h"

namespace {

using namespace lockstep::smmu_rtl_bridge;

// AxUSER of the client port, from bit 0: sid 32, ssid 20, ssv, mair 8, shareability 2, translated, atomic.
void put_client_user(VlWide<3>& user, const AxiAddress& address) {
  user[0] = address.stream_id;
  user[1] = (address.substream_id & 0xfffff) | static_cast<uint32_t>(address.substream_valid) << 20 |
            static_cast<uint32_t>(address.type) << 21 | static_cast<uint32_t>(address.shareability & 3) << 29 |
            static_cast<uint32_t>(address.translated) << 31;
  user[2] = address.atomic;
}

void take_user(unsigned user, AxiAddress& address) {
  address.type = static_cast<uint8_t>(user & 0xff);
  address.shareability = static_cast<uint8_t>(user >> 8 & 3);
}

struct SmmuPinMap {
  static constexpr bool kHasIdle = true;
  static auto& clock(Vsmmu_top& top) { return top.clk; }

  // Designs with mutants inside have an input that chooses one.
  template <typename Model>
  static bool set(Model& top, const std::string& name, uint64_t value) {
    if constexpr (requires { top.mutsel; }) {
      if (name != "mutant") return false;
      top.mutsel = static_cast<uint16_t>(value);
      return true;
    }
    return false;
  }

  static void drive(Vsmmu_top& top, const DesignInputs& in) {
    top.rst_n = !in.reset;
    const AxiManagerPins& client = in.client;
    top.s_arvalid = client.ar.valid;
    top.s_arid = static_cast<uint8_t>(client.ar.id);
    top.s_araddr = client.ar.address;
    top.s_arlen = client.ar.length;
    top.s_arsize = client.ar.size;
    top.s_arburst = client.ar.burst;
    top.s_arprot = client.ar.prot;
    put_client_user(top.s_aruser, client.ar);
    top.s_awvalid = client.aw.valid;
    top.s_awid = static_cast<uint8_t>(client.aw.id);
    top.s_awaddr = client.aw.address;
    top.s_awlen = client.aw.length;
    top.s_awsize = client.aw.size;
    top.s_awburst = client.aw.burst;
    top.s_awprot = client.aw.prot;
    put_client_user(top.s_awuser, client.aw);
    top.s_wvalid = client.w.valid;
    top.s_wdata = client.w.data;
    top.s_wstrb = client.w.strobe;
    top.s_wlast = client.w.last;
    top.s_rready = client.r_ready;
    top.s_bready = client.b_ready;

    const AxiSubordinatePins& down = in.downstream;
    top.m_arready = down.ar_ready;
    top.m_awready = down.aw_ready;
    top.m_wready = down.w_ready;
    top.m_rvalid = down.r.valid;
    top.m_rid = static_cast<uint8_t>(down.r.id);
    top.m_rdata = down.r.data;
    top.m_rresp = down.r.response;
    top.m_rlast = down.r.last;
    top.m_bvalid = down.b.valid;
    top.m_bid = static_cast<uint8_t>(down.b.id);
    top.m_bresp = down.b.response;

    const AxiSubordinatePins& memory = in.memory;
    top.p_arready = memory.ar_ready;
    top.p_awready = memory.aw_ready;
    top.p_wready = memory.w_ready;
    top.p_rvalid = memory.r.valid;
    top.p_rid = static_cast<uint8_t>(memory.r.id);
    top.p_rdata = memory.r.data;
    top.p_rresp = memory.r.response;
    top.p_rlast = memory.r.last;
    top.p_bvalid = memory.b.valid;
    top.p_bid = static_cast<uint8_t>(memory.b.id);
    top.p_bresp = memory.b.response;

    top.psel = in.registers.select;
    top.penable = in.registers.enable;
    top.pwrite = in.registers.write;
    top.paddr = in.registers.address;
    top.pwdata = in.registers.data;
    top.pstrb = in.registers.strobe;
    top.pprot = in.registers.prot;
  }

  static void sample(Vsmmu_top& top, DesignOutputs& out) {
    AxiSubordinatePins& client = out.client;
    client.ar_ready = top.s_arready;
    client.aw_ready = top.s_awready;
    client.w_ready = top.s_wready;
    client.r.valid = top.s_rvalid;
    client.r.id = top.s_rid;
    client.r.data = top.s_rdata;
    client.r.response = top.s_rresp;
    client.r.last = top.s_rlast;
    client.b.valid = top.s_bvalid;
    client.b.id = top.s_bid;
    client.b.response = top.s_bresp;

    AxiManagerPins& down = out.downstream;
    down.ar.valid = top.m_arvalid;
    down.ar.id = top.m_arid;
    down.ar.address = top.m_araddr;
    down.ar.length = top.m_arlen;
    down.ar.size = top.m_arsize;
    down.ar.burst = top.m_arburst;
    down.ar.prot = top.m_arprot;
    take_user(top.m_aruser, down.ar);
    down.aw.valid = top.m_awvalid;
    down.aw.id = top.m_awid;
    down.aw.address = top.m_awaddr;
    down.aw.length = top.m_awlen;
    down.aw.size = top.m_awsize;
    down.aw.burst = top.m_awburst;
    down.aw.prot = top.m_awprot;
    take_user(top.m_awuser, down.aw);
    down.w = {bool(top.m_wvalid), top.m_wdata, top.m_wstrb, bool(top.m_wlast)};
    down.r_ready = top.m_rready;
    down.b_ready = top.m_bready;

    AxiManagerPins& memory = out.memory;
    memory.ar.valid = top.p_arvalid;
    memory.ar.id = top.p_arid;
    memory.ar.address = top.p_araddr;
    memory.ar.length = top.p_arlen;
    memory.ar.size = top.p_arsize;
    memory.ar.burst = top.p_arburst;
    memory.ar.prot = top.p_arprot;
    take_user(top.p_aruser, memory.ar);
    memory.aw.valid = top.p_awvalid;
    memory.aw.id = top.p_awid;
    memory.aw.address = top.p_awaddr;
    memory.aw.length = top.p_awlen;
    memory.aw.size = top.p_awsize;
    memory.aw.burst = top.p_awburst;
    memory.aw.prot = top.p_awprot;
    take_user(top.p_awuser, memory.aw);
    memory.w = {bool(top.p_wvalid), top.p_wdata, top.p_wstrb, bool(top.p_wlast)};
    memory.r_ready = top.p_rready;
    memory.b_ready = top.p_bready;

    out.registers = {bool(top.pready), top.prdata, bool(top.pslverr)};
    out.wires = {bool(top.irq_eventq), bool(top.irq_priq), bool(top.irq_cmd_sync), bool(top.irq_gerror),
                 bool(top.evt_sev)};
    out.idle = top.idle;
  }
};

}  // namespace

LOCKSTEP_RTL_DESIGN(Vsmmu_top, SmmuPinMap);
