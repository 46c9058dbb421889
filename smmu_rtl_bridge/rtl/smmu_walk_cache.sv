// SPDX-License-Identifier: Apache-2.0

// A direct-mapped cache that saves reads of table walks: of pointers to stage 1 tables of one level (POINTERS = 1), with
// the table's address already translated by stage 2, or of stage 2 translations of the addresses of tables
// (POINTERS = 0). ENTRIES = 0 leaves it out.
//
// Lookup: raise `lookup` with tag, granule and the address, its bits below the entry's region zero; `hit` and `data`
// hold from the next clock until the next lookup. While an invalidation runs `ready` is low and lookups are not taken.
// Fill: one clock, always taken. Invalidation: hold `inv_start`; one place a clock, then `inv_done` for one clock.
// Section "Caching" and "TLB invalidation".
module smmu_walk_cache #(
    parameter int ENTRIES = 16,
    parameter int DATA_BITS = 50,
    parameter int POINTERS = 1
) (
    input  logic                 clk,
    input  logic                 rst_n,
    output logic                 ready,
    input  logic                 lookup,
    input  logic [5:0]           lookup_region,
    input  smmu_pkg::tag_t       lookup_tag,
    input  logic [1:0]           lookup_tg,
    input  logic [smmu_pkg::VA_BITS-1:0] lookup_va,
    output logic                 hit,
    output logic [DATA_BITS-1:0] data,
    input  logic                 fill,
    input  logic [5:0]           fill_region,
    input  smmu_pkg::tag_t       fill_tag,
    input  logic [1:0]           fill_tg,
    input  logic [smmu_pkg::VA_BITS-1:0] fill_va,
    input  logic [5:0]           fill_reach,
    input  logic [1:0]           fill_level,
    input  logic [DATA_BITS-1:0] fill_data,
    input  logic                 inv_start,
    input  smmu_pkg::inv_t       inv,
    output logic                 inv_done
);

  localparam int TAG_BITS = 36;
  localparam int KEY_BITS = TAG_BITS + 2 + smmu_pkg::VA_BITS;
  localparam int ROW_BITS = KEY_BITS + 8 + DATA_BITS;

  generate
    if (ENTRIES == 0) begin : g_none
      logic started;
      logic unused;
      assign unused = ^{lookup, lookup_region, lookup_tag, lookup_tg, lookup_va, fill, fill_region, fill_tag, fill_tg,
                        fill_va, fill_reach, fill_level, fill_data, inv};
      assign ready = 1'b1;
      assign hit = 1'b0;
      assign data = {DATA_BITS{1'b0}};
      assign inv_done = started;
      always_ff @(posedge clk) started <= rst_n && inv_start && !started;
    end else begin : g_cache
      localparam int INDEX_BITS = ENTRIES > 1 ? $clog2(ENTRIES) : 1;
      // The last place, and as ENTRIES is a power of two also the bits of a place that count.
      localparam logic [INDEX_BITS-1:0] LAST = INDEX_BITS'(ENTRIES - 1);

      // Neighbours get places of their own, and so do regions that lie a power of two apart.
      function automatic logic [INDEX_BITS-1:0] fold(input logic [4*INDEX_BITS-1:0] place);
        fold = place[INDEX_BITS-1:0] ^ place[2*INDEX_BITS-1:INDEX_BITS] ^ place[3*INDEX_BITS-1:2*INDEX_BITS] ^
               place[4*INDEX_BITS-1:3*INDEX_BITS];
      endfunction

      logic [ROW_BITS-1:0]   mem [0:ENTRIES-1];
      logic [ROW_BITS-1:0]   row;
      logic [KEY_BITS-1:0]   key;
      logic                  row_valid;
      logic                  looked;
      logic [ENTRIES-1:0]    valid;
      logic [47:0]           lookup_place;
      logic [47:0]           fill_place;
      logic [INDEX_BITS-1:0] index;
      logic [INDEX_BITS-1:0] fill_index;
      logic                  sweeping;
      logic                  swept;
      logic [INDEX_BITS-1:0] sweep_next;
      logic [INDEX_BITS-1:0] sweep_now;
      logic                  sweep_last;
      logic                  reached;
      smmu_pkg::tag_t        row_tag;
      logic                  unused;

      always_comb begin
        lookup_place = 48'd0;
        fill_place = 48'd0;
        if (lookup) lookup_place = lookup_va[47:0] >> lookup_region;
        if (fill) fill_place = fill_va[47:0] >> fill_region;
      end
      assign fill_index = LAST & (fold(fill_place[4*INDEX_BITS-1:0]) ^ fill_tag.asid[INDEX_BITS-1:0] ^
                                  fill_tag.vmid[INDEX_BITS-1:0]);
      assign unused = ^{lookup_place, fill_place};
      assign index = sweeping ? sweep_next
                     : LAST & (fold(lookup_place[4*INDEX_BITS-1:0]) ^ lookup_tag.asid[INDEX_BITS-1:0] ^
                               lookup_tag.vmid[INDEX_BITS-1:0]);
      assign ready = !inv_start && !sweeping && !swept;
      always_comb begin
        hit = 1'b0;
        if (looked && row_valid) hit = row[ROW_BITS-1:ROW_BITS-KEY_BITS] == key;
      end
      assign data = row[DATA_BITS-1:0];
      assign row_tag = row[ROW_BITS-1:ROW_BITS-TAG_BITS];
      assign inv_done = swept && sweep_last;

      smmu_inv_match i_match (
          .enable(swept && row_valid),
          .inv(inv),
          .tag(row_tag),
          .is_global(1'b0),
          .pointer(POINTERS != 0),
          .va(row[ROW_BITS-TAG_BITS-3:ROW_BITS-KEY_BITS]),
          .reach(row[DATA_BITS+7:DATA_BITS+2]),
          .tg(row[ROW_BITS-TAG_BITS-1:ROW_BITS-TAG_BITS-2]),
          .level(row[DATA_BITS+1:DATA_BITS]),
          .match(reached)
      );

      always_ff @(posedge clk) begin
        if (sweeping || (lookup && ready)) row <= mem[index];
        if (fill) mem[fill_index] <= {fill_tag, fill_tg, fill_va, fill_reach, fill_level, fill_data};
      end

      always_ff @(posedge clk) begin
        if (!rst_n) begin
          valid <= {ENTRIES{1'b0}};
          row_valid <= 1'b0;
          looked <= 1'b0;
          key <= {KEY_BITS{1'b0}};
          sweeping <= 1'b0;
          swept <= 1'b0;
          sweep_next <= {INDEX_BITS{1'b0}};
          sweep_now <= {INDEX_BITS{1'b0}};
          sweep_last <= 1'b0;
        end else begin
          if (lookup && ready) begin
            looked <= 1'b1;
            key <= {lookup_tag, lookup_tg, lookup_va};
          end else if (sweeping) begin
            looked <= 1'b0;
          end
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
    end
  endgenerate

endmodule
