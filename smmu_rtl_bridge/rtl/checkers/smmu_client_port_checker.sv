// SPDX-License-Identifier: Apache-2.0

// Invariants of smmu_client_port: the states of slots, and what belongs to them.
module smmu_client_port_checker #(
    parameter int ID_BITS = 8,
    parameter int TRANSACTIONS = 32
) (
    input logic                           clk,
    input logic                           rst_n,
    input logic                           m_rvalid,
    input logic                           m_rready,
    input logic                           m_rlast,
    input logic                           m_bvalid,
    input logic                           m_bready,
    input logic                           m_arvalid,
    input logic                           m_arready,
    input logic [ID_BITS-1:0]             m_arid,
    input logic [63:0]                    m_araddr,
    input logic                           m_awvalid,
    input logic                           m_awready,
    input logic [ID_BITS-1:0]             m_awid,
    input logic [63:0]                    m_awaddr,
    input logic                           m_wvalid,
    input logic                           m_wready,
    input logic [63:0]                    m_wdata,
    input logic [7:0]                     m_wstrb,
    input logic                           m_wlast,
    input logic                           s_rvalid,
    input logic                           s_rready,
    input logic [ID_BITS-1:0]             s_rid,
    input logic [63:0]                    s_rdata,
    input logic [1:0]                     s_rresp,
    input logic                           s_rlast,
    input logic                           s_bvalid,
    input logic                           s_bready,
    input logic [ID_BITS-1:0]             s_bid,
    input logic [1:0]                     s_bresp,
    input logic                           new_valid,
    input logic [smmu_pkg::SLOT_BITS-1:0] new_slot,
    input logic                           res_valid,
    input logic [smmu_pkg::SLOT_BITS-1:0] res_slot,
    input logic                           sync_valid,
    input logic                           sync_ready,
    input logic                           idle,
    input logic [TRANSACTIONS/2-1:0]      r_used,
    input logic [TRANSACTIONS/2-1:0]      r_done,
    input logic [TRANSACTIONS/2-1:0]      r_pass,
    input logic [TRANSACTIONS/2-1:0]      r_sent,
    input logic [TRANSACTIONS/2-1:0]      w_used,
    input logic [TRANSACTIONS/2-1:0]      w_done,
    input logic [TRANSACTIONS/2-1:0]      w_pass,
    input logic [TRANSACTIONS/2-1:0]      w_sent,
    input logic [TRANSACTIONS/2-1:0]      w_full,
    input logic [TRANSACTIONS/2-1:0]      r_free_now,
    input logic [TRANSACTIONS/2-1:0]      w_free_now,
    input logic [TRANSACTIONS/2-1:0]      r_end_bit,
    input logic [TRANSACTIONS/2-1:0]      b_end_bit,
    input logic                           r_ends,
    input logic                           b_ends,
    input logic                           take_r,
    input logic                           take_w,
    input logic [$clog2(TRANSACTIONS/2):0] in_put,
    input logic [$clog2(TRANSACTIONS/2):0] in_get,
    input logic [$clog2(TRANSACTIONS/2):0] out_put,
    input logic [$clog2(TRANSACTIONS/2):0] out_get
);

  localparam int N = TRANSACTIONS / 2;
  localparam int IB = $clog2(N);

  logic [TRANSACTIONS-1:0] used;
  logic [TRANSACTIONS-1:0] done;
  assign used = {w_used, r_used};
  assign done = {w_done, r_done};

  one_is_taken: assert property (@(posedge clk) disable iff (!rst_n) !(take_r && take_w));
  slots_are_free: assert property (@(posedge clk) disable iff (!rst_n) new_valid |-> !used[new_slot[IB:0]]);
  results_are_of_what_came: assert property (@(posedge clk) disable iff (!rst_n)
    res_valid |-> used[res_slot[IB:0]] && !done[res_slot[IB:0]]);
  sent_reads_passed: assert property (@(posedge clk) disable iff (!rst_n) (r_sent & ~(r_used & r_done & r_pass)) == '0);
  sent_writes_passed: assert property (@(posedge clk) disable iff (!rst_n) (w_sent & ~(w_used & w_done & w_pass)) == '0);
  read_answers_belong: assert property (@(posedge clk) disable iff (!rst_n) m_rvalid && m_rlast |-> $onehot(r_end_bit))
  else $error("%m: the last beat of a read that was not sent");
  write_answers_belong: assert property (@(posedge clk) disable iff (!rst_n) m_bvalid |-> $onehot(b_end_bit))
  else $error("%m: an answer to a write that was not sent");
  write_answers_follow_data: assert property (@(posedge clk) disable iff (!rst_n) m_bvalid |-> (b_end_bit & ~w_full) == '0);
  one_read_ends: assert property (@(posedge clk) disable iff (!rst_n) r_ends |-> $onehot(r_free_now) && (r_free_now & ~r_used) == '0);
  one_write_ends: assert property (@(posedge clk) disable iff (!rst_n) b_ends |-> $onehot(w_free_now) && (w_free_now & ~w_used) == '0);
  writes_end_with_their_data: assert property (@(posedge clk) disable iff (!rst_n) b_ends |-> (w_free_now & ~w_full) == '0);
  data_in_order: assert property (@(posedge clk) disable iff (!rst_n) in_put - in_get <= (IB + 1)'(N));
  data_out_in_order: assert property (@(posedge clk) disable iff (!rst_n) out_put - out_get <= (IB + 1)'(N));
  sync_when_asked: assert property (@(posedge clk) disable iff (!rst_n) sync_ready |-> sync_valid);
  rests: assert property (@(posedge clk) disable iff (!rst_n) idle |-> used == '0 && !m_arvalid && !m_awvalid && !m_wvalid);

  smmu_handshake_checker #(.BITS(ID_BITS + 64)) reads_out (
      .clk(clk), .rst_n(rst_n), .valid(m_arvalid), .ready(m_arready), .payload({m_arid, m_araddr}));
  smmu_handshake_checker #(.BITS(ID_BITS + 64)) writes_out (
      .clk(clk), .rst_n(rst_n), .valid(m_awvalid), .ready(m_awready), .payload({m_awid, m_awaddr}));
  smmu_handshake_checker #(.BITS(73)) data_out (
      .clk(clk), .rst_n(rst_n), .valid(m_wvalid), .ready(m_wready), .payload({m_wdata, m_wstrb, m_wlast}));
  smmu_handshake_checker #(.BITS(ID_BITS + 67)) reads_back (
      .clk(clk), .rst_n(rst_n), .valid(s_rvalid), .ready(s_rready), .payload({s_rid, s_rdata, s_rresp, s_rlast}));
  smmu_handshake_checker #(.BITS(ID_BITS + 2)) writes_back (
      .clk(clk), .rst_n(rst_n), .valid(s_bvalid), .ready(s_bready), .payload({s_bid, s_bresp}));
  smmu_handshake_checker #(.BITS(1)) synchronisations (
      .clk(clk), .rst_n(rst_n), .valid(sync_valid), .ready(sync_ready), .payload(1'b0));

  logic unused;
  assign unused = &{1'b0, m_rready, m_bready};

endmodule

bind smmu_client_port smmu_client_port_checker #(.ID_BITS(ID_BITS), .TRANSACTIONS(TRANSACTIONS)) checker_i (.*);
