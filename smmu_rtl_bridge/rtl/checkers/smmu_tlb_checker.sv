// SPDX-License-Identifier: Apache-2.0

// Invariants of smmu_tlb.
module smmu_tlb_checker #(
    parameter int WAYS = 4
) (
    input logic                         clk,
    input logic                         rst_n,
    input logic                         lk_start,
    input logic                         lk_busy,
    input smmu_pkg::tag_t               lk_tag,
    input logic [smmu_pkg::VA_BITS-1:0] lk_va,
    input logic                         lk_done,
    input logic                         fill_valid,
    input logic                         fill_ready,
    input logic                         inv_start,
    input smmu_pkg::inv_t               inv,
    input logic                         inv_done,
    input logic [WAYS-1:0]              way_hit,
    input logic [WAYS-1:0]              way_write,
    input logic [WAYS-1:0]              way_same,
    input logic [WAYS-1:0]              way_reached,
    input logic [WAYS-1:0]              turn,
    input logic [1:0]                   read_kind,
    input logic [1:0]                   was_kind,
    input logic                         sweeping,
    input logic [3:0]                   present,
    input logic [3:0]                   to_probe
);

  localparam logic [1:0] READ_NONE = 2'd0;
  localparam logic [1:0] READ_LOOKUP = 2'd1;
  localparam logic [1:0] READ_FILL = 2'd2;
  localparam logic [1:0] READ_SWEEP = 2'd3;

  one_lookup_at_a_time: assert property (@(posedge clk) disable iff (!rst_n) lk_start |-> !lk_busy);
  lookups_that_began: assert property (@(posedge clk) disable iff (!rst_n) lk_done |-> lk_busy);
  hits_are_looked_up: assert property (@(posedge clk) disable iff (!rst_n) way_hit != '0 |-> was_kind == READ_LOOKUP);
  probes_what_is_present: assert property (@(posedge clk) disable iff (!rst_n)
    lk_start |=> to_probe == $past(present));
  one_way_is_written: assert property (@(posedge clk) disable iff (!rst_n) $onehot0(way_write));
  a_fill_is_written: assert property (@(posedge clk) disable iff (!rst_n) (was_kind == READ_FILL) == (way_write != '0));
  no_row_twice: assert property (@(posedge clk) disable iff (!rst_n) was_kind == READ_FILL |-> $onehot0(way_same))
  else $error("%m: two ways have the same row");
  same_row_is_replaced: assert property (@(posedge clk) disable iff (!rst_n)
    was_kind == READ_FILL && way_same != '0 |-> way_write == way_same);
  turns_go_round: assert property (@(posedge clk) disable iff (!rst_n) $onehot(turn));
  invalidation_goes_first: assert property (@(posedge clk) disable iff (!rst_n) sweeping |-> read_kind == READ_SWEEP && !fill_ready);
  only_sweeps_invalidate: assert property (@(posedge clk) disable iff (!rst_n) way_reached != '0 |-> was_kind == READ_SWEEP);
  taken_fills_are_read: assert property (@(posedge clk) disable iff (!rst_n)
    fill_valid && fill_ready |-> read_kind == READ_FILL);
  a_read_has_a_reason: assert property (@(posedge clk) disable iff (!rst_n)
    read_kind == READ_NONE |-> !sweeping && !(fill_valid && fill_ready));

  smmu_handshake_checker #(.BITS($bits(lk_tag) + smmu_pkg::VA_BITS)) lookups (
      .clk(clk), .rst_n(rst_n), .valid(lk_busy), .ready(lk_done), .payload({lk_tag, lk_va}));
  smmu_handshake_checker #(.BITS($bits(inv))) invalidations (
      .clk(clk), .rst_n(rst_n), .valid(inv_start), .ready(inv_done), .payload(inv));

endmodule

bind smmu_tlb smmu_tlb_checker #(.WAYS(WAYS)) checker_i (.*);
