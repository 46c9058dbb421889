// SPDX-License-Identifier: Apache-2.0

// The SMMU's own way to memory: reads of walks, of configuration and of commands, and writes of event records and of
// messages, on one AXI4 manager.
//
// Reads: one request a clock, in turn among those that ask; it is on the address channel in the next clock. An answer
// goes to who asked in the clock in which it comes and is always taken. AXI IDs: 0 to 15 are tags of the translation
// half, 0 to 7 of walks and 8 to 15 of configuration; 16 is the command queue, which has one read under way.
// Writes: one burst at a time on its way out, in turn between events (ID 0) and messages (ID 1); each of them has one
// write under way, so the answers (one clock of done, with err) need no order.
//
// Sections "Memory accesses of the SMMU" and "SMMU circular queues": accesses are non-secure, privileged, of data.
module smmu_memory_port (
    input logic clk,
    input logic rst_n,

    input  logic                              walk_rd_valid,
    output logic                              walk_rd_ready,
    input  logic [smmu_pkg::PA_BITS-1:0]      walk_rd_addr,
    input  logic [3:0]                        walk_rd_beats,
    input  logic [smmu_pkg::RD_TAG_BITS-1:0]  walk_rd_tag,
    input  logic [smmu_pkg::M_USER_BITS-1:0]  walk_rd_attr,
    output logic                              walk_rsp_valid,

    input  logic                              cfg_rd_valid,
    output logic                              cfg_rd_ready,
    input  logic [smmu_pkg::PA_BITS-1:0]      cfg_rd_addr,
    input  logic [3:0]                        cfg_rd_beats,
    input  logic [smmu_pkg::RD_TAG_BITS-1:0]  cfg_rd_tag,
    input  logic [smmu_pkg::M_USER_BITS-1:0]  cfg_rd_attr,
    output logic                              cfg_rsp_valid,

    input  logic                              cmd_rd_valid,
    output logic                              cmd_rd_ready,
    input  logic [smmu_pkg::PA_BITS-1:0]      cmd_rd_addr,
    input  logic [3:0]                        cmd_rd_beats,
    input  logic [smmu_pkg::M_USER_BITS-1:0]  cmd_rd_attr,
    output logic                              cmd_rsp_valid,

    // Of whichever answer is valid.
    output logic [smmu_pkg::RD_TAG_BITS-1:0]  rsp_tag,
    output logic [63:0]                       rsp_data,
    output logic                              rsp_last,
    output logic                              rsp_err,

    input  logic                              evt_wr_valid,
    output logic                              evt_wr_ready,
    input  logic [smmu_pkg::PA_BITS-1:0]      evt_wr_addr,
    input  logic [smmu_pkg::EVENT_BITS-1:0]   evt_wr_data,
    input  logic [smmu_pkg::M_USER_BITS-1:0]  evt_wr_attr,
    output logic                              evt_wr_done,
    output logic                              evt_wr_err,

    input  logic                              msi_wr_valid,
    output logic                              msi_wr_ready,
    input  logic [smmu_pkg::PA_BITS-1:0]      msi_wr_addr,  // a multiple of 4
    input  logic [31:0]                       msi_wr_data,
    input  logic [smmu_pkg::M_USER_BITS-1:0]  msi_wr_attr,
    output logic                              msi_wr_done,
    output logic                              msi_wr_err,

    output logic                              p_arvalid,
    input  logic                              p_arready,
    output logic [4:0]                        p_arid,
    output logic [smmu_pkg::PA_BITS-1:0]      p_araddr,
    output logic [7:0]                        p_arlen,
    output logic [2:0]                        p_arsize,
    output logic [1:0]                        p_arburst,
    output logic [2:0]                        p_arprot,
    output logic [smmu_pkg::M_USER_BITS-1:0]  p_aruser,
    input  logic                              p_rvalid,
    output logic                              p_rready,
    input  logic [4:0]                        p_rid,
    input  logic [63:0]                       p_rdata,
    input  logic [1:0]                        p_rresp,
    input  logic                              p_rlast,

    output logic                              p_awvalid,
    input  logic                              p_awready,
    output logic [4:0]                        p_awid,
    output logic [smmu_pkg::PA_BITS-1:0]      p_awaddr,
    output logic [7:0]                        p_awlen,
    output logic [2:0]                        p_awsize,
    output logic [1:0]                        p_awburst,
    output logic [2:0]                        p_awprot,
    output logic [smmu_pkg::M_USER_BITS-1:0]  p_awuser,
    output logic                              p_wvalid,
    input  logic                              p_wready,
    output logic [63:0]                       p_wdata,
    output logic [7:0]                        p_wstrb,
    output logic                              p_wlast,
    input  logic                              p_bvalid,
    output logic                              p_bready,
    input  logic [4:0]                        p_bid,
    input  logic [1:0]                        p_bresp,

    output logic idle  // no access is under way
);

  localparam logic [4:0] ID_COMMANDS = 5'd16;
  localparam logic [4:0] ID_EVENTS = 5'd0;
  localparam logic [4:0] ID_MESSAGES = 5'd1;
  localparam logic [2:0] SIZE_8 = 3'd3;
  localparam logic [2:0] SIZE_4 = 3'd2;
  localparam logic [1:0] BURST_INCR = 2'd1;
  localparam logic [2:0] PROT = 3'b011;

  // ---- Reads. The one after the last that was served comes first: 0 walks, 1 configuration, 2 commands.
  logic       ar_free;
  logic [1:0] turn;
  logic [2:0] asks;
  logic [2:0] grant;
  logic [4:0] reads_open;
  logic       ar_taken;
  logic       r_over;

  assign asks = {cmd_rd_valid, cfg_rd_valid, walk_rd_valid};
  assign ar_free = !p_arvalid || p_arready;

  always_comb begin
    grant = 3'b000;
    unique case (turn)
      2'd0:    grant = asks[0] ? 3'b001 : asks[1] ? 3'b010 : 3'b100;
      2'd1:    grant = asks[1] ? 3'b010 : asks[2] ? 3'b100 : 3'b001;
      default: grant = asks[2] ? 3'b100 : asks[0] ? 3'b001 : 3'b010;
    endcase
    grant = grant & asks;
  end

  assign walk_rd_ready = ar_free && grant[0];
  assign cfg_rd_ready = ar_free && grant[1];
  assign cmd_rd_ready = ar_free && grant[2];
  assign ar_taken = ar_free && asks != 3'b000;

  assign p_arsize = SIZE_8;
  assign p_arburst = BURST_INCR;
  assign p_arprot = PROT;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      p_arvalid <= 1'b0;
      turn <= 2'd0;
    end else if (ar_free) begin
      p_arvalid <= ar_taken;
      if (ar_taken) turn <= grant[0] ? 2'd1 : grant[1] ? 2'd2 : 2'd0;
    end
  end

  always_ff @(posedge clk) begin
    if (ar_taken) begin
      p_arid <= grant[2] ? ID_COMMANDS : {1'b0, grant[1] ? cfg_rd_tag : walk_rd_tag};
      p_araddr <= grant[2] ? cmd_rd_addr : grant[1] ? cfg_rd_addr : walk_rd_addr;
      p_arlen <= {4'd0, (grant[2] ? cmd_rd_beats : grant[1] ? cfg_rd_beats : walk_rd_beats) - 4'd1};
      p_aruser <= grant[2] ? cmd_rd_attr : grant[1] ? cfg_rd_attr : walk_rd_attr;
    end
  end

  assign p_rready = 1'b1;
  assign walk_rsp_valid = p_rvalid && p_rid[4:3] == 2'b00;
  assign cfg_rsp_valid = p_rvalid && p_rid[4:3] == 2'b01;
  assign cmd_rsp_valid = p_rvalid && p_rid[4];
  assign rsp_tag = p_rid[3:0];
  assign rsp_data = p_rdata;
  assign rsp_last = p_rlast;
  assign rsp_err = p_rresp[1];
  assign r_over = p_rvalid && p_rlast;

  always_ff @(posedge clk) begin
    if (!rst_n) reads_open <= 5'd0;
    else reads_open <= reads_open + {4'd0, ar_taken} - {4'd0, r_over};
  end

  // ---- Writes. `beats_left` counts those after the one on the data channel.
  logic         out_free;
  logic         choose_msi;
  logic         last_was_msi;
  logic [1:0]   beats_left;
  logic [191:0] rest;
  logic         evt_open;
  logic         msi_open;

  assign out_free = !p_awvalid && !p_wvalid;
  assign choose_msi = msi_wr_valid && (!evt_wr_valid || !last_was_msi);
  assign evt_wr_ready = out_free && !choose_msi;
  assign msi_wr_ready = out_free && choose_msi;
  assign p_awburst = BURST_INCR;
  assign p_awprot = PROT;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      p_awvalid <= 1'b0;
      p_wvalid <= 1'b0;
      last_was_msi <= 1'b0;
    end else if (out_free) begin
      p_awvalid <= evt_wr_valid || msi_wr_valid;
      p_wvalid <= evt_wr_valid || msi_wr_valid;
      if (evt_wr_valid || msi_wr_valid) last_was_msi <= choose_msi;
    end else begin
      if (p_awready) p_awvalid <= 1'b0;
      if (p_wready && p_wlast) p_wvalid <= 1'b0;
    end
  end

  always_ff @(posedge clk) begin
    if (out_free) begin
      p_awid <= choose_msi ? ID_MESSAGES : ID_EVENTS;
      p_awaddr <= choose_msi ? msi_wr_addr : evt_wr_addr;
      p_awlen <= choose_msi ? 8'd0 : 8'd3;
      p_awsize <= choose_msi ? SIZE_4 : SIZE_8;
      p_awuser <= choose_msi ? msi_wr_attr : evt_wr_attr;
      p_wdata <= choose_msi ? {msi_wr_data, msi_wr_data} : evt_wr_data[63:0];
      p_wstrb <= !choose_msi ? 8'hff : msi_wr_addr[2] ? 8'hf0 : 8'h0f;
      p_wlast <= choose_msi;
      beats_left <= 2'd3;
      rest <= evt_wr_data[255:64];
    end else if (p_wready) begin
      p_wdata <= rest[63:0];
      rest <= {64'd0, rest[191:64]};
      beats_left <= beats_left - 2'd1;
      p_wlast <= beats_left == 2'd1;
    end
  end

  assign p_bready = 1'b1;
  assign evt_wr_done = p_bvalid && p_bid == ID_EVENTS;
  assign msi_wr_done = p_bvalid && p_bid == ID_MESSAGES;
  assign evt_wr_err = p_bresp[1];
  assign msi_wr_err = p_bresp[1];

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      evt_open <= 1'b0;
      msi_open <= 1'b0;
    end else begin
      if (evt_wr_valid && evt_wr_ready) evt_open <= 1'b1;
      else if (evt_wr_done) evt_open <= 1'b0;
      if (msi_wr_valid && msi_wr_ready) msi_open <= 1'b1;
      else if (msi_wr_done) msi_open <= 1'b0;
    end
  end

  assign idle = reads_open == 5'd0 && !evt_open && !msi_open;

  // EXOKAY and OKAY are alike here: no access is exclusive.
  logic unused;
  assign unused = &{1'b0, p_rresp[0], p_bresp[0]};

endmodule
