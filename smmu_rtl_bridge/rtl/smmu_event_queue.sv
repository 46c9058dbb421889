// SPDX-License-Identifier: Apache-2.0

// Writes event records into the event queue in memory, one at a time.
//
// A record is taken (evt_ready) in the clock in which the queue begins with it, or in which it is lost: while the queue
// is off, full or stopped by an abort. The producer index moves once memory has answered, so software never sees an
// index whose record is not there. The interrupt follows when the queue was empty until then.
// Latency: one clock to the write, one from its answer to the index.
// Sections "Event queue", "Event queue overflow" and "Global error recording" (EVENTQ_ABT).
module smmu_event_queue #(
    parameter int QUEUE_LOG2_MAX = 19
) (
    input logic clk,
    input logic rst_n,

    // Registers. `enable` is CR0ACK's bit; with `halt` software has asked for it to be cleared, and `busy` holds that up.
    input  logic        enable,
    input  logic        halt,
    input  logic        aborted,  // EVENTQ_ABT is active
    input  logic [51:0] base,     // EVENTQ_BASE.ADDR in its place
    input  logic [4:0]  log2size,
    input  logic [19:0] cons,
    input  logic        cons_ovackflg,
    input  logic [19:0] prod,
    input  logic        prod_ovflg,
    input  logic [9:0]  attr,
    output logic        prod_set,
    output logic [19:0] prod_next,
    output logic        overflow,  // OVFLG toggles
    output logic        abt_error, // EVENTQ_ABT becomes active
    output logic        irq_cause, // the queue is empty no more

    input  logic                            evt_valid,
    output logic                            evt_ready,
    input  logic [smmu_pkg::EVENT_BITS-1:0] evt_rec,

    output logic                            wr_valid,
    input  logic                            wr_ready,
    output logic [smmu_pkg::PA_BITS-1:0]    wr_addr,
    output logic [smmu_pkg::EVENT_BITS-1:0] wr_data,
    output logic [9:0]                      wr_attr,
    input  logic                            wr_done,
    input  logic                            wr_err,

    output logic busy,
    output logic written  // the record that was under way is over, well or not
);

  localparam logic [1:0] IDLE = 2'd0;
  localparam logic [1:0] SEND = 2'd1;
  localparam logic [1:0] WAIT = 2'd2;

  logic [1:0]  state;
  logic [4:0]  log2;
  logic [20:0] size;
  logic [19:0] mask;       // of indices, wrap bit included
  logic        counted;    // the producer index moved in the clock before
  logic [19:0] used;
  logic        full;
  logic [51:0] below;      // offsets inside the queue
  logic        open;

  localparam logic [4:0] MAX = 5'(QUEUE_LOG2_MAX);

  assign log2 = log2size > MAX ? MAX : log2size;
  assign size = 21'd1 << log2;
  assign mask = {size[18:0], 1'b0} - 20'd1;
  assign used = (prod - cons) & mask;
  // Indices further apart than the queue is long count as full: nothing is overwritten.
  assign full = {1'b0, used} >= size;
  assign below = {26'd0, size, 5'd0} - 52'd1;
  assign open = enable && !halt && !aborted;

  assign evt_ready = state == IDLE;
  assign busy = state != IDLE;
  assign overflow = state == IDLE && evt_valid && open && full && prod_ovflg == cons_ovackflg;
  assign wr_valid = state == SEND;
  assign written = state == WAIT && wr_done;
  assign prod_set = written && !wr_err;
  assign prod_next = (prod + 20'd1) & mask;
  assign abt_error = written && wr_err;
  // Software may consume the record before in the very clock in which this one is counted: a clock later both are known.
  assign irq_cause = counted && used == 20'd1;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      state <= IDLE;
      counted <= 1'b0;
    end else begin
      counted <= prod_set;
      unique case (state)
        IDLE:    if (evt_valid && open && !full) state <= SEND;
        SEND:    if (wr_ready) state <= WAIT;
        default: if (wr_done) state <= IDLE;
      endcase
    end
  end

  always_ff @(posedge clk) begin
    if (state == IDLE) begin
      wr_data <= evt_rec;
      wr_attr <= attr;
      // Queues lie at multiples of their size.
      wr_addr <= (base & ~below) | ({27'd0, prod, 5'd0} & below);
    end
  end

endmodule
