// SPDX-License-Identifier: Apache-2.0

// The translation half of the SMMU: client port, configuration, TLB and walker, wired together, and the order of an
// invalidation: every cache that its kind concerns sweeps, all at once, and inv_ready comes in the clock after the last one.
// smmu_pkg.sv says how the handshakes with the control half go.
module smmu_translation #(
    parameter int ID_BITS = 8,
    parameter int SID_BITS = 16,
    parameter int SSID_BITS = 20,
    parameter int OAS = 5,
    parameter int TTENDIAN = 0,
    parameter int TLB_SETS = 32,
    parameter int TLB_WAYS = 4,
    parameter int CONFIG_CACHE_ENTRIES = 64,
    parameter int WALK_CACHE_ENTRIES = 16,
    parameter int S2_CACHE_ENTRIES = 64,
    parameter int WALKS = 8,
    parameter int TRANSACTIONS = 32
) (
    input  logic                             clk,
    input  logic                             rst_n,
    input  logic                             s_arvalid,
    output logic                             s_arready,
    input  logic [ID_BITS-1:0]               s_arid,
    input  logic [63:0]                      s_araddr,
    input  logic [7:0]                       s_arlen,
    input  logic [2:0]                       s_arsize,
    input  logic [1:0]                       s_arburst,
    input  logic [2:0]                       s_arprot,
    input  logic [64:0]                      s_aruser,
    output logic                             s_rvalid,
    input  logic                             s_rready,
    output logic [ID_BITS-1:0]               s_rid,
    output logic [63:0]                      s_rdata,
    output logic [1:0]                       s_rresp,
    output logic                             s_rlast,
    input  logic                             s_awvalid,
    output logic                             s_awready,
    input  logic [ID_BITS-1:0]               s_awid,
    input  logic [63:0]                      s_awaddr,
    input  logic [7:0]                       s_awlen,
    input  logic [2:0]                       s_awsize,
    input  logic [1:0]                       s_awburst,
    input  logic [2:0]                       s_awprot,
    input  logic [64:0]                      s_awuser,
    input  logic                             s_wvalid,
    output logic                             s_wready,
    input  logic [63:0]                      s_wdata,
    input  logic [7:0]                       s_wstrb,
    input  logic                             s_wlast,
    output logic                             s_bvalid,
    input  logic                             s_bready,
    output logic [ID_BITS-1:0]               s_bid,
    output logic [1:0]                       s_bresp,
    output logic                             m_arvalid,
    input  logic                             m_arready,
    output logic [ID_BITS-1:0]               m_arid,
    output logic [63:0]                      m_araddr,
    output logic [7:0]                       m_arlen,
    output logic [2:0]                       m_arsize,
    output logic [1:0]                       m_arburst,
    output logic [2:0]                       m_arprot,
    output logic [9:0]                       m_aruser,
    input  logic                             m_rvalid,
    output logic                             m_rready,
    input  logic [ID_BITS-1:0]               m_rid,
    input  logic [63:0]                      m_rdata,
    input  logic [1:0]                       m_rresp,
    input  logic                             m_rlast,
    output logic                             m_awvalid,
    input  logic                             m_awready,
    output logic [ID_BITS-1:0]               m_awid,
    output logic [63:0]                      m_awaddr,
    output logic [7:0]                       m_awlen,
    output logic [2:0]                       m_awsize,
    output logic [1:0]                       m_awburst,
    output logic [2:0]                       m_awprot,
    output logic [9:0]                       m_awuser,
    output logic                             m_wvalid,
    input  logic                             m_wready,
    output logic [63:0]                      m_wdata,
    output logic [7:0]                       m_wstrb,
    output logic                             m_wlast,
    input  logic                             m_bvalid,
    output logic                             m_bready,
    input  logic [ID_BITS-1:0]               m_bid,
    input  logic [1:0]                       m_bresp,
    // The control half.
    input  smmu_pkg::regs_t                  regs,
    input  logic                             quiesce_req,
    output logic                             quiesce_done,
    input  logic                             inv_valid,
    output logic                             inv_ready,
    input  smmu_pkg::inv_t                   inv,
    input  logic                             sync_valid,
    output logic                             sync_ready,
    output logic                             evt_valid,
    input  logic                             evt_ready,
    output logic [smmu_pkg::EVENT_BITS-1:0]  evt_rec,
    output logic                             walk_rd_valid,
    input  logic                             walk_rd_ready,
    output logic [smmu_pkg::PA_BITS-1:0]     walk_rd_addr,
    output logic [3:0]                       walk_rd_beats,
    output logic [smmu_pkg::RD_TAG_BITS-1:0] walk_rd_tag,
    output logic [smmu_pkg::M_USER_BITS-1:0] walk_rd_attr,
    input  logic                             walk_rsp_valid,
    output logic                             cfg_rd_valid,
    input  logic                             cfg_rd_ready,
    output logic [smmu_pkg::PA_BITS-1:0]     cfg_rd_addr,
    output logic [3:0]                       cfg_rd_beats,
    output logic [smmu_pkg::RD_TAG_BITS-1:0] cfg_rd_tag,
    output logic [smmu_pkg::M_USER_BITS-1:0] cfg_rd_attr,
    input  logic                             cfg_rsp_valid,
    input  logic [smmu_pkg::RD_TAG_BITS-1:0] rsp_tag,
    input  logic [63:0]                      rsp_data,
    input  logic                             rsp_last,
    input  logic                             rsp_err,
    output logic                             idle
);

  localparam logic [smmu_pkg::RD_TAG_BITS-1:0] CONFIG_TAG = 4'd8;

  logic                           new_valid;
  logic [smmu_pkg::SLOT_BITS-1:0] new_slot;
  smmu_pkg::access_t              new_access;
  logic                           res_valid;
  logic [smmu_pkg::SLOT_BITS-1:0] res_slot;
  logic [1:0]                     res_kind;
  logic [63:0]                    res_address;
  smmu_pkg::attr_t                res_attr;
  logic                           res_privileged;
  logic                           res_instruction;
  logic                           client_idle;

  logic                           ste_lookup;
  logic [31:0]                    ste_lookup_sid;
  logic                           ste_ready;
  logic                           ste_hit;
  smmu_pkg::ste_t                 ste_data;
  logic                           cd_lookup;
  logic [31:0]                    cd_lookup_sid;
  logic [19:0]                    cd_lookup_index;
  logic                           cd_ready;
  logic                           cd_hit;
  smmu_pkg::cd_t                  cd_data;

  logic                           fetch_valid;
  logic                           fetch_ready;
  logic                           fetch_for_cd;
  logic [31:0]                    fetch_sid;
  logic [19:0]                    fetch_index;
  smmu_pkg::ste_t                 fetch_ste;
  logic [1:0]                     fetch_world;
  logic                           fetch_done;
  logic                           fetch_taken;
  smmu_pkg::fault_t               fetch_fault;
  logic                           fetch_busy;
  logic                           ste_fill;
  smmu_pkg::ste_t                 ste_filled;
  logic                           cd_fill;
  smmu_pkg::cd_t                  cd_filled;
  logic [31:0]                    fill_sid;
  logic [19:0]                    fill_index;

  logic                           lk_start;
  logic                           lk_busy;
  smmu_pkg::tag_t                 lk_tag;
  logic [smmu_pkg::VA_BITS-1:0]   lk_va;
  logic                           lk_done;
  logic                           lk_hit;
  smmu_pkg::entry_t               lk_entry;
  logic                           tlb_fill;
  logic                           tlb_fill_ready;
  smmu_pkg::tag_t                 tlb_fill_tag;
  logic                           tlb_fill_global;
  logic [smmu_pkg::VA_BITS-1:0]   tlb_fill_va;
  logic [5:0]                     tlb_fill_reach;
  logic [1:0]                     tlb_fill_tg;
  logic [1:0]                     tlb_fill_level;
  smmu_pkg::entry_t               tlb_fill_entry;

  logic                           walk_valid;
  logic                           walk_ready;
  smmu_pkg::walk_t                walk;
  logic                           config_walk_valid;
  smmu_pkg::walk_t                config_walk;
  logic                           client_walk_valid;
  smmu_pkg::walk_t                client_walk;
  logic                           walked;
  logic                           walked_taken;
  smmu_pkg::walk_t                walked_walk;
  smmu_pkg::entry_t               walked_entry;
  smmu_pkg::fault_t               walked_fault;
  logic                           config_walked;
  logic [47:0]                    config_address;
  smmu_pkg::entry_t               config_entry;
  smmu_pkg::fault_t               config_fault;
  logic [2:0]                     walk_tag;
  smmu_pkg::attr_t                walk_attr;
  smmu_pkg::attr_t                cfg_attr;
  logic [WALKS-1:0]               walks_busy;
  logic                           translate_idle;

  // ---- Invalidations.
  logic inv_of_tlb;
  logic inv_of_ste;
  logic inv_of_cd;
  logic tlb_over;
  logic tlb_inv_done;
  logic walker_over;
  logic walker_inv_done;
  logic ste_over;
  logic ste_inv_done;
  logic cd_over;
  logic cd_inv_done;

  assign inv_of_tlb = inv_valid && inv.kind == smmu_pkg::INV_TLB;
  assign inv_of_ste = inv_valid && inv.kind == smmu_pkg::INV_STE;
  assign inv_of_cd = inv_valid && inv.kind != smmu_pkg::INV_TLB;
  assign inv_ready = inv_valid && (!inv_of_tlb || (tlb_over && walker_over)) && (!inv_of_ste || ste_over) &&
                     (!inv_of_cd || cd_over);
  always_ff @(posedge clk) begin
    if (!rst_n || !inv_valid || inv_ready) begin
      tlb_over <= 1'b0;
      walker_over <= 1'b0;
      ste_over <= 1'b0;
      cd_over <= 1'b0;
    end else begin
      if (tlb_inv_done) tlb_over <= 1'b1;
      if (walker_inv_done) walker_over <= 1'b1;
      if (ste_inv_done) ste_over <= 1'b1;
      if (cd_inv_done) cd_over <= 1'b1;
    end
  end

  smmu_client_port #(
      .ID_BITS(ID_BITS),
      .TRANSACTIONS(TRANSACTIONS)
  ) i_client_port (
      .clk(clk),
      .rst_n(rst_n),
      .s_arvalid(s_arvalid),
      .s_arready(s_arready),
      .s_arid(s_arid),
      .s_araddr(s_araddr),
      .s_arlen(s_arlen),
      .s_arsize(s_arsize),
      .s_arburst(s_arburst),
      .s_arprot(s_arprot),
      .s_aruser(s_aruser),
      .s_rvalid(s_rvalid),
      .s_rready(s_rready),
      .s_rid(s_rid),
      .s_rdata(s_rdata),
      .s_rresp(s_rresp),
      .s_rlast(s_rlast),
      .s_awvalid(s_awvalid),
      .s_awready(s_awready),
      .s_awid(s_awid),
      .s_awaddr(s_awaddr),
      .s_awlen(s_awlen),
      .s_awsize(s_awsize),
      .s_awburst(s_awburst),
      .s_awprot(s_awprot),
      .s_awuser(s_awuser),
      .s_wvalid(s_wvalid),
      .s_wready(s_wready),
      .s_wdata(s_wdata),
      .s_wstrb(s_wstrb),
      .s_wlast(s_wlast),
      .s_bvalid(s_bvalid),
      .s_bready(s_bready),
      .s_bid(s_bid),
      .s_bresp(s_bresp),
      .m_arvalid(m_arvalid),
      .m_arready(m_arready),
      .m_arid(m_arid),
      .m_araddr(m_araddr),
      .m_arlen(m_arlen),
      .m_arsize(m_arsize),
      .m_arburst(m_arburst),
      .m_arprot(m_arprot),
      .m_aruser(m_aruser),
      .m_rvalid(m_rvalid),
      .m_rready(m_rready),
      .m_rid(m_rid),
      .m_rdata(m_rdata),
      .m_rresp(m_rresp),
      .m_rlast(m_rlast),
      .m_awvalid(m_awvalid),
      .m_awready(m_awready),
      .m_awid(m_awid),
      .m_awaddr(m_awaddr),
      .m_awlen(m_awlen),
      .m_awsize(m_awsize),
      .m_awburst(m_awburst),
      .m_awprot(m_awprot),
      .m_awuser(m_awuser),
      .m_wvalid(m_wvalid),
      .m_wready(m_wready),
      .m_wdata(m_wdata),
      .m_wstrb(m_wstrb),
      .m_wlast(m_wlast),
      .m_bvalid(m_bvalid),
      .m_bready(m_bready),
      .m_bid(m_bid),
      .m_bresp(m_bresp),
      .new_valid(new_valid),
      .new_slot(new_slot),
      .new_access(new_access),
      .res_valid(res_valid),
      .res_slot(res_slot),
      .res_kind(res_kind),
      .res_address(res_address),
      .res_attr(res_attr),
      .res_privileged(res_privileged),
      .res_instruction(res_instruction),
      .sync_valid(sync_valid),
      .sync_ready(sync_ready),
      .idle(client_idle)
  );

  smmu_translate #(
      .SSID_BITS(SSID_BITS),
      .OAS_CODE(OAS),
      .TRANSACTIONS(TRANSACTIONS),
      .WALKS(WALKS)
  ) i_translate (
      .clk(clk),
      .rst_n(rst_n),
      .regs(regs),
      .new_valid(new_valid),
      .new_slot(new_slot),
      .new_access(new_access),
      .res_valid(res_valid),
      .res_slot(res_slot),
      .res_kind(res_kind),
      .res_address(res_address),
      .res_attr(res_attr),
      .res_privileged(res_privileged),
      .res_instruction(res_instruction),
      .evt_valid(evt_valid),
      .evt_ready(evt_ready),
      .evt_rec(evt_rec),
      .ste_lookup(ste_lookup),
      .ste_lookup_sid(ste_lookup_sid),
      .ste_ready(ste_ready),
      .ste_hit(ste_hit),
      .ste_data(ste_data),
      .cd_lookup(cd_lookup),
      .cd_lookup_sid(cd_lookup_sid),
      .cd_lookup_index(cd_lookup_index),
      .cd_ready(cd_ready),
      .cd_hit(cd_hit),
      .cd_data(cd_data),
      .fetch_valid(fetch_valid),
      .fetch_ready(fetch_ready),
      .fetch_for_cd(fetch_for_cd),
      .fetch_sid(fetch_sid),
      .fetch_index(fetch_index),
      .fetch_ste(fetch_ste),
      .fetch_world(fetch_world),
      .fetch_done(fetch_done),
      .fetch_taken(fetch_taken),
      .fetch_fault(fetch_fault),
      .lk_start(lk_start),
      .lk_busy(lk_busy),
      .lk_tag(lk_tag),
      .lk_va(lk_va),
      .lk_done(lk_done),
      .lk_hit(lk_hit),
      .lk_entry(lk_entry),
      .walk_valid(client_walk_valid),
      .walk_ready(walk_ready && !config_walk_valid),
      .walk(client_walk),
      .walked(walked),
      .walked_taken(walked_taken),
      .walked_walk(walked_walk),
      .walked_entry(walked_entry),
      .walked_fault(walked_fault),
      .quiesce_req(quiesce_req),
      .quiesce_done(quiesce_done),
      .idle(translate_idle)
  );

  smmu_config_cache #(
      .ENTRIES(CONFIG_CACHE_ENTRIES),
      .DATA_BITS($bits(ste_data))
  ) i_ste_cache (
      .clk(clk),
      .rst_n(rst_n),
      .ready(ste_ready),
      .lookup(ste_lookup),
      .lookup_sid(ste_lookup_sid),
      .lookup_ssid(20'd0),
      .hit(ste_hit),
      .data(ste_data),
      .fill(ste_fill),
      .fill_sid(fill_sid),
      .fill_ssid(20'd0),
      .fill_data(ste_filled),
      .inv_start(inv_of_ste && !ste_over),
      .inv_sid_first(inv.sid_first),
      .inv_sid_last(inv.sid_last),
      .inv_by_ssid(1'b0),
      .inv_ssid(20'd0),
      .inv_done(ste_inv_done)
  );

  smmu_config_cache #(
      .ENTRIES(CONFIG_CACHE_ENTRIES),
      .DATA_BITS($bits(cd_data))
  ) i_cd_cache (
      .clk(clk),
      .rst_n(rst_n),
      .ready(cd_ready),
      .lookup(cd_lookup),
      .lookup_sid(cd_lookup_sid),
      .lookup_ssid(cd_lookup_index),
      .hit(cd_hit),
      .data(cd_data),
      .fill(cd_fill),
      .fill_sid(fill_sid),
      .fill_ssid(fill_index),
      .fill_data(cd_filled),
      .inv_start(inv_of_cd && !cd_over),
      .inv_sid_first(inv.sid_first),
      .inv_sid_last(inv_of_ste ? inv.sid_last : inv.sid_first),
      .inv_by_ssid(inv.kind == smmu_pkg::INV_CD),
      .inv_ssid(inv.ssid),
      .inv_done(cd_inv_done)
  );

  smmu_config_fetch #(
      .SID_BITS(SID_BITS),
      .SSID_BITS(SSID_BITS),
      .OAS_CODE(OAS),
      .TTENDIAN(TTENDIAN)
  ) i_config_fetch (
      .clk(clk),
      .rst_n(rst_n),
      .regs(regs),
      .req_valid(fetch_valid),
      .req_ready(fetch_ready),
      .req_for_cd(fetch_for_cd),
      .req_sid(fetch_sid),
      .req_index(fetch_index),
      .req_ste(fetch_ste),
      .req_world(fetch_world),
      .rd_valid(cfg_rd_valid),
      .rd_ready(cfg_rd_ready),
      .rd_addr(cfg_rd_addr),
      .rd_beats(cfg_rd_beats),
      .rd_attr(cfg_attr),
      .rsp_valid(cfg_rsp_valid),
      .rsp_data(rsp_data),
      .rsp_last(rsp_last),
      .rsp_err(rsp_err),
      .walk_valid(config_walk_valid),
      .walk_ready(walk_ready),
      .walk(config_walk),
      .walk_done(config_walked),
      .walk_address(config_address),
      .walk_entry(config_entry),
      .walk_fault(config_fault),
      .ste_fill(ste_fill),
      .ste(ste_filled),
      .cd_fill(cd_fill),
      .cd(cd_filled),
      .fill_sid(fill_sid),
      .fill_index(fill_index),
      .done_valid(fetch_done),
      .done_ready(fetch_taken),
      .done_fault(fetch_fault),
      .inv_busy(inv_valid),
      .inv(inv),
      .busy(fetch_busy)
  );

  smmu_tlb #(
      .SETS(TLB_SETS),
      .WAYS(TLB_WAYS)
  ) i_tlb (
      .clk(clk),
      .rst_n(rst_n),
      .lk_start(lk_start),
      .lk_busy(lk_busy),
      .lk_tag(lk_tag),
      .lk_va(lk_va),
      .lk_done(lk_done),
      .lk_hit(lk_hit),
      .lk_entry(lk_entry),
      .fill_valid(tlb_fill),
      .fill_ready(tlb_fill_ready),
      .fill_tag(tlb_fill_tag),
      .fill_global(tlb_fill_global),
      .fill_va(tlb_fill_va),
      .fill_reach(tlb_fill_reach),
      .fill_tg(tlb_fill_tg),
      .fill_level(tlb_fill_level),
      .fill_entry(tlb_fill_entry),
      .inv_start(inv_of_tlb && !tlb_over),
      .inv(inv),
      .inv_done(tlb_inv_done)
  );

  // The configuration fetch goes first: all that wait for it wait for this walk.
  assign walk_valid = config_walk_valid || client_walk_valid;
  assign walk = config_walk_valid ? config_walk : client_walk;

  smmu_walker #(
      .WALKS(WALKS),
      .WALK_CACHE_ENTRIES(WALK_CACHE_ENTRIES),
      .S2_CACHE_ENTRIES(S2_CACHE_ENTRIES)
  ) i_walker (
      .clk(clk),
      .rst_n(rst_n),
      .req_valid(walk_valid),
      .req_ready(walk_ready),
      .req(walk),
      .rd_valid(walk_rd_valid),
      .rd_ready(walk_rd_ready),
      .rd_addr(walk_rd_addr),
      .rd_tag(walk_tag),
      .rd_attr(walk_attr),
      .rsp_valid(walk_rsp_valid),
      .rsp_tag(rsp_tag[2:0]),
      .rsp_data(rsp_data),
      .rsp_err(rsp_err),
      .done_valid(walked),
      .done_ready(walked_taken),
      .done_walk(walked_walk),
      .done_entry(walked_entry),
      .done_fault(walked_fault),
      .config_done(config_walked),
      .config_address(config_address),
      .config_entry(config_entry),
      .config_fault(config_fault),
      .fill_valid(tlb_fill),
      .fill_ready(tlb_fill_ready),
      .fill_tag(tlb_fill_tag),
      .fill_global(tlb_fill_global),
      .fill_va(tlb_fill_va),
      .fill_reach(tlb_fill_reach),
      .fill_tg(tlb_fill_tg),
      .fill_level(tlb_fill_level),
      .fill_entry(tlb_fill_entry),
      .inv_busy(inv_of_tlb),
      .inv_start(inv_of_tlb && !walker_over),
      .inv(inv),
      .inv_done(walker_inv_done),
      .busy(walks_busy)
  );

  assign walk_rd_beats = 4'd1;
  assign walk_rd_tag = {1'b0, walk_tag};
  assign walk_rd_attr = walk_attr;
  assign cfg_rd_tag = CONFIG_TAG;
  assign cfg_rd_attr = cfg_attr;
  assign idle = client_idle && translate_idle && !fetch_busy && walks_busy == {WALKS{1'b0}} && !inv_valid;

  logic unused;
  assign unused = rsp_tag[3];

endmodule
