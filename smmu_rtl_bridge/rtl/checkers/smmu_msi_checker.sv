// SPDX-License-Identifier: Apache-2.0

// Invariants of smmu_msi.
module smmu_msi_checker (
    input logic        clk,
    input logic        rst_n,
    input logic        evt_cause,
    input logic        evt_enable,
    input logic        gerr_cause,
    input logic        gerr_enable,
    input logic        sync_valid,
    input logic        sync_ready,
    input logic [51:0] sync_addr,
    input logic [31:0] sync_data,
    input logic [5:0]  sync_cfg2,
    input logic        wr_valid,
    input logic        wr_ready,
    input logic [51:0] wr_addr,
    input logic [31:0] wr_data,
    input logic [9:0]  wr_attr,
    input logic        wr_done,
    input logic        evt_abort,
    input logic        gerr_abort,
    input logic        sync_abort,
    input logic        irq_eventq,
    input logic        irq_gerror,
    input logic        irq_cmd_sync,
    input logic        evt_busy,
    input logic        gerr_busy,
    input logic [1:0]  serving,
    input logic        sent,
    input logic        evt_pending,
    input logic        gerr_pending,
    input logic        sync_pending,
    input logic        idle
);

  event_wire: assert property (@(posedge clk) disable iff (!rst_n) irq_eventq |-> $past(evt_cause && evt_enable));
  error_wire: assert property (@(posedge clk) disable iff (!rst_n) irq_gerror |-> $past(gerr_cause && gerr_enable));
  sync_wire: assert property (@(posedge clk) disable iff (!rst_n) irq_cmd_sync |-> $past(sync_valid && sync_ready));
  events_are_told: assert property (@(posedge clk) disable iff (!rst_n) evt_cause && evt_enable |=> irq_eventq);
  errors_are_told: assert property (@(posedge clk) disable iff (!rst_n) gerr_cause && gerr_enable |=> irq_gerror);
  answers_were_asked_for: assert property (@(posedge clk) disable iff (!rst_n) wr_done |-> sent && serving != 2'd0);
  sent_by_somebody: assert property (@(posedge clk) disable iff (!rst_n) sent |-> serving != 2'd0);
  one_abort: assert property (@(posedge clk) disable iff (!rst_n) $onehot0({evt_abort, gerr_abort, sync_abort}));
  // IRQ_CTRLACK says that a source is off only when its messages are over.
  events_stay_on: assert property (@(posedge clk) disable iff (!rst_n) $past(evt_cause && evt_enable) && evt_pending |-> evt_busy);
  errors_stay_on: assert property (@(posedge clk) disable iff (!rst_n) $past(gerr_cause && gerr_enable) && gerr_pending |-> gerr_busy);
  rests: assert property (@(posedge clk) disable iff (!rst_n)
    idle |-> !evt_pending && !gerr_pending && !sync_pending && !wr_valid);

  smmu_handshake_checker #(.BITS(90)) signals (
      .clk(clk), .rst_n(rst_n), .valid(sync_valid), .ready(sync_ready), .payload({sync_addr, sync_data, sync_cfg2}));
  smmu_handshake_checker #(.BITS(94)) writes (
      .clk(clk), .rst_n(rst_n), .valid(wr_valid), .ready(wr_ready), .payload({wr_addr, wr_data, wr_attr}));

endmodule

bind smmu_msi smmu_msi_checker checker_i (.*);
