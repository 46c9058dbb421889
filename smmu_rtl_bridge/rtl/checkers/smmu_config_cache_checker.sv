// SPDX-License-Identifier: Apache-2.0

// Invariants of smmu_config_cache.
module smmu_config_cache_checker (
    input logic        clk,
    input logic        rst_n,
    input logic        ready,
    input logic        lookup,
    input logic        hit,
    input logic        inv_start,
    input logic [31:0] inv_sid_first,
    input logic [31:0] inv_sid_last,
    input logic        inv_by_ssid,
    input logic [19:0] inv_ssid,
    input logic        inv_done,
    input logic        sweeping,
    input logic        swept,
    input logic        reached
);

  hits_are_looked_up: assert property (@(posedge clk) disable iff (!rst_n) hit |-> $past(lookup && ready));
  invalidation_goes_first: assert property (@(posedge clk) disable iff (!rst_n) inv_start |-> !ready);
  ends_once_begun: assert property (@(posedge clk) disable iff (!rst_n) inv_done |-> swept && !sweeping);
  only_sweeps_invalidate: assert property (@(posedge clk) disable iff (!rst_n) reached |-> swept && inv_start);
  ranges_have_an_order: assert property (@(posedge clk) disable iff (!rst_n) inv_start |-> inv_sid_first <= inv_sid_last);
  smmu_handshake_checker #(.BITS(85)) invalidations (
      .clk(clk), .rst_n(rst_n), .valid(inv_start), .ready(inv_done),
      .payload({inv_sid_first, inv_sid_last, inv_by_ssid, inv_ssid}));

endmodule

bind smmu_config_cache smmu_config_cache_checker checker_i (.*);
