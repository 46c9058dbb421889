// SPDX-License-Identifier: Apache-2.0

// The way of a transaction through translation: configuration, TLB, and where these miss, the configuration fetch or the
// walker. One transaction at a time is looked at, for a few clocks; those that wait for memory are set aside, so a hit
// passes the misses before it.
//
// A transaction comes by new_valid (always taken) with its slot, and leaves by res_valid, one clock, in any order. It is
// looked at again after what it waited for: a structure, a walk for the same page, or a free context of the walker. A walk
// answers the transaction that began it directly, whatever the TLB keeps.
//
// Faults are recorded by evt_valid/evt_ready before the transaction's result is given. quiesce_done follows quiesce_req
// once everything that came before is translated. Sections "Fault models, recording and reporting", "Attribute
// Transformation", "STE", "Substreams".
module smmu_translate #(
    parameter int SSID_BITS = 20,
    parameter int OAS_CODE = 5,
    parameter int TRANSACTIONS = 32,
    parameter int WALKS = 8
) (
    input  logic                           clk,
    input  logic                           rst_n,
    input  smmu_pkg::regs_t                regs,
    input  logic                           new_valid,
    input  logic [smmu_pkg::SLOT_BITS-1:0] new_slot,
    input  smmu_pkg::access_t              new_access,
    output logic                           res_valid,
    output logic [smmu_pkg::SLOT_BITS-1:0] res_slot,
    output logic [1:0]                     res_kind,
    output logic [63:0]                    res_address,
    output smmu_pkg::attr_t                res_attr,
    output logic                           res_privileged,
    output logic                           res_instruction,
    output logic                           evt_valid,
    input  logic                           evt_ready,
    output logic [255:0]                   evt_rec,
    // Caches of configuration.
    output logic                           ste_lookup,
    output logic [31:0]                    ste_lookup_sid,
    input  logic                           ste_ready,
    input  logic                           ste_hit,
    input  smmu_pkg::ste_t                 ste_data,
    output logic                           cd_lookup,
    output logic [31:0]                    cd_lookup_sid,
    output logic [19:0]                    cd_lookup_index,
    input  logic                           cd_ready,
    input  logic                           cd_hit,
    input  smmu_pkg::cd_t                  cd_data,
    // The configuration fetch.
    output logic                           fetch_valid,
    input  logic                           fetch_ready,
    output logic                           fetch_for_cd,
    output logic [31:0]                    fetch_sid,
    output logic [19:0]                    fetch_index,
    output smmu_pkg::ste_t                 fetch_ste,
    output logic [1:0]                     fetch_world,
    input  logic                           fetch_done,
    output logic                           fetch_taken,
    input  smmu_pkg::fault_t               fetch_fault,
    // The TLB.
    output logic                           lk_start,
    input  logic                           lk_busy,
    output smmu_pkg::tag_t                 lk_tag,
    output logic [smmu_pkg::VA_BITS-1:0]   lk_va,
    input  logic                           lk_done,
    input  logic                           lk_hit,
    input  smmu_pkg::entry_t               lk_entry,
    // The walker.
    output logic                           walk_valid,
    input  logic                           walk_ready,
    output smmu_pkg::walk_t                walk,
    input  logic                           walked,
    output logic                           walked_taken,
    input  smmu_pkg::walk_t                walked_walk,
    input  smmu_pkg::entry_t               walked_entry,
    input  smmu_pkg::fault_t               walked_fault,
    input  logic                           quiesce_req,
    output logic                           quiesce_done,
    output logic                           idle
);

  localparam logic [3:0] T_IDLE = 4'd0;     // choose what to do; the stream table entry is looked up
  localparam logic [3:0] T_STE = 4'd1;
  localparam logic [3:0] T_CD = 4'd2;
  localparam logic [3:0] T_TLB = 4'd3;
  localparam logic [3:0] T_PROBE = 4'd4;
  localparam logic [3:0] T_MISS = 4'd5;
  localparam logic [3:0] T_OUT = 4'd6;
  localparam logic [3:0] T_FAULT = 4'd7;
  localparam logic [3:0] T_EVENT = 4'd8;
  localparam logic [3:0] T_END = 4'd9;      // abort or zero
  localparam logic [3:0] T_WANT_CD = 4'd10; // the cache of context descriptors was busy

  localparam logic [5:0] OAS_BITS = smmu_pkg::size_bits(3'(OAS_CODE));
  // Walks that transactions can wait for: those in the walker and the one that waits to get in.
  localparam int MISSES = WALKS + 1;
  localparam int MISS_BITS = $clog2(MISSES);
  localparam int KEY_BITS = 37 + 36;
  localparam int SB = smmu_pkg::SLOT_BITS;
  localparam int INDEX_BITS = $clog2(TRANSACTIONS);

  logic [3:0]          state;
  logic [SB-1:0]       slot;
  smmu_pkg::access_t   a;
  smmu_pkg::ste_t      e;
  smmu_pkg::cd_t       c;
  smmu_pkg::half_t     half;
  logic                has_cd;
  smmu_pkg::tag_t      tag;
  logic [smmu_pkg::VA_BITS-1:0] va;
  logic                in_stage2;
  logic                need_priv;
  smmu_pkg::attr_t     attr;          // input attributes, overrides applied
  logic                privileged;    // as they go downstream
  logic                instruction;
  smmu_pkg::entry_t    entry;
  logic                from_entry;    // the result comes from `entry`
  smmu_pkg::fault_t    fault;
  logic                cd_a;
  logic                cd_r;
  logic                s2r;
  logic [1:0]          end_kind;

  // ---- Transactions, and which of them wants what.
  localparam int ACCESS_BITS = $bits(a);
  logic [ACCESS_BITS-1:0]  accesses [0:TRANSACTIONS-1];
  logic [SB-1:0]           fifo [0:TRANSACTIONS-1];
  logic [INDEX_BITS:0]     fifo_in;
  logic [INDEX_BITS:0]     fifo_out;
  logic [TRANSACTIONS-1:0] again;          // to be looked at again
  logic [TRANSACTIONS-1:0] wants_fetch;    // waits until the configuration fetch is free
  logic [TRANSACTIONS-1:0] wants_walk;     // waits until the walker takes more
  logic [TRANSACTIONS-1:0] untranslated;
  logic [TRANSACTIONS-1:0] quiescing;
  logic                    quiesce_seen;
  logic                    first_valid;    // goes before all others: what it waited for has just come
  logic [SB-1:0]           first_slot;
  logic [SB-1:0]           fetch_slot;     // that the configuration fetch works for
  logic                    fetch_s2r;
  logic                    fetch_privileged;
  logic                    fetch_instruction;

  logic                    any_again;
  logic [SB-1:0]           again_slot;
  logic                    chosen_valid;
  logic [SB-1:0]           chosen_slot;
  logic                    choose_lookup;
  smmu_pkg::access_t       chosen;

  always_comb begin
    any_again = 1'b0;
    again_slot = {SB{1'b0}};
    if (state == T_IDLE && again != {TRANSACTIONS{1'b0}}) begin
      any_again = 1'b1;
      for (int i = TRANSACTIONS - 1; i >= 0; i = i - 1) if (again[i]) again_slot = SB'(i);
    end
  end

  assign chosen_valid = first_valid || any_again || fifo_in != fifo_out;
  assign walked_taken = state == T_IDLE && walked;
  assign fetch_taken = state == T_IDLE && fetch_done && !walked;
  assign choose_lookup = state == T_IDLE && chosen_valid && !walked && !fetch_done && ste_ready;
  assign chosen_slot = walked ? walked_walk.slot
                       : fetch_done ? fetch_slot
                       : first_valid ? first_slot : any_again ? again_slot : fifo[fifo_out[INDEX_BITS-1:0]];
  always_comb begin
    chosen = {ACCESS_BITS{1'b0}};
    if (state == T_IDLE && (chosen_valid || walked || fetch_done))
      chosen = accesses[chosen_slot[INDEX_BITS-1:0]];
  end
  assign ste_lookup = choose_lookup;
  assign ste_lookup_sid = chosen.sid;

  // ---- What the entry says of the transaction in `a`.
  logic       eff_priv;
  logic       eff_instr;
  logic       is_read;
  logic       need_r;
  logic       need_w;
  logic       need_x;
  logic       substreams;
  logic       skips_stage1;
  logic       uses_cd;
  logic       uses_stage2;
  logic       above_oas;
  logic [7:0] ste_event;
  logic [1:0] world;
  logic [9:0] pins;
  logic [9:0] in_attr;
  logic       no_override;

  assign is_read = !a.write && !a.atomic;
  assign need_w = !is_read;
  assign need_x = instruction;
  assign need_r = !instruction && (!a.write || a.atomic);
  assign above_oas = (a.address >> OAS_BITS) != 64'd0;
  assign world = ste_data.cfg[1] || !ste_data.strw[1] ? smmu_pkg::WORLD_EL1
                 : regs.e2h ? smmu_pkg::WORLD_EL2_E2H : smmu_pkg::WORLD_EL2;

  always_comb begin
    eff_priv = 1'b0;
    eff_instr = 1'b0;
    substreams = 1'b0;
    skips_stage1 = 1'b0;
    uses_cd = 1'b0;
    uses_stage2 = 1'b0;
    ste_event = smmu_pkg::EVT_NONE;
    pins = 10'd0;
    in_attr = 10'd0;
    no_override = 1'b0;
    if (state == T_STE) begin
      pins = smmu_pkg::attr_from_mair(a.mair, a.sh);
      if (!regs.smmuen) begin
        eff_priv = smmu_pkg::overridden(a.privileged, regs.gbpa_privcfg);
        eff_instr = is_read && smmu_pkg::overridden(a.instruction, regs.gbpa_instcfg);
        in_attr = smmu_pkg::attr_replace(pins, regs.gbpa_memattr, regs.gbpa_mtcfg, regs.gbpa_alloccfg,
                                         regs.gbpa_shcfg);
      end else begin
        eff_priv = smmu_pkg::overridden(a.privileged, ste_data.privcfg);
        eff_instr = is_read && smmu_pkg::overridden(a.instruction, ste_data.instcfg);
        no_override = !ste_data.over.mtcfg && ste_data.over.shcfg == 2'd1 && !ste_data.over.alloccfg[3];
        in_attr = no_override ? pins
                  : smmu_pkg::attr_replace(pins, ste_data.over.memattr, ste_data.over.mtcfg, ste_data.over.alloccfg,
                                           ste_data.over.shcfg);
        uses_stage2 = ste_data.cfg[1];
        substreams = SSID_BITS != 0 && ste_data.cfg[0] && ste_data.cdmax != 5'd0;
        skips_stage1 = substreams && !a.ssv && ste_data.s1dss == 2'd1;
        uses_cd = ste_data.cfg[0] && !skips_stage1;
        if (ste_data.broken) begin
          ste_event = smmu_pkg::C_BAD_STE;
        end else if (a.ssv) begin
          if (!substreams || ({12'd0, a.ssid} >> ste_data.cdmax) != 32'd0) ste_event = smmu_pkg::C_BAD_SUBSTREAMID;
          else if (ste_data.s1dss == 2'd2 && a.ssid == 20'd0) ste_event = smmu_pkg::F_STREAM_DISABLED;
        end else if (substreams && (ste_data.s1dss == 2'd0 || ste_data.s1dss == 2'd3)) begin
          ste_event = smmu_pkg::F_STREAM_DISABLED;
        end
      end
    end
  end

  // Which kind of end the entry leads to, in the order in which the architecture asks.
  logic go_silent;
  logic go_forbidden;
  logic go_pass;
  logic go_fetch;
  logic go_event;
  logic go_size;
  logic go_cd;

  always_comb begin
    go_silent = 1'b0;
    go_forbidden = 1'b0;
    go_pass = 1'b0;
    go_fetch = 1'b0;
    go_event = 1'b0;
    go_size = 1'b0;
    go_cd = 1'b0;
    if (state == T_STE) begin
      if (!regs.smmuen) begin
        if (a.translated) go_forbidden = 1'b1;
        else if (regs.gbpa_abort || above_oas) go_silent = 1'b1;
        else go_pass = 1'b1;
      end else if (a.translated) begin
        go_silent = 1'b1;                     // there is no ATS
      end else if (!ste_hit) begin
        go_fetch = 1'b1;
      end else if (!ste_data.broken && !ste_data.cfg[2]) begin
        go_silent = 1'b1;
      end else if (ste_event != smmu_pkg::EVT_NONE) begin
        go_event = 1'b1;
      end else if (uses_cd) begin
        go_cd = 1'b1;
      end else if (above_oas) begin
        go_size = 1'b1;
      end else if (!uses_stage2) begin
        go_pass = 1'b1;
      end
    end
  end

  assign cd_lookup = (go_cd || state == T_WANT_CD) && cd_ready;
  assign cd_lookup_sid = a.sid;
  assign cd_lookup_index = a.ssv ? a.ssid : 20'd0;

  assign fetch_for_cd = state == T_CD;
  assign fetch_sid = a.sid;
  assign fetch_index = cd_lookup_index;
  assign fetch_ste = e;
  assign fetch_world = tag.world;
  assign fetch_valid = go_fetch || (state == T_CD && !cd_hit);

  // ---- Which half of the address space, and whether the address is in it.
  logic            upper;
  smmu_pkg::half_t cd_half;
  logic [63:0]     canonical;
  logic            outside;

  always_comb begin
    upper = 1'b0;
    cd_half = {$bits(cd_half) {1'b0}};
    canonical = 64'd0;
    outside = 1'b0;
    if (state == T_CD) begin
      upper = tag.world != smmu_pkg::WORLD_EL2 && a.address[55];
      cd_half = upper ? cd_data.half1 : cd_data.half0;
      canonical = cd_half.tbi ? {{8{upper}}, a.address[55:0]} : a.address;
      outside = cd_half.epd || ((canonical ^ {64{upper}}) >> (6'd0 - cd_half.tsz)) != 64'd0;
    end
  end

  // ---- The TLB.
  logic [5:0] need;
  assign lk_start = state == T_TLB && !lk_busy;
  assign lk_tag = tag;
  assign lk_va = va;
  assign need = need_priv ? {need_x, need_w, need_r, 3'd0} : {3'd0, need_x, need_w, need_r};

  // ---- Walks that transactions wait for.
  logic [KEY_BITS-1:0]     miss_key [0:MISSES-1];
  logic [SB-1:0]           miss_slot [0:MISSES-1];
  logic [TRANSACTIONS-1:0] miss_waiters [0:MISSES-1];
  logic [MISSES-1:0]       miss_valid;
  logic [KEY_BITS-1:0]     key;
  logic [MISSES-1:0]       same_page;
  logic [MISSES-1:0]       over_now;
  logic [TRANSACTIONS-1:0] released;
  logic [MISS_BITS-1:0]    free_miss;
  logic                    walk_full;     // `walk` holds a request that the walker has not taken

  always_comb begin
    key = {KEY_BITS{1'b0}};
    same_page = {MISSES{1'b0}};
    free_miss = {MISS_BITS{1'b0}};
    if (state == T_MISS) begin
      key = {va[smmu_pkg::VA_BITS-1:12], tag};
      for (int i = 0; i < MISSES; i = i + 1) begin
        same_page[i] = miss_valid[i] && miss_key[i] == key;
        if (!miss_valid[i]) free_miss = MISS_BITS'(i);
      end
    end
  end
  always_comb begin
    over_now = {MISSES{1'b0}};
    released = {TRANSACTIONS{1'b0}};
    if (walked_taken) begin
      for (int i = 0; i < MISSES; i = i + 1)
        if (miss_valid[i] && miss_slot[i] == walked_walk.slot) begin
          over_now[i] = 1'b1;
          released = released | miss_waiters[i];
        end
    end
  end
  assign walk_valid = walk_full;

  // What is to be looked at again: less what is looked at now, more what need no longer wait.
  logic [TRANSACTIONS-1:0] again_n;
  always_comb begin
    again_n = again;
    if (choose_lookup && !first_valid && any_again) again_n[again_slot[INDEX_BITS-1:0]] = 1'b0;
    if (walked_taken || (walk_full && walk_ready)) again_n = again_n | released | wants_walk;
    if (fetch_taken) again_n = again_n | wants_fetch;
  end

  // ---- Results.
  logic [63:0] out_address;
  logic [9:0]  out_attr;
  logic [9:0]  first_attr;

  always_comb begin
    out_address = a.address;
    out_attr = 10'd0;
    first_attr = 10'd0;
    if (state == T_OUT) begin
      first_attr = attr;
      if (from_entry) begin
        if (entry.stage1) first_attr = smmu_pkg::attr_with_hints(entry.attr1, attr.mair);
        out_address = {16'd0, entry.page, a.address[11:0]};
        if (entry.size >= 2'd1) out_address[15:12] = a.address[15:12];
        if (entry.size >= 2'd2) out_address[20:16] = a.address[20:16];
        if (entry.size == 2'd3) out_address[29:21] = a.address[29:21];
      end
      out_attr = from_entry && entry.stage2
                 ? smmu_pkg::attr_stage2(first_attr, entry.fwb, entry.memattr2, entry.sh2)
                 : smmu_pkg::attr_consistent(first_attr);
    end
  end

  assign res_valid = state == T_OUT || state == T_END;
  assign res_slot = slot;
  assign res_kind = state == T_OUT ? smmu_pkg::RESULT_PASS : end_kind;
  assign res_address = out_address;
  assign res_attr = out_attr;
  assign res_privileged = privileged;
  assign res_instruction = instruction;

  // ---- Event records; section "Event records".
  logic        related;     // F_TRANSLATION, F_ADDR_SIZE, F_ACCESS or F_PERMISSION
  logic        recorded;
  logic        rnw;
  logic [63:0] rec0;
  logic [63:0] rec1;
  logic [63:0] rec2;
  logic [63:0] rec3;

  always_comb begin
    related = fault.kind[4];
    recorded = related ? (fault.stage2 ? s2r : !has_cd || cd_r)
                       : fault.kind != smmu_pkg::C_BAD_STREAMID || regs.recinvsid;
    rnw = is_read;
    rec0 = 64'd0;
    rec1 = 64'd0;
    rec2 = 64'd0;
    rec3 = 64'd0;
    if (state == T_EVENT) begin
      if (a.atomic && fault.kind == smmu_pkg::F_PERMISSION && fault.cls == smmu_pkg::CLASS_IN) rnw = fault.only_read;
      rec0 = {a.sid, 24'd0, fault.kind};
      if (a.ssv && fault.kind != smmu_pkg::F_STREAM_DISABLED && fault.kind != smmu_pkg::F_TRANSL_FORBIDDEN) begin
        rec0[31:12] = a.ssid;
        rec0[11] = fault.kind != smmu_pkg::C_BAD_SUBSTREAMID;
      end
      if (related || fault.kind == smmu_pkg::F_WALK_EABT) begin
        rec1[33] = privileged;
        rec1[34] = instruction;
        rec1[35] = rnw;
        rec1[39] = fault.stage2;
        rec1[41:40] = fault.cls;
        rec1[44] = fault.kind == smmu_pkg::F_PERMISSION && fault.cls == smmu_pkg::CLASS_TT && fault.ttrnw;
        rec2 = a.address;
        if (related && fault.stage2) rec3[47:12] = fault.ipa[47:12];
      end
      if (fault.kind == smmu_pkg::F_TRANSL_FORBIDDEN) begin
        rec1[35] = rnw;
        rec2 = a.address;
      end
      if (fault.kind == smmu_pkg::F_STE_FETCH || fault.kind == smmu_pkg::F_CD_FETCH ||
          fault.kind == smmu_pkg::F_WALK_EABT)
        rec3[47:3] = fault.fetch[47:3];
    end
  end
  assign evt_valid = state == T_EVENT;
  assign evt_rec = {rec3, rec2, rec1, rec0};

  // ---- The sequence.
  logic [TRANSACTIONS-1:0] slot_bit;
  assign slot_bit = {{(TRANSACTIONS - 1) {1'b0}}, 1'b1} << slot;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      state <= T_IDLE;
      slot <= {SB{1'b0}};
      fifo_in <= {(INDEX_BITS + 1) {1'b0}};
      fifo_out <= {(INDEX_BITS + 1) {1'b0}};
      again <= {TRANSACTIONS{1'b0}};
      wants_fetch <= {TRANSACTIONS{1'b0}};
      wants_walk <= {TRANSACTIONS{1'b0}};
      untranslated <= {TRANSACTIONS{1'b0}};
      first_valid <= 1'b0;
      miss_valid <= {MISSES{1'b0}};
      walk_full <= 1'b0;
      has_cd <= 1'b0;
    end else begin
      if (new_valid) begin
        fifo_in <= fifo_in + 1'b1;
        untranslated[new_slot[INDEX_BITS-1:0]] <= 1'b1;
      end
      if (walk_full && walk_ready) begin
        walk_full <= 1'b0;
        wants_walk <= {TRANSACTIONS{1'b0}};
      end
      again <= again_n;

      case (state)
        T_IDLE: begin
          if (chosen_valid || walked || fetch_done) begin
            slot <= chosen_slot;
            a <= chosen;
            has_cd <= 1'b0;
            from_entry <= 1'b0;
            fault <= {$bits(fault) {1'b0}};
          end
          if (walked) begin
            attr <= walked_walk.attr;
            privileged <= walked_walk.privileged;
            instruction <= walked_walk.instruction;
            has_cd <= walked_walk.stage1;
            cd_a <= walked_walk.cd_a;
            cd_r <= walked_walk.cd_r;
            s2r <= walked_walk.s2r;
            entry <= walked_entry;
            from_entry <= 1'b1;
            fault <= walked_fault;
            miss_valid <= miss_valid & ~over_now;
            wants_walk <= {TRANSACTIONS{1'b0}};
            state <= walked_fault.kind != smmu_pkg::EVT_NONE ? T_FAULT : T_OUT;
          end else if (fetch_done) begin
            wants_fetch <= {TRANSACTIONS{1'b0}};
            privileged <= fetch_privileged;
            instruction <= fetch_instruction;
            s2r <= fetch_s2r;
            fault <= fetch_fault;
            if (fetch_fault.kind != smmu_pkg::EVT_NONE) begin
              state <= T_FAULT;
            end else begin
              first_valid <= 1'b1;
              first_slot <= fetch_slot;
            end
          end else if (choose_lookup) begin
            if (first_valid) first_valid <= 1'b0;
            else if (!any_again) fifo_out <= fifo_out + 1'b1;
            state <= T_STE;
          end
        end

        T_STE: begin
          e <= ste_data;
          attr <= in_attr;
          privileged <= eff_priv;
          instruction <= eff_instr;
          s2r <= ste_data.s2r;
          in_stage2 <= uses_stage2;
          need_priv <= eff_priv;
          tag.virt <= uses_cd;
          tag.world <= uses_cd ? world : smmu_pkg::WORLD_EL1;
          tag.vmid <= uses_cd && world != smmu_pkg::WORLD_EL1 ? 16'd0 : ste_data.s2.vmid;
          tag.aset <= 1'b0;
          tag.asid <= 16'd0;
          va <= {1'b0, a.address[47:0]};
          end_kind <= smmu_pkg::RESULT_ABORT;
          fault.cls <= smmu_pkg::CLASS_IN;
          if (go_silent) begin
            state <= T_END;
          end else if (go_pass) begin
            state <= T_OUT;
          end else if (go_forbidden || go_event || go_size) begin
            fault.kind <= go_forbidden ? smmu_pkg::F_TRANSL_FORBIDDEN : go_size ? smmu_pkg::F_ADDR_SIZE : ste_event;
            state <= T_FAULT;
          end else if (go_fetch) begin
            if (fetch_ready) fetch_slot <= slot;
            else wants_fetch[slot[INDEX_BITS-1:0]] <= 1'b1;
            state <= T_IDLE;
          end else if (go_cd) begin
            state <= cd_ready ? T_CD : T_WANT_CD;
          end else begin
            state <= T_TLB;
          end
        end

        T_WANT_CD: if (cd_ready) state <= T_CD;

        T_CD: begin
          has_cd <= 1'b1;
          c <= cd_data;
          half <= cd_half;
          tag.aset <= cd_data.aset;
          tag.asid <= cd_data.asid;
          va <= {upper, canonical[47:0]};
          cd_a <= cd_data.a;
          cd_r <= cd_data.r;
          need_priv <= privileged || tag.world == smmu_pkg::WORLD_EL2;
          if (!cd_hit) begin
            if (fetch_ready) begin
              fetch_slot <= slot;
              fetch_s2r <= s2r;
              fetch_privileged <= privileged;
              fetch_instruction <= instruction;
            end else begin
              wants_fetch[slot[INDEX_BITS-1:0]] <= 1'b1;
            end
            state <= T_IDLE;
          end else if (cd_data.broken) begin
            fault.kind <= smmu_pkg::C_BAD_CD;
            state <= T_FAULT;
          end else if (outside) begin
            fault.kind <= smmu_pkg::F_TRANSLATION;
            state <= T_FAULT;
          end else begin
            state <= T_TLB;
          end
        end

        T_TLB: if (lk_start) state <= T_PROBE;

        T_PROBE: begin
          entry <= lk_entry;
          from_entry <= 1'b1;
          // What a hit does not permit is walked for: the tables may say more now.
          if (lk_done) state <= lk_hit && (need & ~lk_entry.perms) == 6'd0 ? T_OUT : T_MISS;
        end

        T_MISS: begin
          state <= T_IDLE;
          if (same_page != {MISSES{1'b0}}) begin
            for (int i = 0; i < MISSES; i = i + 1) if (same_page[i]) miss_waiters[i] <= miss_waiters[i] | slot_bit;
          end else if (walk_full || (&miss_valid)) begin
            wants_walk[slot[INDEX_BITS-1:0]] <= 1'b1;
          end else begin
            walk_full <= 1'b1;
            miss_valid[free_miss] <= 1'b1;
            miss_slot[free_miss] <= slot;
            miss_waiters[free_miss] <= {TRANSACTIONS{1'b0}};
          end
        end

        T_FAULT: begin
          end_kind <= related && !fault.stage2 && has_cd && !cd_a ? smmu_pkg::RESULT_ZERO : smmu_pkg::RESULT_ABORT;
          state <= recorded ? T_EVENT : T_END;
        end

        T_EVENT: if (evt_ready) state <= T_END;

        default: state <= T_IDLE;  // T_OUT, T_END
      endcase

      if (res_valid) untranslated[slot[INDEX_BITS-1:0]] <= 1'b0;
    end
  end

  always_ff @(posedge clk) begin
    if (new_valid) begin
      accesses[new_slot[INDEX_BITS-1:0]] <= new_access;
      fifo[fifo_in[INDEX_BITS-1:0]] <= new_slot;
    end
    if (state == T_MISS && !walk_full) begin
      miss_key[free_miss] <= key;
      walk.for_config <= 1'b0;
      walk.slot <= slot;
      walk.stage1 <= has_cd;
      walk.stage2 <= in_stage2;
      walk.need_r <= need_r;
      walk.need_w <= need_w;
      walk.need_x <= need_x;
      walk.need_priv <= need_priv;
      walk.va <= va;
      walk.tag <= tag;
      walk.half <= half;
      walk.endi <= c.endi;
      walk.ips <= c.ips;
      walk.affd <= c.affd;
      walk.wxn <= c.wxn;
      walk.pan <= c.pan;
      walk.mair <= c.mair;
      walk.s2 <= e.s2;
      walk.attr <= attr;
      walk.privileged <= privileged;
      walk.instruction <= instruction;
      walk.cd_a <= cd_a;
      walk.cd_r <= cd_r;
      walk.s2r <= s2r;
    end
  end

  // ---- Changes of control wait for what came before them.
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      quiescing <= {TRANSACTIONS{1'b0}};
      quiesce_seen <= 1'b0;
    end else begin
      quiesce_seen <= quiesce_req;
      if (quiesce_req && !quiesce_seen) quiescing <= untranslated;
      else if (res_valid) quiescing[slot[INDEX_BITS-1:0]] <= 1'b0;
    end
  end
  assign quiesce_done = quiesce_req && quiesce_seen && quiescing == {TRANSACTIONS{1'b0}};
  assign idle = state == T_IDLE && untranslated == {TRANSACTIONS{1'b0}};

  logic unused;
  assign unused = ^{regs, c, e, entry, fault, chosen, chosen_slot, walked_walk, new_slot, slot};

endmodule
