// SPDX-License-Identifier: Apache-2.0

// Invariants of smmu_walk_cache, at its ports.
module smmu_walk_cache_checker (
    input logic           clk,
    input logic           rst_n,
    input logic           ready,
    input logic           lookup,
    input logic           hit,
    input logic           inv_start,
    input smmu_pkg::inv_t inv,
    input logic           inv_done
);

  logic looked;  // a lookup was taken and its result holds
  always_ff @(posedge clk) begin
    if (!rst_n) looked <= 1'b0;
    else if (lookup && ready) looked <= 1'b1;
    else if (!ready && $past(!ready)) looked <= 1'b0;
  end

  hits_are_looked_up: assert property (@(posedge clk) disable iff (!rst_n) hit |-> looked);
  ends_once_begun: assert property (@(posedge clk) disable iff (!rst_n) inv_done |-> inv_start);

  smmu_handshake_checker #(.BITS($bits(inv))) invalidations (
      .clk(clk), .rst_n(rst_n), .valid(inv_start), .ready(inv_done), .payload(inv));

endmodule

bind smmu_walk_cache smmu_walk_cache_checker checker_i (.*);
