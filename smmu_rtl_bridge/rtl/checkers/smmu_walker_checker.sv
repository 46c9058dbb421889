// SPDX-License-Identifier: Apache-2.0

// Invariants of smmu_walker.
module smmu_walker_checker #(
    parameter int WALKS = 8,
    parameter int CTX_BITS = WALKS > 1 ? $clog2(WALKS) : 1
) (
    input logic             clk,
    input logic             rst_n,
    input logic             rd_valid,
    input logic             rd_ready,
    input logic [51:0]      rd_addr,
    input logic [2:0]       rd_tag,
    input smmu_pkg::attr_t  rd_attr,
    input logic             rsp_valid,
    input logic [2:0]       rsp_tag,
    input logic             done_valid,
    input logic             done_ready,
    input smmu_pkg::entry_t done_entry,
    input smmu_pkg::fault_t done_fault,
    input logic             fill_valid,
    input logic             fill_ready,
    input logic             inv_busy,
    input logic             inv_start,
    input smmu_pkg::inv_t   inv,
    input logic             inv_done,
    input logic [WALKS-1:0] busy,
    input logic [WALKS-1:0] ready,
    input logic [WALKS-1:0] no_fill,
    input logic [3:0]       state,
    input logic [CTX_BITS-1:0] ctx,
    input logic             take_ready,
    input logic             take_new,
    input logic [CTX_BITS-1:0] first_free,
    input logic             save,
    input logic             finish,
    input logic             wc_fill,
    input logic             s2_fill
);

  // Walks whose descriptor is with memory.
  logic [WALKS-1:0] asked;
  logic [CTX_BITS-1:0] rd_ctx;
  logic [CTX_BITS-1:0] rsp_ctx;

  assign rd_ctx = rd_tag[CTX_BITS-1:0];
  assign rsp_ctx = rsp_tag[CTX_BITS-1:0];
  always_ff @(posedge clk) begin
    if (!rst_n) asked <= '0;
    else begin
      if (rsp_valid) asked[rsp_ctx] <= 1'b0;
      if (rd_valid && rd_ready) asked[rd_ctx] <= 1'b1;
    end
  end

  state_is_one: assert property (@(posedge clk) disable iff (!rst_n) state <= 4'd13);
  works_on_a_walk: assert property (@(posedge clk) disable iff (!rst_n) state != 4'd0 |-> busy[ctx]);
  tags_are_of_walks: assert property (@(posedge clk) disable iff (!rst_n) rd_valid |-> 32'(rd_tag) < WALKS);
  answers_belong_to_walks: assert property (@(posedge clk) disable iff (!rst_n) rsp_valid |-> asked[rsp_ctx] && busy[rsp_ctx]);
  one_read_of_a_walk: assert property (@(posedge clk) disable iff (!rst_n) rd_valid |-> !asked[rd_ctx]);
  waits_once: assert property (@(posedge clk) disable iff (!rst_n) (ready & asked) == '0);
  ready_walks_are_busy: assert property (@(posedge clk) disable iff (!rst_n) (ready & ~busy) == '0);
  takes_a_free_context: assert property (@(posedge clk) disable iff (!rst_n) take_new |-> !busy[first_free] && !take_ready);
  ends_what_is_busy: assert property (@(posedge clk) disable iff (!rst_n) finish |-> busy[ctx] && !asked[ctx] && !ready[ctx]);
  every_walk_goes_on: assert property (@(posedge clk) disable iff (!rst_n)
    (busy & ~asked & ~ready & ~(state == 4'd0 ? WALKS'(0) : WALKS'(1) << ctx)) == '0)
  else $error("%m: a walk waits for nothing");
  saves_before_it_reads: assert property (@(posedge clk) disable iff (!rst_n) rd_valid && rd_ready |-> save);
  descriptors_are_words: assert property (@(posedge clk) disable iff (!rst_n) rd_valid |-> rd_addr[2:0] == 3'd0);
  // Nothing is kept of a walk that an invalidation has met.
  keeps_nothing_old: assert property (@(posedge clk) disable iff (!rst_n)
    fill_valid || wc_fill || s2_fill |-> !no_fill[ctx] && !inv_busy);
  faults_are_not_kept: assert property (@(posedge clk) disable iff (!rst_n) fill_valid |-> done_fault.kind == '0);
  // A fill is withdrawn by an invalidation alone.
  fills_stay: assert property (@(posedge clk) disable iff (!rst_n)
    fill_valid && !fill_ready |=> inv_busy || fill_valid);

  smmu_handshake_checker #(.BITS(65)) reads (
      .clk(clk), .rst_n(rst_n), .valid(rd_valid), .ready(rd_ready), .payload({rd_addr, rd_tag, rd_attr}));
  smmu_handshake_checker #(.BITS($bits(done_entry) + $bits(done_fault))) results (
      .clk(clk), .rst_n(rst_n), .valid(done_valid), .ready(done_ready), .payload({done_entry, done_fault}));
  smmu_handshake_checker #(.BITS($bits(inv))) invalidations (
      .clk(clk), .rst_n(rst_n), .valid(inv_start), .ready(inv_done), .payload(inv));

endmodule

bind smmu_walker smmu_walker_checker #(.WALKS(WALKS)) checker_i (.*);
