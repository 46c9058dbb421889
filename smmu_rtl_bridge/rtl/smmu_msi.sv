// SPDX-License-Identifier: Apache-2.0

// Interrupts: pulses on wires, and messages to memory where a source has an address for them.
//
// A cause is one clock of evt_cause, gerr_cause, or a CMD_SYNC's signal (sync_valid/sync_ready). Its wire pulses for one
// clock in the next clock. A message is written as soon as the one before is over, in turn among the sources; causes of one
// source that come while its message waits share that message, but for CMD_SYNCs, whose next signal waits.
// An interrupt that is not enabled in IRQ_CTRL and IRQ_CTRLACK has neither. While `evt_busy` or `gerr_busy`, a message of
// that source is on its way, and IRQ_CTRLACK must not say that it is off.
// Sections "Interrupts and notifications", "Message Signaled Interrupts"; failed messages: "Global error recording".
module smmu_msi #(
    parameter int OAS_BITS = 48
) (
    input logic clk,
    input logic rst_n,

    input logic        evt_cause,
    input logic        evt_enable,
    input logic [51:0] evt_addr,  // zero: no message
    input logic [31:0] evt_data,
    input logic [5:0]  evt_cfg2,  // SH 5:4, MemAttr 3:0
    input logic        gerr_cause,
    input logic        gerr_enable,
    input logic [51:0] gerr_addr,
    input logic [31:0] gerr_data,
    input logic [5:0]  gerr_cfg2,

    input  logic        sync_valid,
    output logic        sync_ready,
    input  logic [51:0] sync_addr,  // zero: no message
    input  logic [31:0] sync_data,
    input  logic [5:0]  sync_cfg2,

    output logic                         wr_valid,
    input  logic                         wr_ready,
    output logic [smmu_pkg::PA_BITS-1:0] wr_addr,
    output logic [31:0]                  wr_data,
    output logic [9:0]                   wr_attr,
    input  logic                         wr_done,
    input  logic                         wr_err,

    // A message failed: one clock each.
    output logic evt_abort,
    output logic gerr_abort,
    output logic sync_abort,

    output logic irq_eventq,
    output logic irq_gerror,
    output logic irq_cmd_sync,

    output logic evt_busy,
    output logic gerr_busy,
    output logic idle
);

  localparam logic [1:0] NONE = 2'd0;
  localparam logic [1:0] EVENTS = 2'd1;
  localparam logic [1:0] ERRORS = 2'd2;
  localparam logic [1:0] SYNCS = 2'd3;
  localparam logic [51:0] OAS_MASK = ~(52'hf_ffff_ffff_ffff << OAS_BITS);

  logic        evt_pending;
  logic        gerr_pending;
  logic        sync_pending;
  logic [51:0] sync_addr_q;
  logic [31:0] sync_data_q;
  logic [5:0]  sync_cfg2_q;
  logic [1:0]  serving;  // whose message is under way
  logic        sent;     // it is with memory
  logic [1:0]  last;
  logic [1:0]  next;
  logic        over;
  logic        evt_new;
  logic        gerr_new;
  logic        sync_new;

  assign evt_new = evt_cause && evt_enable;
  assign gerr_new = gerr_cause && gerr_enable;
  assign sync_ready = !sync_pending;
  assign sync_new = sync_valid && sync_ready;

  // Whose turn it is, from the one after the last.
  always_comb begin
    unique case (last)
      EVENTS:  next = gerr_pending ? ERRORS : sync_pending ? SYNCS : evt_pending ? EVENTS : NONE;
      ERRORS:  next = sync_pending ? SYNCS : evt_pending ? EVENTS : gerr_pending ? ERRORS : NONE;
      default: next = evt_pending ? EVENTS : gerr_pending ? ERRORS : sync_pending ? SYNCS : NONE;
    endcase
  end

  assign over = sent && wr_done;
  assign wr_valid = serving != NONE && !sent;
  assign evt_abort = over && wr_err && serving == EVENTS;
  assign gerr_abort = over && wr_err && serving == ERRORS;
  assign sync_abort = over && wr_err && serving == SYNCS;
  assign evt_busy = evt_pending || serving == EVENTS;
  assign gerr_busy = gerr_pending || serving == ERRORS;
  assign idle = serving == NONE && !evt_pending && !gerr_pending && !sync_pending && !irq_eventq && !irq_gerror &&
                !irq_cmd_sync;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      evt_pending <= 1'b0;
      gerr_pending <= 1'b0;
      sync_pending <= 1'b0;
      serving <= NONE;
      sent <= 1'b0;
      last <= SYNCS;
      irq_eventq <= 1'b0;
      irq_gerror <= 1'b0;
      irq_cmd_sync <= 1'b0;
    end else begin
      irq_eventq <= evt_new;
      irq_gerror <= gerr_new;
      irq_cmd_sync <= sync_new;
      if (serving == NONE) begin
        serving <= next;
        sent <= 1'b0;
        if (next == EVENTS) evt_pending <= 1'b0;
        if (next == ERRORS) gerr_pending <= 1'b0;
        if (next == SYNCS) sync_pending <= 1'b0;
        if (next != NONE) last <= next;
      end else if (over) begin
        serving <= NONE;
        sent <= 1'b0;
      end else if (wr_valid && wr_ready) begin
        sent <= 1'b1;
      end
      if (evt_new && evt_addr != 52'd0) evt_pending <= 1'b1;
      if (gerr_new && gerr_addr != 52'd0) gerr_pending <= 1'b1;
      if (sync_new && sync_addr != 52'd0) sync_pending <= 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (sync_new) begin
      sync_addr_q <= sync_addr & OAS_MASK;
      sync_data_q <= sync_data;
      sync_cfg2_q <= sync_cfg2;
    end
    if (serving == NONE) begin
      wr_addr <= next == EVENTS ? evt_addr : next == ERRORS ? gerr_addr : sync_addr_q;
      wr_data <= next == EVENTS ? evt_data : next == ERRORS ? gerr_data : sync_data_q;
      wr_attr <= next == EVENTS   ? smmu_pkg::attr_of_message(evt_cfg2[3:0], evt_cfg2[5:4])
                 : next == ERRORS ? smmu_pkg::attr_of_message(gerr_cfg2[3:0], gerr_cfg2[5:4])
                                  : smmu_pkg::attr_of_message(sync_cfg2_q[3:0], sync_cfg2_q[5:4]);
    end
  end

endmodule
