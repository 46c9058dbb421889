// SPDX-License-Identifier: Apache-2.0

// Invariants of smmu_memory_port.
module smmu_memory_port_checker (
    input logic        clk,
    input logic        rst_n,
    input logic        walk_rd_valid,
    input logic        walk_rd_ready,
    input logic [51:0] walk_rd_addr,
    input logic [3:0]  walk_rd_beats,
    input logic [3:0]  walk_rd_tag,
    input logic [9:0]  walk_rd_attr,
    input logic        cfg_rd_valid,
    input logic        cfg_rd_ready,
    input logic [51:0] cfg_rd_addr,
    input logic [3:0]  cfg_rd_beats,
    input logic [3:0]  cfg_rd_tag,
    input logic [9:0]  cfg_rd_attr,
    input logic        cmd_rd_valid,
    input logic        cmd_rd_ready,
    input logic [51:0] cmd_rd_addr,
    input logic [3:0]  cmd_rd_beats,
    input logic [9:0]  cmd_rd_attr,
    input logic        evt_wr_valid,
    input logic        evt_wr_ready,
    input logic [51:0] evt_wr_addr,
    input logic [9:0]  evt_wr_attr,
    input logic        evt_wr_done,
    input logic        msi_wr_valid,
    input logic        msi_wr_ready,
    input logic [51:0] msi_wr_addr,
    input logic [31:0] msi_wr_data,
    input logic [9:0]  msi_wr_attr,
    input logic        msi_wr_done,
    input logic [2:0]  grant,
    input logic [4:0]  reads_open,
    input logic        ar_taken,
    input logic        r_over,
    input logic        evt_open,
    input logic        msi_open,
    input logic        p_rvalid,
    input logic        p_rready,
    input logic [4:0]  p_rid,
    input logic        p_bvalid,
    input logic [4:0]  p_bid
);

  // The reads that are under way, by ID.
  logic [31:0] open;
  logic [4:0]  asked;

  assign asked = cmd_rd_ready ? 5'd16 : {1'b0, cfg_rd_ready ? cfg_rd_tag : walk_rd_tag};
  always_ff @(posedge clk) begin
    if (!rst_n) open <= 32'd0;
    else begin
      if (r_over) open[p_rid] <= 1'b0;
      if (ar_taken) open[asked] <= 1'b1;
    end
  end

  one_is_served: assert property (@(posedge clk) disable iff (!rst_n) $onehot0(grant));
  tags_are_free: assert property (@(posedge clk) disable iff (!rst_n) ar_taken |-> !open[asked] || (r_over && p_rid == asked))
  else $error("%m: a tag is used again before its answer came");
  walks_have_low_tags: assert property (@(posedge clk) disable iff (!rst_n) walk_rd_valid |-> !walk_rd_tag[3]);
  configuration_has_high_tags: assert property (@(posedge clk) disable iff (!rst_n) cfg_rd_valid |-> cfg_rd_tag[3]);
  answers_were_asked_for: assert property (@(posedge clk) disable iff (!rst_n) p_rvalid |-> open[p_rid])
  else $error("%m: an answer that nobody asked for");
  answers_are_taken: assert property (@(posedge clk) disable iff (!rst_n) p_rvalid |-> p_rready);
  reads_are_counted: assert property (@(posedge clk) disable iff (!rst_n) $countones(open) == {27'd0, reads_open});
  event_answers: assert property (@(posedge clk) disable iff (!rst_n) evt_wr_done |-> evt_open);
  message_answers: assert property (@(posedge clk) disable iff (!rst_n) msi_wr_done |-> msi_open);
  writes_have_known_ids: assert property (@(posedge clk) disable iff (!rst_n) p_bvalid |-> p_bid <= 5'd1);
  one_event_at_a_time: assert property (@(posedge clk) disable iff (!rst_n) evt_wr_valid |-> !evt_open || evt_wr_done);
  one_message_at_a_time: assert property (@(posedge clk) disable iff (!rst_n) msi_wr_valid |-> !msi_open || msi_wr_done);
  // Bursts stay inside what their size aligns them to, so none crosses 4 KiB.
  walks_read_words: assert property (@(posedge clk) disable iff (!rst_n) walk_rd_valid |-> walk_rd_beats == 4'd1 && walk_rd_addr[2:0] == 3'd0);
  configuration_is_aligned: assert property (@(posedge clk) disable iff (!rst_n)
    cfg_rd_valid |-> (cfg_rd_addr[5:0] & ({cfg_rd_beats[2:0], 3'd0} - 6'd1)) == 6'd0 && $onehot(cfg_rd_beats));
  commands_are_aligned: assert property (@(posedge clk) disable iff (!rst_n)
    cmd_rd_valid |-> (cmd_rd_addr[5:0] & ({cmd_rd_beats[2:0], 3'd0} - 6'd1)) == 6'd0 && $onehot(cmd_rd_beats));
  records_are_aligned: assert property (@(posedge clk) disable iff (!rst_n) evt_wr_valid |-> evt_wr_addr[4:0] == 5'd0);
  messages_are_aligned: assert property (@(posedge clk) disable iff (!rst_n) msi_wr_valid |-> msi_wr_addr[1:0] == 2'd0);
  smmu_handshake_checker #(.BITS(70)) walks (
      .clk(clk), .rst_n(rst_n), .valid(walk_rd_valid), .ready(walk_rd_ready),
      .payload({walk_rd_addr, walk_rd_beats, walk_rd_tag, walk_rd_attr}));
  smmu_handshake_checker #(.BITS(70)) configuration (
      .clk(clk), .rst_n(rst_n), .valid(cfg_rd_valid), .ready(cfg_rd_ready),
      .payload({cfg_rd_addr, cfg_rd_beats, cfg_rd_tag, cfg_rd_attr}));
  smmu_handshake_checker #(.BITS(66)) commands (
      .clk(clk), .rst_n(rst_n), .valid(cmd_rd_valid), .ready(cmd_rd_ready),
      .payload({cmd_rd_addr, cmd_rd_beats, cmd_rd_attr}));
  smmu_handshake_checker #(.BITS(62)) events (
      .clk(clk), .rst_n(rst_n), .valid(evt_wr_valid), .ready(evt_wr_ready), .payload({evt_wr_addr, evt_wr_attr}));
  smmu_handshake_checker #(.BITS(94)) messages (
      .clk(clk), .rst_n(rst_n), .valid(msi_wr_valid), .ready(msi_wr_ready),
      .payload({msi_wr_addr, msi_wr_data, msi_wr_attr}));

endmodule

bind smmu_memory_port smmu_memory_port_checker checker_i (.*);
