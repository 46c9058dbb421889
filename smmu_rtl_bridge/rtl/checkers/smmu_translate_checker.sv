// SPDX-License-Identifier: Apache-2.0

// Invariants of smmu_translate: each transaction that came leaves once.
module smmu_translate_checker #(
    parameter int TRANSACTIONS = 32,
    parameter int WALKS = 8
) (
    input logic                            clk,
    input logic                            rst_n,
    input logic                            new_valid,
    input logic [smmu_pkg::SLOT_BITS-1:0]  new_slot,
    input logic                            res_valid,
    input logic [smmu_pkg::SLOT_BITS-1:0]  res_slot,
    input logic [1:0]                      res_kind,
    input logic                            evt_valid,
    input logic                            evt_ready,
    input logic [255:0]                    evt_rec,
    input logic                            lk_start,
    input logic                            lk_busy,
    input logic                            walked,
    input logic                            walked_taken,
    input smmu_pkg::walk_t                 walked_walk,
    input logic                            quiesce_req,
    input logic                            quiesce_done,
    input logic                            idle,
    input logic [3:0]                      state,
    input logic [$clog2(TRANSACTIONS):0]   fifo_in,
    input logic [$clog2(TRANSACTIONS):0]   fifo_out,
    input logic [TRANSACTIONS-1:0]         again,
    input logic [TRANSACTIONS-1:0]         wants_fetch,
    input logic [TRANSACTIONS-1:0]         wants_walk,
    input logic [TRANSACTIONS-1:0]         untranslated,
    input logic [TRANSACTIONS-1:0]         quiescing,
    input logic [WALKS:0]                  miss_valid,
    input logic [WALKS:0]                  same_page,
    input logic [WALKS:0]                  over_now
);

  localparam int INDEX_BITS = $clog2(TRANSACTIONS);

  state_is_one: assert property (@(posedge clk) disable iff (!rst_n) state <= 4'd10);
  slots_are_free: assert property (@(posedge clk) disable iff (!rst_n)
    new_valid |-> !untranslated[new_slot[INDEX_BITS-1:0]] || (res_valid && res_slot == new_slot));
  results_are_of_what_came: assert property (@(posedge clk) disable iff (!rst_n)
    res_valid |-> untranslated[res_slot[INDEX_BITS-1:0]]);
  results_are_known: assert property (@(posedge clk) disable iff (!rst_n) res_valid |-> res_kind <= 2'd2);
  queue_has_room: assert property (@(posedge clk) disable iff (!rst_n)
    fifo_in - fifo_out <= (INDEX_BITS + 1)'(TRANSACTIONS));
  waits_for_one_thing: assert property (@(posedge clk) disable iff (!rst_n)
    (again & wants_fetch) == '0 && (again & wants_walk) == '0 && (wants_fetch & wants_walk) == '0);
  only_what_came_waits: assert property (@(posedge clk) disable iff (!rst_n)
    ((again | wants_fetch | wants_walk) & ~untranslated) == '0);
  one_walk_a_page: assert property (@(posedge clk) disable iff (!rst_n) $onehot0(same_page));
  one_walk_ends: assert property (@(posedge clk) disable iff (!rst_n) $onehot0(over_now));
  walks_were_asked_for: assert property (@(posedge clk) disable iff (!rst_n)
    walked && walked_taken |-> miss_valid != '0 && untranslated[walked_walk.slot[INDEX_BITS-1:0]]);
  lookups_wait: assert property (@(posedge clk) disable iff (!rst_n) lk_start |-> !lk_busy);
  quiet_means_none_is_left: assert property (@(posedge clk) disable iff (!rst_n) (quiescing & ~untranslated) == '0 || !quiesce_req);
  quiet_only_when_asked: assert property (@(posedge clk) disable iff (!rst_n) quiesce_done |-> quiesce_req);
  rests: assert property (@(posedge clk) disable iff (!rst_n)
    idle |-> again == '0 && wants_fetch == '0 && wants_walk == '0 && fifo_in == fifo_out);

  smmu_handshake_checker #(.BITS(256)) events (
      .clk(clk), .rst_n(rst_n), .valid(evt_valid), .ready(evt_ready), .payload(evt_rec));

endmodule

bind smmu_translate smmu_translate_checker #(.TRANSACTIONS(TRANSACTIONS), .WALKS(WALKS)) checker_i (.*);
