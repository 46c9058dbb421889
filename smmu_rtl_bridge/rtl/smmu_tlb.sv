// SPDX-License-Identifier: Apache-2.0

// The TLB of whole translations: set-associative, one memory a way with one read port, entries of four sizes (4 KiB,
// 64 KiB, 2 MiB, 1 GiB) in the same sets. A lookup reads the set of each size that is present, one a clock.
//
// Lookup: `lk_start` for one clock while `lk_busy` is low; `lk_done` comes for one clock, at the earliest in the next,
// and `lk_hit` and `lk_entry` hold in it. Tag and address must hold from lk_start to lk_done.
// Fill: valid/ready. The entry replaces one for the same address, size and tag, or an empty way, or the way whose turn it
// is. The walker raises no fill while an invalidation runs.
// Invalidation: hold `inv_start`; one set a clock, `inv_done` for one clock. It goes before fills, and fills before
// lookups. An entry is reached by any address of the whole leaf that it was made from. Section "TLB invalidation".
module smmu_tlb #(
    parameter int SETS = 32,
    parameter int WAYS = 4
) (
    input  logic                         clk,
    input  logic                         rst_n,
    input  logic                         lk_start,
    output logic                         lk_busy,
    input  smmu_pkg::tag_t               lk_tag,
    input  logic [smmu_pkg::VA_BITS-1:0] lk_va,
    output logic                         lk_done,
    output logic                         lk_hit,
    output smmu_pkg::entry_t             lk_entry,
    input  logic                         fill_valid,
    output logic                         fill_ready,
    input  smmu_pkg::tag_t               fill_tag,
    input  logic                         fill_global,
    input  logic [smmu_pkg::VA_BITS-1:0] fill_va,
    input  logic [5:0]                   fill_reach,
    input  logic [1:0]                   fill_tg,
    input  logic [1:0]                   fill_level,
    input  smmu_pkg::entry_t             fill_entry,
    input  logic                         inv_start,
    input  smmu_pkg::inv_t               inv,
    output logic                         inv_done
);

  localparam int SET_BITS = SETS > 1 ? $clog2(SETS) : 1;
  // The last set, and as SETS is a power of two also the bits of a set that count.
  localparam logic [SET_BITS-1:0] LAST_SET = SET_BITS'(SETS - 1);
  localparam int ENTRY_BITS = 63;
  localparam int PAGE_BITS = smmu_pkg::VA_BITS - 12;
  localparam int TAG_BITS = 36;
  // A row: what makes two rows the same is on top.
  localparam int LEVEL_AT = ENTRY_BITS;
  localparam int TG_AT = LEVEL_AT + 2;
  localparam int REACH_AT = TG_AT + 2;
  localparam int GLOBAL_AT = REACH_AT + 6;
  localparam int SIZE_AT = GLOBAL_AT + 1;
  localparam int PAGE_AT = SIZE_AT + 2;
  localparam int TAG_AT = PAGE_AT + PAGE_BITS;
  localparam int ROW_BITS = TAG_AT + TAG_BITS;

  localparam logic [1:0] READ_NONE = 2'd0;
  localparam logic [1:0] READ_LOOKUP = 2'd1;
  localparam logic [1:0] READ_FILL = 2'd2;
  localparam logic [1:0] READ_SWEEP = 2'd3;

  // Address bits, without the lowest 12, that take part for a size.
  function automatic logic [PAGE_BITS-1:0] size_mask(input logic [1:0] size);
    size_mask = size == 2'd0 ? {PAGE_BITS{1'b1}}
              : size == 2'd1 ? {{(PAGE_BITS - 4) {1'b1}}, 4'd0}
              : size == 2'd2 ? {{(PAGE_BITS - 9) {1'b1}}, 9'd0} : {{(PAGE_BITS - 18) {1'b1}}, 18'd0};
  endfunction

  function automatic logic [SET_BITS-1:0] set_of(input logic [PAGE_BITS-1:0] page, input logic [1:0] size);
    logic [5:0] low;
    low = size == 2'd0 ? 6'd0 : size == 2'd1 ? 6'd4 : size == 2'd2 ? 6'd9 : 6'd18;
    // Sizes begin in different quarters of the sets.
    set_of = LAST_SET & (page[low+:SET_BITS] ^ page[low+6'(SET_BITS)+:SET_BITS] ^
                         SET_BITS'({size, {SET_BITS{1'b0}}} >> 2));
  endfunction

  logic [3:0]          present;
  logic                active;
  logic [3:0]          to_probe;
  logic [1:0]          probe_size;
  logic                probe;
  logic [1:0]          read_kind;
  logic [SET_BITS-1:0] read_set;
  logic [1:0]          was_kind;
  logic [SET_BITS-1:0] was_set;
  logic [1:0]          was_size;
  logic [WAYS-1:0]     way_hit;
  logic [WAYS-1:0]     way_same;
  logic [WAYS-1:0]     way_valid;
  logic [WAYS-1:0]     way_reached;
  logic [WAYS-1:0]     way_stays;
  logic [WAYS-1:0]     way_write;
  logic [WAYS*ENTRY_BITS-1:0] way_entry;
  logic [WAYS*2-1:0]   way_size;
  logic [ROW_BITS-1:0] fill_row;
  logic [WAYS-1:0]     turn;
  logic                sweeping;
  logic [SET_BITS-1:0] sweep_set;
  logic                sweep_ends;
  logic [3:0]          survivors;
  logic [3:0]          found;
  logic                inv_empty;
  logic [PAGE_BITS-1:0] lk_page;
  logic [TAG_BITS-1:0]  lk_tag_bits;
  logic                 unused;

  assign lk_page = lk_va[smmu_pkg::VA_BITS-1:12];
  assign lk_tag_bits = lk_tag;
  assign unused = ^{lk_va[11:0], fill_va[11:0]};

  // ---- Who reads.
  assign probe = active && to_probe != 4'd0;
  assign probe_size = to_probe[0] ? 2'd0 : to_probe[1] ? 2'd1 : to_probe[2] ? 2'd2 : 2'd3;
  assign fill_ready = !sweeping && was_kind != READ_FILL;
  always_comb begin
    read_kind = READ_NONE;
    read_set = sweep_set;
    if (sweeping) begin
      read_kind = READ_SWEEP;
    end else if (fill_valid && fill_ready) begin
      read_kind = READ_FILL;
      read_set = set_of(fill_va[smmu_pkg::VA_BITS-1:12], fill_entry.size);
    end else if (probe) begin
      read_kind = READ_LOOKUP;
      read_set = set_of(lk_page, probe_size);
    end
  end

  // ---- The ways.
  generate
    for (genvar w = 0; w < WAYS; w = w + 1) begin : g_way
      logic [ROW_BITS-1:0]  mem [0:SETS-1];
      logic [SETS-1:0]      valid;
      logic [ROW_BITS-1:0]  row;
      logic                 row_valid;
      logic [PAGE_BITS-1:0] row_page;
      logic [TAG_BITS-1:0]  row_tag;
      logic                 same_regime;
      logic                 hit;
      logic                 same;

      assign row_tag = row[TAG_AT+TAG_BITS-1:TAG_AT];
      assign row_page = row[PAGE_AT+PAGE_BITS-1:PAGE_AT];
      assign way_valid[w] = row_valid;
      // {virt, world, aset} and the VMID as they are; the ASID in between counts unless the entry is global.
      always_comb begin
        same_regime = 1'b0;
        hit = 1'b0;
        same = 1'b0;
        if (row_valid && was_kind == READ_LOOKUP) begin
          same_regime = row_tag[35:32] == lk_tag_bits[35:32] && row_tag[15:0] == lk_tag_bits[15:0] &&
                        (row[GLOBAL_AT] || row_tag[31:16] == lk_tag_bits[31:16]);
          hit = same_regime && row[SIZE_AT+1:SIZE_AT] == was_size &&
                ((row_page ^ lk_page) & size_mask(was_size)) == {PAGE_BITS{1'b0}};
        end
        if (row_valid && was_kind == READ_FILL) same = row[ROW_BITS-1:SIZE_AT] == fill_row[ROW_BITS-1:SIZE_AT];
      end
      assign way_hit[w] = hit;
      assign way_same[w] = same;
      assign way_entry[w*ENTRY_BITS+:ENTRY_BITS] = row[ENTRY_BITS-1:0];
      assign way_stays[w] = was_kind == READ_SWEEP && row_valid && !way_reached[w];
      assign way_size[w*2+:2] = row[SIZE_AT+1:SIZE_AT];

      smmu_inv_match i_match (
          .enable(was_kind == READ_SWEEP && row_valid),
          .inv(inv),
          .tag(row_tag),
          .is_global(row[GLOBAL_AT]),
          .pointer(1'b0),
          .va({row_page, 12'd0}),
          .reach(row[REACH_AT+5:REACH_AT]),
          .tg(row[TG_AT+1:TG_AT]),
          .level(row[LEVEL_AT+1:LEVEL_AT]),
          .match(way_reached[w])
      );

      always_ff @(posedge clk) begin
        if (read_kind != READ_NONE) row <= mem[read_set];
        if (way_write[w]) mem[was_set] <= fill_row;
      end
      always_ff @(posedge clk) begin
        if (!rst_n) begin
          valid <= {SETS{1'b0}};
          row_valid <= 1'b0;
        end else begin
          if (read_kind != READ_NONE) row_valid <= valid[read_set];
          if (way_write[w]) valid[was_set] <= 1'b1;
          else if (way_reached[w]) valid[was_set] <= 1'b0;
        end
      end
    end
  endgenerate

  // ---- Lookups.
  assign lk_busy = active;
  assign lk_hit = way_hit != {WAYS{1'b0}};
  assign lk_done = active && (lk_hit || to_probe == 4'd0);
  always_comb begin
    logic [ENTRY_BITS-1:0] chosen;
    chosen = {ENTRY_BITS{1'b0}};
    if (was_kind == READ_LOOKUP)
      for (int w = WAYS - 1; w >= 0; w = w - 1) if (way_hit[w]) chosen = way_entry[w*ENTRY_BITS+:ENTRY_BITS];
    lk_entry = chosen;
  end

  // ---- Fills: the way is chosen while the set's rows are there.
  always_comb begin
    logic taken;
    taken = 1'b0;
    way_write = {WAYS{1'b0}};
    if (was_kind == READ_FILL) begin
      for (int w = 0; w < WAYS; w = w + 1)
        if (way_same[w] && !taken) begin
          way_write[w] = 1'b1;
          taken = 1'b1;
        end
      for (int w = 0; w < WAYS; w = w + 1)
        if (!way_valid[w] && !taken) begin
          way_write[w] = 1'b1;
          taken = 1'b1;
        end
      if (!taken) way_write = turn;
    end
  end

  // ---- Sizes that outlive an invalidation.
  always_comb begin
    survivors = found;
    if (was_kind == READ_SWEEP)
      for (int w = 0; w < WAYS; w = w + 1) if (way_stays[w]) survivors[way_size[w*2+:2]] = 1'b1;
  end
  assign inv_done = (was_kind == READ_SWEEP && sweep_ends) || inv_empty;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      present <= 4'd0;
      active <= 1'b0;
      to_probe <= 4'd0;
      was_kind <= READ_NONE;
      was_set <= {SET_BITS{1'b0}};
      was_size <= 2'd0;
      turn <= WAYS'(1);
      sweeping <= 1'b0;
      sweep_set <= {SET_BITS{1'b0}};
      sweep_ends <= 1'b0;
      found <= 4'd0;
      inv_empty <= 1'b0;
    end else begin
      was_kind <= read_kind;
      was_set <= read_set;
      was_size <= probe_size;
      sweep_ends <= sweeping && sweep_set == LAST_SET;

      if (lk_done) begin
        active <= 1'b0;
      end else if (lk_start) begin
        active <= 1'b1;
        to_probe <= present;
      end else if (read_kind == READ_LOOKUP) begin
        to_probe[probe_size] <= 1'b0;
      end

      if (was_kind == READ_FILL) begin
        present[fill_row[SIZE_AT+1:SIZE_AT]] <= 1'b1;
        if (way_write == turn) turn <= turn[WAYS-1] ? WAYS'(1) : turn << 1;
      end

      inv_empty <= inv_start && !inv_empty && !sweeping && was_kind != READ_FILL && was_kind != READ_SWEEP &&
                   present == 4'd0;
      if (sweeping) begin
        sweep_set <= sweep_set + 1'b1;
        if (sweep_set == LAST_SET) sweeping <= 1'b0;
      end else if (inv_start && was_kind != READ_FILL && was_kind != READ_SWEEP && present != 4'd0) begin
        sweeping <= 1'b1;
        sweep_set <= {SET_BITS{1'b0}};
        found <= 4'd0;
      end
      if (was_kind == READ_SWEEP) begin
        found <= survivors;
        if (sweep_ends) present <= survivors;
      end
    end
  end

  always_ff @(posedge clk) begin
    if (read_kind == READ_FILL)
      fill_row <= {fill_tag, fill_va[smmu_pkg::VA_BITS-1:12] & size_mask(fill_entry.size), fill_entry.size, fill_global,
                   fill_reach, fill_tg, fill_level, fill_entry};
  end

endmodule
