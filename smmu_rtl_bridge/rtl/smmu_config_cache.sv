// SPDX-License-Identifier: Apache-2.0

// A direct-mapped cache of stream table entries or context descriptors, in a memory with one read port.
//
// Lookup: raise `lookup` with the key while `ready` is high; hit and data follow in the next clock, for that clock alone.
// Fill: `fill` with key and data, one clock, always taken. Whoever fills makes sure that nothing fetched before an
// invalidation is filled after it.
// Invalidation: hold `inv_start` with the range of streams, and the substream where `inv_by_ssid` is set; every place is
// looked at in turn, one a clock, and `inv_done` is high in the clock in which the last one is through. `ready` is low
// meanwhile. Section "Configuration structure invalidation".
module smmu_config_cache #(
    parameter int ENTRIES = 64,
    parameter int DATA_BITS = 64
) (
    input  logic                 clk,
    input  logic                 rst_n,
    output logic                 ready,
    input  logic                 lookup,
    input  logic [31:0]          lookup_sid,
    input  logic [19:0]          lookup_ssid,
    output logic                 hit,
    output logic [DATA_BITS-1:0] data,
    input  logic                 fill,
    input  logic [31:0]          fill_sid,
    input  logic [19:0]          fill_ssid,
    input  logic [DATA_BITS-1:0] fill_data,
    input  logic                 inv_start,
    input  logic [31:0]          inv_sid_first,
    input  logic [31:0]          inv_sid_last,
    input  logic                 inv_by_ssid,
    input  logic [19:0]          inv_ssid,
    output logic                 inv_done
);

  localparam int INDEX_BITS = ENTRIES > 1 ? $clog2(ENTRIES) : 1;
  // The last place, and as ENTRIES is a power of two also the bits of a place that count.
  localparam logic [INDEX_BITS-1:0] LAST = INDEX_BITS'(ENTRIES - 1);

  logic [51+DATA_BITS:0] mem [0:ENTRIES-1];
  logic [51+DATA_BITS:0] row;
  logic                  row_valid;
  logic [ENTRIES-1:0]    valid;
  logic [15:0]           lookup_place;
  logic [15:0]           fill_place;
  logic [INDEX_BITS-1:0] index;
  logic [INDEX_BITS-1:0] fill_index;
  logic [51:0]           key;
  logic                  looked;
  logic                  sweeping;
  logic                  swept;
  logic [INDEX_BITS-1:0] sweep_next;
  logic [INDEX_BITS-1:0] sweep_now;
  logic                  sweep_last;
  logic                  reached;
  logic                  unused;

  always_comb begin
    lookup_place = 16'd0;
    fill_place = 16'd0;
    if (lookup) lookup_place = smmu_pkg::place_of(lookup_sid, lookup_ssid);
    if (fill) fill_place = smmu_pkg::place_of(fill_sid, fill_ssid);
  end
  assign unused = ^{lookup_place, fill_place};
  assign index = sweeping ? sweep_next : lookup_place[INDEX_BITS-1:0] & LAST;
  assign fill_index = fill_place[INDEX_BITS-1:0] & LAST;
  assign ready = !inv_start && !sweeping && !swept;
  always_comb begin
    hit = 1'b0;
    reached = 1'b0;
    if (looked && row_valid) hit = row[51+DATA_BITS:DATA_BITS] == key;
    if (swept && row_valid)
      reached = row[51+DATA_BITS:DATA_BITS+20] >= inv_sid_first && row[51+DATA_BITS:DATA_BITS+20] <= inv_sid_last &&
                (!inv_by_ssid || row[DATA_BITS+19:DATA_BITS] == inv_ssid);
  end
  assign data = row[DATA_BITS-1:0];
  assign inv_done = swept && sweep_last;

  always_ff @(posedge clk) begin
    if (sweeping || (lookup && ready)) row <= mem[index];
    if (fill) mem[fill_index] <= {fill_sid, fill_ssid, fill_data};
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      valid <= {ENTRIES{1'b0}};
      row_valid <= 1'b0;
      looked <= 1'b0;
      key <= 52'd0;
      sweeping <= 1'b0;
      swept <= 1'b0;
      sweep_next <= {INDEX_BITS{1'b0}};
      sweep_now <= {INDEX_BITS{1'b0}};
      sweep_last <= 1'b0;
    end else begin
      looked <= lookup && ready;
      if (lookup && ready) key <= {lookup_sid, lookup_ssid};
      if (sweeping || (lookup && ready)) row_valid <= valid[index];
      swept <= sweeping;
      sweep_now <= sweep_next;
      sweep_last <= sweeping && sweep_next == LAST;
      if (sweeping) begin
        sweep_next <= sweep_next + 1'b1;
        if (sweep_next == LAST) sweeping <= 1'b0;
      end else if (inv_start && !swept) begin
        sweeping <= 1'b1;
        sweep_next <= {INDEX_BITS{1'b0}};
      end
      if (reached) valid[sweep_now] <= 1'b0;
      if (fill) valid[fill_index] <= 1'b1;
    end
  end

endmodule
