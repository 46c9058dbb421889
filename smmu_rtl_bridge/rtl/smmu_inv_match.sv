// SPDX-License-Identifier: Apache-2.0

// Whether an invalidation reaches one cached translation or pointer to a table; combinational, quiet while `enable` is
// low. `reach` is log2 of the region that the entry stands for as far as invalidations are concerned: its whole leaf,
// or all of the table that it points into. Pointers look at neither granule nor level, and Leaf spares them.
// Section "TLB invalidation", and "Range-based invalidation and level hint".
module smmu_inv_match (
    input  logic                  enable,
    input  smmu_pkg::inv_t        inv,
    input  smmu_pkg::tag_t        tag,
    input  logic                  is_global,
    input  logic                  pointer,
    input  logic [smmu_pkg::VA_BITS-1:0] va,
    input  logic [5:0]            reach,
    input  logic [1:0]            tg,
    input  logic [1:0]            level,
    output logic                  match
);

  logic [63:0] first;
  logic [63:0] last;
  logic [63:0] low;
  logic        unused;

  assign unused = ^{inv.kind, inv.sid_first, inv.sid_last, inv.ssid, tag.aset, 1'b0};

  always_comb begin
    match = 1'b0;
    first = 64'd0;
    last = 64'd0;
    low = 64'd0;
    if (enable) begin
      low = smmu_pkg::low_ones(reach);
      first = {{16{va[48]}}, va[47:0]} & ~low;
      last = first | low;
      match = tag.virt ? inv.virt : inv.intermediate;
      case (tag.world)
        smmu_pkg::WORLD_EL1: match = match && inv.worlds[0];
        smmu_pkg::WORLD_EL2: match = match && inv.worlds[1];
        default: match = match && inv.worlds[2];
      endcase
      if (inv.by_vmid && ((tag.vmid ^ inv.vmid) & ~inv.vmid_ignored) != 16'd0) match = 1'b0;
      if (inv.by_asid && tag.virt && (is_global ? inv.spare_global : tag.asid != inv.asid)) match = 1'b0;
      if (pointer) begin
        if (inv.leaf) match = 1'b0;
      end else begin
        if (inv.by_address && inv.tg != 2'd0 && inv.tg != tg + 2'd1) match = 1'b0;
        if (inv.by_address && inv.ttl != 2'd0 && inv.ttl != level) match = 1'b0;
      end
      if (inv.by_address && (first > inv.last || last < inv.first)) match = 1'b0;
    end
  end

endmodule
