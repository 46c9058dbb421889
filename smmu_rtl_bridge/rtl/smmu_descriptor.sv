// SPDX-License-Identifier: Apache-2.0

// What one translation table descriptor says to a walk: combinational, and quiet while `enable` is low. `at2`, `cls` and
// `level` tell where the walk stands, `limits` what the tables above said, `ipa` what stage 2 translates.
// VMSAv8-64, as the processor architecture has it; sections "Translation table walks", "Permissions".
module smmu_descriptor (
    input  logic             enable,
    input  logic [63:0]      answer,
    input  smmu_pkg::walk_t  walk,
    input  logic             at2,
    input  logic [1:0]       cls,
    input  logic [1:0]       level,
    input  logic [3:0]       limits,
    input  logic [47:0]      ipa,
    output logic             is_leaf,
    output logic             is_table,       // neither: it gives a translation fault
    output logic [47:0]      out,            // address of the page, block or next table
    output logic             out_beyond,     // above the output size
    output logic [47:0]      low,            // address bits inside the leaf
    output logic [5:0]       reach,          // log2 of what the leaf stands for
    output logic [5:0]       perms,          // {x, w, r} privileged, {x, w, r} unprivileged
    output logic             no_access,      // F_ACCESS
    output logic             no_permission,  // F_PERMISSION
    output logic             only_read,      // what is missing of an atomic access is to read
    output smmu_pkg::attr_t  attr1,          // of a leaf of stage 1
    output logic             is_global,
    output logic [3:0]       memattr2,       // of a leaf of stage 2
    output logic [1:0]       sh,
    output logic [3:0]       table_limits    // of a table of stage 1
);

  logic        endi;
  logic [63:0] d;
  logic [1:0]  tg;
  logic [2:0]  limit;        // code of the largest output
  logic [5:0]  shift;
  logic        is_block;
  logic [5:0]  group;        // log2 of the region of neighbours that the contiguous hint names
  logic        two_halves;
  logic [5:0]  need;
  logic [5:0]  missing;
  logic        device2;
  logic [7:0]  mair_byte;
  logic [47:0] input_address;
  logic        can_write;
  logic        user;
  logic        user_write;
  logic        unused;

  assign unused = ^{d, walk};
  assign two_halves = walk.tag.world != smmu_pkg::WORLD_EL2;
  assign only_read = walk.need_r && walk.need_w && (missing & 6'b110110) == 6'd0 && missing != 6'd0;
  assign attr1 = smmu_pkg::attr_from_mair(mair_byte, d[9:8]);
  assign is_global = two_halves && !d[11];
  assign memattr2 = d[5:2];
  assign sh = d[9:8];
  assign table_limits = {d[59], d[60], d[62], d[61]};

  always_comb begin
    endi = at2 ? walk.s2.endi : walk.endi;
    tg = at2 ? walk.s2.tg : walk.half.tg;
    limit = at2 ? walk.s2.ps : walk.ips;
    d = 64'd0;
    shift = 6'd0;
    is_leaf = 1'b0;
    is_table = 1'b0;
    is_block = 1'b0;
    out = 48'd0;
    out_beyond = 1'b0;
    group = 6'd0;
    reach = 6'd0;
    perms = 6'd0;
    need = 6'd0;
    missing = 6'd0;
    device2 = 1'b0;
    no_access = 1'b0;
    no_permission = 1'b0;
    mair_byte = 8'd0;
    low = 48'd0;
    input_address = 48'd0;
    can_write = 1'b0;
    user = 1'b0;
    user_write = 1'b0;
    if (enable) begin
      d = endi ? {answer[7:0], answer[15:8], answer[23:16], answer[31:24], answer[39:32], answer[47:40],
                  answer[55:48], answer[63:56]}
               : answer;
      shift = smmu_pkg::level_shift(tg, level);
      low = smmu_pkg::low48(shift);
      input_address = at2 ? ipa : walk.va[47:0];
      is_block = level == 2'd2 || (level == 2'd1 && tg == smmu_pkg::TG_4K);
      is_leaf = d[0] && (level == 2'd3 ? d[1] : !d[1] && is_block);
      is_table = d[0] && d[1] && level != 2'd3;
      out = {d[47:12], 12'd0} & ~smmu_pkg::low48(is_leaf ? shift : smmu_pkg::level_shift(tg, 2'd3));
      out_beyond = smmu_pkg::beyond(out, limit);
      // The hint counts where the outputs can be neighbours too, all of them within the output size.
      group = shift + (tg == smmu_pkg::TG_4K ? 6'd4 : tg == smmu_pkg::TG_16K ? (level == 2'd3 ? 6'd7 : 6'd5)
                       : level[1] ? 6'd5 : 6'd0);
      reach = d[52] && group <= smmu_pkg::size_bits(limit) &&
                      ((out ^ input_address) & smmu_pkg::low48(group) &
                       ~low) == 48'd0
              ? group : shift;
      no_access = !d[10] && !(at2 ? walk.s2.affd : walk.affd);
      need = 6'd0;
      if (at2) begin
        // S2AP and XN[1:0].
        perms = {d[54] == d[53], d[7], d[6], !d[54], d[7], d[6]};
        if (cls == smmu_pkg::CLASS_IN)
          need = walk.need_priv ? {walk.need_x, walk.need_w, walk.need_r, 3'd0} : {3'd0, walk.need_x, walk.need_w, walk.need_r};
        else need = 6'b001000;
        device2 = smmu_pkg::stage2_device(walk.s2.fwb, d[5:2]);
        missing = need & ~perms;
        no_permission = missing != 6'd0 || (cls != smmu_pkg::CLASS_IN && walk.s2.ptw && device2);
      end else begin
        can_write = !d[7] && !limits[1];
        if (!two_halves) begin
          perms[2:0] = {!d[54] && !limits[2] && !(walk.wxn && can_write), can_write, 1'b1};
          perms[5:3] = perms[2:0];
        end else begin
          user = d[6] && !limits[0];
          user_write = user && can_write;
          perms[2:0] = {!d[54] && !limits[2] && !(walk.wxn && user_write), user_write, user};
          perms[5] = !d[53] && !limits[3] && !user_write && !(walk.wxn && can_write);
          perms[4:3] = walk.pan && user ? 2'd0 : {can_write, 1'b1};
        end
        need = walk.need_priv ? {walk.need_x, walk.need_w, walk.need_r, 3'd0} : {3'd0, walk.need_x, walk.need_w, walk.need_r};
        missing = need & ~perms;
        no_permission = missing != 6'd0;
        mair_byte = walk.mair[{d[4:2], 3'd0}+:8];
      end
    end
  end

endmodule
