// SPDX-License-Identifier: Apache-2.0

// The seam between the two halves, as smmu_pkg.sv has it.
module smmu_translation_checker (
    input logic           clk,
    input logic           rst_n,
    input logic           quiesce_req,
    input logic           quiesce_done,
    input logic           inv_valid,
    input logic           inv_ready,
    input smmu_pkg::inv_t inv,
    input logic           sync_valid,
    input logic           sync_ready,
    input logic           idle
);

  asked_until_quiet: assert property (@(posedge clk) disable iff (!rst_n) quiesce_req && !quiesce_done |=> quiesce_req);
  quiet_only_when_asked: assert property (@(posedge clk) disable iff (!rst_n) $rose(quiesce_done) |-> quiesce_req);
  ready_when_asked: assert property (@(posedge clk) disable iff (!rst_n) inv_ready |-> inv_valid);
  one_invalidation_or_sync: assert property (@(posedge clk) disable iff (!rst_n) !(inv_valid && sync_valid));
  no_rest_while_invalidating: assert property (@(posedge clk) disable iff (!rst_n) inv_valid |-> !idle);
  sync_is_answered_when_asked: assert property (@(posedge clk) disable iff (!rst_n) sync_ready |-> sync_valid);
  addresses_have_an_order: assert property (@(posedge clk) disable iff (!rst_n)
    inv_valid && inv.by_address |-> inv.first <= inv.last && inv.first[11:0] == 12'd0 && inv.last[11:0] == 12'hfff);
  scopes_are_not_empty: assert property (@(posedge clk) disable iff (!rst_n)
    inv_valid && inv.kind == smmu_pkg::INV_TLB |-> inv.worlds != 3'd0 && (inv.virt || inv.intermediate));

  smmu_handshake_checker #(.BITS($bits(inv))) invalidations (
      .clk(clk), .rst_n(rst_n), .valid(inv_valid), .ready(inv_ready), .payload(inv));

endmodule

bind smmu_translation smmu_translation_checker checker_i (.*);
