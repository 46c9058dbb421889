// SPDX-License-Identifier: Apache-2.0

// Invariants of smmu_config_fetch.
module smmu_config_fetch_checker (
    input logic             clk,
    input logic             rst_n,
    input logic             req_valid,
    input logic             req_ready,
    input logic             rd_valid,
    input logic             rd_ready,
    input logic [51:0]      rd_addr,
    input logic [3:0]       rd_beats,
    input smmu_pkg::attr_t  rd_attr,
    input logic             rsp_valid,
    input logic             rsp_last,
    input logic             walk_valid,
    input logic             walk_ready,
    input smmu_pkg::walk_t  walk,
    input logic             walk_done,
    input logic             ste_fill,
    input logic             cd_fill,
    input logic             done_valid,
    input logic             done_ready,
    input smmu_pkg::fault_t done_fault,
    input logic [3:0]       state,
    input logic             tainted,
    input logic [2:0]       beat,
    input logic             busy
);

  localparam logic [3:0] F_WALKING = 4'd8;
  localparam logic [3:0] F_READING = 4'd10;

  state_is_one: assert property (@(posedge clk) disable iff (!rst_n) state <= 4'd11);
  one_at_a_time: assert property (@(posedge clk) disable iff (!rst_n) req_valid && req_ready |-> !busy);
  answers_were_asked_for: assert property (@(posedge clk) disable iff (!rst_n) rsp_valid |-> state == F_READING);
  answers_are_whole: assert property (@(posedge clk) disable iff (!rst_n)
    rsp_valid |-> rsp_last == ({1'b0, beat} + 4'd1 == rd_beats));
  walks_were_asked_for: assert property (@(posedge clk) disable iff (!rst_n) walk_done |-> state == F_WALKING);
  one_kind_is_filled: assert property (@(posedge clk) disable iff (!rst_n) !(ste_fill && cd_fill));
  keeps_nothing_old: assert property (@(posedge clk) disable iff (!rst_n) ste_fill || cd_fill |-> !tainted);
  faults_are_not_kept: assert property (@(posedge clk) disable iff (!rst_n)
    $past(ste_fill || cd_fill) && done_valid |-> done_fault.kind == '0);
  reads_words_and_structures: assert property (@(posedge clk) disable iff (!rst_n)
    rd_valid |-> (rd_beats == 4'd1 && rd_addr[2:0] == 3'd0) || (rd_beats == 4'd8 && rd_addr[5:0] == 6'd0));

  smmu_handshake_checker #(.BITS(66)) reads (
      .clk(clk), .rst_n(rst_n), .valid(rd_valid), .ready(rd_ready), .payload({rd_addr, rd_beats, rd_attr}));
  smmu_handshake_checker #(.BITS($bits(walk))) walks (
      .clk(clk), .rst_n(rst_n), .valid(walk_valid), .ready(walk_ready), .payload(walk));
  smmu_handshake_checker #(.BITS($bits(done_fault))) results (
      .clk(clk), .rst_n(rst_n), .valid(done_valid), .ready(done_ready), .payload(done_fault));

endmodule

bind smmu_config_fetch smmu_config_fetch_checker checker_i (.*);
