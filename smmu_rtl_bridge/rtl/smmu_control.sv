// SPDX-License-Identifier: Apache-2.0

// The control half of the SMMU: registers, command queue, event queue, interrupts and the port to memory, wired together.
// What is left is the seam to the translation half (smmu_pkg.sv says how its handshakes go) and the pins.
module smmu_control #(
    parameter int SID_BITS = 16,
    parameter int SSID_BITS = 20,
    parameter int OAS = 5,
    parameter int CMDQ_LOG2_MAX = 19,
    parameter int EVTQ_LOG2_MAX = 19,
    parameter int HYP = 1,
    parameter int VMW = 1,
    parameter int S2FWB = 1,
    parameter int STT = 1,
    parameter int TTENDIAN = 2,
    parameter int TERM_MODEL = 0,
    parameter int BBML = 2,
    parameter int IIDR = 32'h43b
) (
    input logic clk,
    input logic rst_n,

    input  logic        psel,
    input  logic        penable,
    input  logic        pwrite,
    input  logic [17:0] paddr,
    input  logic [31:0] pwdata,
    input  logic [3:0]  pstrb,
    output logic        pready,
    output logic [31:0] prdata,
    output logic        pslverr,

    // The seam to translation.
    output smmu_pkg::regs_t                  regs,
    output logic                             quiesce_req,
    input  logic                             quiesce_done,
    output logic                             inv_valid,
    input  logic                             inv_ready,
    output smmu_pkg::inv_t                   inv,
    output logic                             sync_valid,
    input  logic                             sync_ready,
    input  logic                             evt_valid,
    output logic                             evt_ready,
    input  logic [smmu_pkg::EVENT_BITS-1:0]  evt_rec,
    input  logic                             walk_rd_valid,
    output logic                             walk_rd_ready,
    input  logic [smmu_pkg::PA_BITS-1:0]     walk_rd_addr,
    input  logic [3:0]                       walk_rd_beats,
    input  logic [smmu_pkg::RD_TAG_BITS-1:0] walk_rd_tag,
    input  logic [smmu_pkg::M_USER_BITS-1:0] walk_rd_attr,
    output logic                             walk_rsp_valid,
    input  logic                             cfg_rd_valid,
    output logic                             cfg_rd_ready,
    input  logic [smmu_pkg::PA_BITS-1:0]     cfg_rd_addr,
    input  logic [3:0]                       cfg_rd_beats,
    input  logic [smmu_pkg::RD_TAG_BITS-1:0] cfg_rd_tag,
    input  logic [smmu_pkg::M_USER_BITS-1:0] cfg_rd_attr,
    output logic                             cfg_rsp_valid,
    output logic [smmu_pkg::RD_TAG_BITS-1:0] rsp_tag,
    output logic [63:0]                      rsp_data,
    output logic                             rsp_last,
    output logic                             rsp_err,

    output logic                             p_arvalid,
    input  logic                             p_arready,
    output logic [4:0]                       p_arid,
    output logic [smmu_pkg::PA_BITS-1:0]     p_araddr,
    output logic [7:0]                       p_arlen,
    output logic [2:0]                       p_arsize,
    output logic [1:0]                       p_arburst,
    output logic [2:0]                       p_arprot,
    output logic [smmu_pkg::M_USER_BITS-1:0] p_aruser,
    input  logic                             p_rvalid,
    output logic                             p_rready,
    input  logic [4:0]                       p_rid,
    input  logic [63:0]                      p_rdata,
    input  logic [1:0]                       p_rresp,
    input  logic                             p_rlast,
    output logic                             p_awvalid,
    input  logic                             p_awready,
    output logic [4:0]                       p_awid,
    output logic [smmu_pkg::PA_BITS-1:0]     p_awaddr,
    output logic [7:0]                       p_awlen,
    output logic [2:0]                       p_awsize,
    output logic [1:0]                       p_awburst,
    output logic [2:0]                       p_awprot,
    output logic [smmu_pkg::M_USER_BITS-1:0] p_awuser,
    output logic                             p_wvalid,
    input  logic                             p_wready,
    output logic [63:0]                      p_wdata,
    output logic [7:0]                       p_wstrb,
    output logic                             p_wlast,
    input  logic                             p_bvalid,
    output logic                             p_bready,
    input  logic [4:0]                       p_bid,
    input  logic [1:0]                       p_bresp,

    output logic irq_eventq,
    output logic irq_cmd_sync,
    output logic irq_gerror,
    output logic evt_sev,

    output logic idle  // nothing goes on in this half
);

  localparam int OAS_BITS =
      OAS == 0 ? 32 : OAS == 1 ? 36 : OAS == 2 ? 40 : OAS == 3 ? 42 : OAS == 4 ? 44 : OAS == 5 ? 48 : 52;

  logic        cmdq_enable;
  logic        cmdq_halt;
  logic        cmdq_busy;
  logic        cmdq_error;
  logic [51:0] cmdq_base;
  logic [4:0]  cmdq_log2size;
  logic [19:0] cmdq_prod;
  logic [19:0] cmdq_cons;
  logic        cmdq_cons_set;
  logic [19:0] cmdq_cons_next;
  logic [6:0]  cmdq_err_next;
  logic        e2h;
  logic [2:0]  vmw;
  logic [9:0]  queue_attr;
  logic        evtq_enable;
  logic        evtq_halt;
  logic        evtq_busy;
  logic        evtq_aborted;
  logic [51:0] evtq_base;
  logic [4:0]  evtq_log2size;
  logic [19:0] evtq_cons;
  logic        evtq_cons_ovackflg;
  logic [19:0] evtq_prod;
  logic        evtq_prod_ovflg;
  logic        evtq_prod_set;
  logic [19:0] evtq_prod_next;
  logic        evtq_overflow;
  logic        evtq_abt_error;
  logic        evtq_written;
  logic        evt_cause;
  logic        gerr_cause;
  logic        evt_irq_enable;
  logic        gerr_irq_enable;
  logic        evt_irq_busy;
  logic        gerr_irq_busy;
  logic [51:0] evt_irq_addr;
  logic [31:0] evt_irq_data;
  logic [5:0]  evt_irq_cfg2;
  logic [51:0] gerr_irq_addr;
  logic [31:0] gerr_irq_data;
  logic [5:0]  gerr_irq_cfg2;
  logic        evt_msi_abort;
  logic        gerr_msi_abort;
  logic        sync_msi_abort;
  logic        sync_msi_valid;
  logic        sync_msi_ready;
  logic [51:0] sync_msi_addr;
  logic [31:0] sync_msi_data;
  logic [5:0]  sync_msi_cfg2;

  logic                          cmd_rd_valid;
  logic                          cmd_rd_ready;
  logic [smmu_pkg::PA_BITS-1:0]  cmd_rd_addr;
  logic [3:0]                    cmd_rd_beats;
  logic [9:0]                    cmd_rd_attr;
  logic                          cmd_rsp_valid;
  logic                          evt_wr_valid;
  logic                          evt_wr_ready;
  logic [smmu_pkg::PA_BITS-1:0]  evt_wr_addr;
  logic [255:0]                  evt_wr_data;
  logic [9:0]                    evt_wr_attr;
  logic                          evt_wr_done;
  logic                          evt_wr_err;
  logic                          msi_wr_valid;
  logic                          msi_wr_ready;
  logic [smmu_pkg::PA_BITS-1:0]  msi_wr_addr;
  logic [31:0]                   msi_wr_data;
  logic [9:0]                    msi_wr_attr;
  logic                          msi_wr_done;
  logic                          msi_wr_err;

  logic registers_idle;
  logic commands_idle;
  logic messages_idle;
  logic memory_idle;

  smmu_registers #(
      .SID_BITS(SID_BITS),
      .SSID_BITS(SSID_BITS),
      .OAS(OAS),
      .CMDQ_LOG2_MAX(CMDQ_LOG2_MAX),
      .EVTQ_LOG2_MAX(EVTQ_LOG2_MAX),
      .HYP(HYP),
      .VMW(VMW),
      .S2FWB(S2FWB),
      .STT(STT),
      .TTENDIAN(TTENDIAN),
      .TERM_MODEL(TERM_MODEL),
      .BBML(BBML),
      .IIDR(IIDR)
  ) registers (
      .clk(clk),
      .rst_n(rst_n),
      .psel(psel),
      .penable(penable),
      .pwrite(pwrite),
      .paddr(paddr),
      .pwdata(pwdata),
      .pstrb(pstrb),
      .pready(pready),
      .prdata(prdata),
      .pslverr(pslverr),
      .regs(regs),
      .quiesce_req(quiesce_req),
      .quiesce_done(quiesce_done),
      .cmdq_enable(cmdq_enable),
      .cmdq_halt(cmdq_halt),
      .cmdq_busy(cmdq_busy),
      .cmdq_error(cmdq_error),
      .cmdq_base(cmdq_base),
      .cmdq_log2size(cmdq_log2size),
      .cmdq_prod(cmdq_prod),
      .cmdq_cons(cmdq_cons),
      .cmdq_cons_set(cmdq_cons_set),
      .cmdq_cons_next(cmdq_cons_next),
      .cmdq_err_next(cmdq_err_next),
      .e2h(e2h),
      .vmw(vmw),
      .queue_attr(queue_attr),
      .evtq_enable(evtq_enable),
      .evtq_halt(evtq_halt),
      .evtq_busy(evtq_busy),
      .evtq_aborted(evtq_aborted),
      .evtq_base(evtq_base),
      .evtq_log2size(evtq_log2size),
      .evtq_cons(evtq_cons),
      .evtq_cons_ovackflg(evtq_cons_ovackflg),
      .evtq_prod(evtq_prod),
      .evtq_prod_ovflg(evtq_prod_ovflg),
      .evtq_prod_set(evtq_prod_set),
      .evtq_prod_next(evtq_prod_next),
      .evtq_overflow(evtq_overflow),
      .evtq_abt_error(evtq_abt_error),
      .gerr_cause(gerr_cause),
      .evt_irq_enable(evt_irq_enable),
      .gerr_irq_enable(gerr_irq_enable),
      .evt_irq_busy(evt_irq_busy),
      .gerr_irq_busy(gerr_irq_busy),
      .evt_irq_addr(evt_irq_addr),
      .evt_irq_data(evt_irq_data),
      .evt_irq_cfg2(evt_irq_cfg2),
      .gerr_irq_addr(gerr_irq_addr),
      .gerr_irq_data(gerr_irq_data),
      .gerr_irq_cfg2(gerr_irq_cfg2),
      .evt_msi_abort(evt_msi_abort),
      .gerr_msi_abort(gerr_msi_abort),
      .sync_msi_abort(sync_msi_abort),
      .idle(registers_idle)
  );

  smmu_command_queue #(
      .QUEUE_LOG2_MAX(CMDQ_LOG2_MAX),
      .HYP(HYP)
  ) command_queue (
      .clk(clk),
      .rst_n(rst_n),
      .enable(cmdq_enable),
      .halt(cmdq_halt),
      .error(cmdq_error),
      .base(cmdq_base),
      .log2size(cmdq_log2size),
      .prod(cmdq_prod),
      .cons(cmdq_cons),
      .cons_set(cmdq_cons_set),
      .cons_next(cmdq_cons_next),
      .err_next(cmdq_err_next),
      .e2h(e2h),
      .vmw(vmw),
      .attr(queue_attr),
      .rd_valid(cmd_rd_valid),
      .rd_ready(cmd_rd_ready),
      .rd_addr(cmd_rd_addr),
      .rd_beats(cmd_rd_beats),
      .rd_attr(cmd_rd_attr),
      .rsp_valid(cmd_rsp_valid),
      .rsp_data(rsp_data),
      .rsp_last(rsp_last),
      .rsp_err(rsp_err),
      .inv_valid(inv_valid),
      .inv_ready(inv_ready),
      .inv(inv),
      .sync_valid(sync_valid),
      .sync_ready(sync_ready),
      .evt_busy(evtq_busy),
      .evt_written(evtq_written),
      .msi_valid(sync_msi_valid),
      .msi_ready(sync_msi_ready),
      .msi_addr(sync_msi_addr),
      .msi_data(sync_msi_data),
      .msi_cfg2(sync_msi_cfg2),
      .sev(evt_sev),
      .busy(cmdq_busy),
      .idle(commands_idle)
  );

  smmu_event_queue #(
      .QUEUE_LOG2_MAX(EVTQ_LOG2_MAX)
  ) event_queue (
      .clk(clk),
      .rst_n(rst_n),
      .enable(evtq_enable),
      .halt(evtq_halt),
      .aborted(evtq_aborted),
      .base(evtq_base),
      .log2size(evtq_log2size),
      .cons(evtq_cons),
      .cons_ovackflg(evtq_cons_ovackflg),
      .prod(evtq_prod),
      .prod_ovflg(evtq_prod_ovflg),
      .attr(queue_attr),
      .prod_set(evtq_prod_set),
      .prod_next(evtq_prod_next),
      .overflow(evtq_overflow),
      .abt_error(evtq_abt_error),
      .irq_cause(evt_cause),
      .evt_valid(evt_valid),
      .evt_ready(evt_ready),
      .evt_rec(evt_rec),
      .wr_valid(evt_wr_valid),
      .wr_ready(evt_wr_ready),
      .wr_addr(evt_wr_addr),
      .wr_data(evt_wr_data),
      .wr_attr(evt_wr_attr),
      .wr_done(evt_wr_done),
      .wr_err(evt_wr_err),
      .busy(evtq_busy),
      .written(evtq_written)
  );

  smmu_msi #(
      .OAS_BITS(OAS_BITS)
  ) msi (
      .clk(clk),
      .rst_n(rst_n),
      .evt_cause(evt_cause),
      .evt_enable(evt_irq_enable),
      .evt_addr(evt_irq_addr),
      .evt_data(evt_irq_data),
      .evt_cfg2(evt_irq_cfg2),
      .gerr_cause(gerr_cause),
      .gerr_enable(gerr_irq_enable),
      .gerr_addr(gerr_irq_addr),
      .gerr_data(gerr_irq_data),
      .gerr_cfg2(gerr_irq_cfg2),
      .sync_valid(sync_msi_valid),
      .sync_ready(sync_msi_ready),
      .sync_addr(sync_msi_addr),
      .sync_data(sync_msi_data),
      .sync_cfg2(sync_msi_cfg2),
      .wr_valid(msi_wr_valid),
      .wr_ready(msi_wr_ready),
      .wr_addr(msi_wr_addr),
      .wr_data(msi_wr_data),
      .wr_attr(msi_wr_attr),
      .wr_done(msi_wr_done),
      .wr_err(msi_wr_err),
      .evt_abort(evt_msi_abort),
      .gerr_abort(gerr_msi_abort),
      .sync_abort(sync_msi_abort),
      .irq_eventq(irq_eventq),
      .irq_gerror(irq_gerror),
      .irq_cmd_sync(irq_cmd_sync),
      .evt_busy(evt_irq_busy),
      .gerr_busy(gerr_irq_busy),
      .idle(messages_idle)
  );

  smmu_memory_port memory_port (
      .clk(clk),
      .rst_n(rst_n),
      .walk_rd_valid(walk_rd_valid),
      .walk_rd_ready(walk_rd_ready),
      .walk_rd_addr(walk_rd_addr),
      .walk_rd_beats(walk_rd_beats),
      .walk_rd_tag(walk_rd_tag),
      .walk_rd_attr(walk_rd_attr),
      .walk_rsp_valid(walk_rsp_valid),
      .cfg_rd_valid(cfg_rd_valid),
      .cfg_rd_ready(cfg_rd_ready),
      .cfg_rd_addr(cfg_rd_addr),
      .cfg_rd_beats(cfg_rd_beats),
      .cfg_rd_tag(cfg_rd_tag),
      .cfg_rd_attr(cfg_rd_attr),
      .cfg_rsp_valid(cfg_rsp_valid),
      .cmd_rd_valid(cmd_rd_valid),
      .cmd_rd_ready(cmd_rd_ready),
      .cmd_rd_addr(cmd_rd_addr),
      .cmd_rd_beats(cmd_rd_beats),
      .cmd_rd_attr(cmd_rd_attr),
      .cmd_rsp_valid(cmd_rsp_valid),
      .rsp_tag(rsp_tag),
      .rsp_data(rsp_data),
      .rsp_last(rsp_last),
      .rsp_err(rsp_err),
      .evt_wr_valid(evt_wr_valid),
      .evt_wr_ready(evt_wr_ready),
      .evt_wr_addr(evt_wr_addr),
      .evt_wr_data(evt_wr_data),
      .evt_wr_attr(evt_wr_attr),
      .evt_wr_done(evt_wr_done),
      .evt_wr_err(evt_wr_err),
      .msi_wr_valid(msi_wr_valid),
      .msi_wr_ready(msi_wr_ready),
      .msi_wr_addr(msi_wr_addr),
      .msi_wr_data(msi_wr_data),
      .msi_wr_attr(msi_wr_attr),
      .msi_wr_done(msi_wr_done),
      .msi_wr_err(msi_wr_err),
      .p_arvalid(p_arvalid),
      .p_arready(p_arready),
      .p_arid(p_arid),
      .p_araddr(p_araddr),
      .p_arlen(p_arlen),
      .p_arsize(p_arsize),
      .p_arburst(p_arburst),
      .p_arprot(p_arprot),
      .p_aruser(p_aruser),
      .p_rvalid(p_rvalid),
      .p_rready(p_rready),
      .p_rid(p_rid),
      .p_rdata(p_rdata),
      .p_rresp(p_rresp),
      .p_rlast(p_rlast),
      .p_awvalid(p_awvalid),
      .p_awready(p_awready),
      .p_awid(p_awid),
      .p_awaddr(p_awaddr),
      .p_awlen(p_awlen),
      .p_awsize(p_awsize),
      .p_awburst(p_awburst),
      .p_awprot(p_awprot),
      .p_awuser(p_awuser),
      .p_wvalid(p_wvalid),
      .p_wready(p_wready),
      .p_wdata(p_wdata),
      .p_wstrb(p_wstrb),
      .p_wlast(p_wlast),
      .p_bvalid(p_bvalid),
      .p_bready(p_bready),
      .p_bid(p_bid),
      .p_bresp(p_bresp),
      .idle(memory_idle)
  );

  assign idle = registers_idle && commands_idle && !evtq_busy && !evt_cause && !evt_valid && messages_idle &&
                memory_idle && !irq_eventq && !irq_gerror && !irq_cmd_sync;

endmodule
