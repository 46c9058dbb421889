// SPDX-License-Identifier: Apache-2.0

// Invariants of smmu_event_queue.
module smmu_event_queue_checker (
    input logic         clk,
    input logic         rst_n,
    input logic         enable,
    input logic         halt,
    input logic         aborted,
    input logic [19:0]  prod,
    input logic         prod_set,
    input logic [19:0]  prod_next,
    input logic         overflow,
    input logic         prod_ovflg,
    input logic         cons_ovackflg,
    input logic         abt_error,
    input logic         irq_cause,
    input logic         evt_valid,
    input logic         evt_ready,
    input logic [255:0] evt_rec,
    input logic         wr_valid,
    input logic         wr_ready,
    input logic [51:0]  wr_addr,
    input logic [255:0] wr_data,
    input logic [9:0]   wr_attr,
    input logic         wr_done,
    input logic         wr_err,
    input logic         busy,
    input logic         written,
    input logic [1:0]   state,
    input logic [19:0]  mask,
    input logic         full
);

  state_is_one: assert property (@(posedge clk) disable iff (!rst_n) state <= 2'd2);
  written_where_there_is_room: assert property (@(posedge clk) disable iff (!rst_n)
    $rose(wr_valid) |-> $past(evt_valid && evt_ready && enable && !halt && !aborted && !full));
  index_follows_the_record: assert property (@(posedge clk) disable iff (!rst_n)
    prod_set |-> wr_done && !wr_err && state == 2'd2 && prod_next == ((prod + 20'd1) & mask));
  a_failed_record_leaves_the_index: assert property (@(posedge clk) disable iff (!rst_n)
    abt_error |-> wr_done && wr_err && !prod_set);
  overflow_is_told_once: assert property (@(posedge clk) disable iff (!rst_n)
    overflow |-> full && evt_valid && evt_ready && prod_ovflg == cons_ovackflg);
  interrupts_for_a_record: assert property (@(posedge clk) disable iff (!rst_n) irq_cause |-> $past(prod_set));
  answers_were_asked_for: assert property (@(posedge clk) disable iff (!rst_n) wr_done |-> written);
  // CR0ACK waits, so the queue stays on until the record is there.
  stays_on_while_busy: assert property (@(posedge clk) disable iff (!rst_n) busy |-> enable);
  stays_put_while_busy: assert property (@(posedge clk) disable iff (!rst_n) busy && !prod_set |=> $stable(prod));

  smmu_handshake_checker #(.BITS(256)) events (
      .clk(clk), .rst_n(rst_n), .valid(evt_valid), .ready(evt_ready), .payload(evt_rec));
  smmu_handshake_checker #(.BITS(318)) writes (
      .clk(clk), .rst_n(rst_n), .valid(wr_valid), .ready(wr_ready), .payload({wr_addr, wr_data, wr_attr}));

endmodule

bind smmu_event_queue smmu_event_queue_checker checker_i (.*);
