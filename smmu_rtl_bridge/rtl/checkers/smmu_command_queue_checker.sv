// SPDX-License-Identifier: Apache-2.0

// Invariants of smmu_command_queue.
module smmu_command_queue_checker (
    input logic           clk,
    input logic           rst_n,
    input logic           error,
    input logic [51:0]    base,
    input logic [19:0]    cons,
    input logic           cons_set,
    input logic [19:0]    cons_next,
    input logic [6:0]     err_next,
    input logic           rd_valid,
    input logic           rd_ready,
    input logic [51:0]    rd_addr,
    input logic [3:0]     rd_beats,
    input logic [9:0]     rd_attr,
    input logic           rsp_valid,
    input logic           rsp_last,
    input logic           inv_valid,
    input logic           inv_ready,
    input smmu_pkg::inv_t inv,
    input logic           sync_valid,
    input logic           sync_ready,
    input logic           msi_valid,
    input logic           msi_ready,
    input logic [51:0]    msi_addr,
    input logic [31:0]    msi_data,
    input logic [5:0]     msi_cfg2,
    input logic           sev,
    input logic           busy,
    input logic           run,
    input logic [2:0]     state,
    input logic           holding,
    input logic [3:0]     count,
    input logic [2:0]     coming,
    input logic           fetching,
    input logic           discard,
    input logic           odd,
    input logic           take,
    input logic           put,
    input logic           ask,
    input logic           flush,
    input logic           legal,
    input logic           unread,
    input logic [19:0]    used,
    input logic [20:0]    size,
    input logic [19:0]    mask,
    input logic [51:0]    below
);

  state_is_one: assert property (@(posedge clk) disable iff (!rst_n) state <= 3'd5);
  // The buffer takes what was asked for and no more.
  buffer_has_room: assert property (@(posedge clk) disable iff (!rst_n) {1'b0, count} + {2'd0, coming} <= 5'd8);
  nothing_from_empty: assert property (@(posedge clk) disable iff (!rst_n) take |-> count != 4'd0);
  counts_what_comes: assert property (@(posedge clk) disable iff (!rst_n) put |-> coming != 3'd0);
  all_has_come: assert property (@(posedge clk) disable iff (!rst_n) !fetching |-> coming == 3'd0 && !discard && !odd);
  answers_were_asked_for: assert property (@(posedge clk) disable iff (!rst_n) rsp_valid |-> fetching && !rd_valid);
  answers_are_whole: assert property (@(posedge clk) disable iff (!rst_n) rsp_valid && rsp_last |-> odd);
  // Only what software has handed over is read ahead, and only while the queue runs.
  reads_what_is_there: assert property (@(posedge clk) disable iff (!rst_n)
    ask |-> run && {1'b0, used} <= size && used > {19'd0, holding} + {16'd0, count});
  reads_inside_the_queue: assert property (@(posedge clk) disable iff (!rst_n)
    rd_valid |-> (rd_addr & ~(below | 52'h1f)) == (base & ~(below | 52'h1f)) &&
                 ((rd_addr & below) + {45'd0, rd_beats, 3'd0}) <= below + 52'd1);
  drops_what_it_read: assert property (@(posedge clk) disable iff (!rst_n) flush |=> count == 4'd0);
  // Commands end one by one.
  ends_what_it_holds: assert property (@(posedge clk) disable iff (!rst_n) cons_set |-> holding);
  goes_on_by_one: assert property (@(posedge clk) disable iff (!rst_n)
    cons_set && err_next == 7'd0 |-> cons_next == ((cons + 20'd1) & mask));
  keeps_what_failed: assert property (@(posedge clk) disable iff (!rst_n) cons_set && err_next != 7'd0 |-> cons_next == cons);
  tells_of_what_failed: assert property (@(posedge clk) disable iff (!rst_n)
    cons_set && state == 3'd1 |-> (err_next == 7'd0) == (legal && !unread));
  stops_at_an_error: assert property (@(posedge clk) disable iff (!rst_n) error |-> !take);
  no_command_while_busy: assert property (@(posedge clk) disable iff (!rst_n) take |=> busy && holding);
  sev_has_a_cause: assert property (@(posedge clk) disable iff (!rst_n)
    $rose(sev) |-> $past(cons_set) || $past(state == 3'd5));

  smmu_handshake_checker #(.BITS(66)) reads (
      .clk(clk), .rst_n(rst_n), .valid(rd_valid), .ready(rd_ready), .payload({rd_addr, rd_beats, rd_attr}));
  smmu_handshake_checker #(.BITS($bits(inv))) invalidations (
      .clk(clk), .rst_n(rst_n), .valid(inv_valid), .ready(inv_ready), .payload(inv));
  smmu_handshake_checker #(.BITS(1)) synchronisations (
      .clk(clk), .rst_n(rst_n), .valid(sync_valid), .ready(sync_ready), .payload(1'b0));
  smmu_handshake_checker #(.BITS(90)) signals (
      .clk(clk), .rst_n(rst_n), .valid(msi_valid), .ready(msi_ready), .payload({msi_addr, msi_data, msi_cfg2}));

endmodule

bind smmu_command_queue smmu_command_queue_checker checker_i (.*);
