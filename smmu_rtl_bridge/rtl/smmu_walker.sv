// SPDX-License-Identifier: Apache-2.0

// Table walks of stage 1, stage 2 and both (VMSAv8-64), WALKS of them under way at a time. Each walk has a context: what
// was asked, in one memory, and where it stands, in another. One engine works on the context whose descriptor has come,
// until that walk reads memory again, which takes a few clocks; so while memory takes long, the walks overlap.
//
// Walks come by req_valid/req_ready. Results leave by done_valid/done_ready, in any order, with what was asked; a fault where done_fault.kind is not zero. Walks for the configuration fetch are answered by config_done, one
// clock, instead. What may be kept goes to the TLB by fill_valid/fill_ready before the result is shown; nothing is kept
// of walks that were under way while an invalidation ran (`inv_busy`).
//
// Pointers to stage 1 tables of levels 1 to 3 are kept, and stage 2 translations of tables' addresses; S2_CACHE_ENTRIES =
// 0 and WALK_CACHE_ENTRIES = 0 leave the caches out. Their invalidation: hold inv_start, inv_done is high for one clock.
// Sections "Translation table walks", "Fault models, recording and reporting".
module smmu_walker #(
    parameter int WALKS = 8,
    parameter int WALK_CACHE_ENTRIES = 16,
    parameter int S2_CACHE_ENTRIES = 64
) (
    input  logic                     clk,
    input  logic                     rst_n,
    input  logic                     req_valid,
    output logic                     req_ready,
    input  smmu_pkg::walk_t          req,
    output logic                     rd_valid,
    input  logic                     rd_ready,
    output logic [51:0]              rd_addr,
    output logic [2:0]               rd_tag,
    output smmu_pkg::attr_t          rd_attr,
    input  logic                     rsp_valid,
    input  logic [2:0]               rsp_tag,
    input  logic [63:0]              rsp_data,
    input  logic                     rsp_err,
    output logic                     done_valid,
    input  logic                     done_ready,
    output smmu_pkg::walk_t          done_walk,
    output smmu_pkg::entry_t         done_entry,
    output smmu_pkg::fault_t         done_fault,
    output logic                     config_done,
    output logic [47:0]              config_address,
    output smmu_pkg::entry_t         config_entry,
    output smmu_pkg::fault_t         config_fault,
    output logic                     fill_valid,
    input  logic                     fill_ready,
    output smmu_pkg::tag_t           fill_tag,
    output logic                     fill_global,
    output logic [smmu_pkg::VA_BITS-1:0] fill_va,
    output logic [5:0]               fill_reach,
    output logic [1:0]               fill_tg,
    output logic [1:0]               fill_level,
    output smmu_pkg::entry_t         fill_entry,
    input  logic                     inv_busy,
    input  logic                     inv_start,
    input  smmu_pkg::inv_t           inv,
    output logic                     inv_done,
    output logic [WALKS-1:0]         busy
);

  localparam logic [3:0] E_IDLE = 4'd0;       // choose a context
  localparam logic [3:0] E_START = 4'd1;      // first step of a new walk
  localparam logic [3:0] E_POINTERS = 4'd2;   // what the caches of pointers say
  localparam logic [3:0] E_PLACE1 = 4'd3;     // address of a stage 1 descriptor
  localparam logic [3:0] E_PROBE2 = 4'd4;     // look stage 2 up
  localparam logic [3:0] E_PROBED2 = 4'd5;
  localparam logic [3:0] E_PLACE2 = 4'd6;     // address of a stage 2 descriptor
  localparam logic [3:0] E_READ = 4'd7;       // ask memory
  localparam logic [3:0] E_DECIDE = 4'd8;     // a descriptor came
  localparam logic [3:0] E_RESULT2 = 4'd9;    // stage 2 is known
  localparam logic [3:0] E_FINISH = 4'd10;    // all stages are known
  localparam logic [3:0] E_FILL = 4'd11;
  localparam logic [3:0] E_DONE = 4'd12;
  localparam logic [3:0] E_TABLE2 = 4'd13;    // first table of stage 2

  // Where a walk stands.
  typedef struct packed {
    logic        at2;        // the descriptor under way is one of stage 2
    logic [1:0]  cls;        // and what for
    logic [1:0]  level;      // of that descriptor
    logic [1:0]  level1;     // of the stage 1 descriptor
    logic [1:0]  start1;
    logic [47:0] address;    // of the table, then of the descriptor
    logic [9:0]  attr;       // attr_t of the read
    logic [47:0] ipa;        // that stage 2 translates
    logic [3:0]  limits;     // of table descriptors: {privileged execute never, user execute never, read-only, no user}
    logic [5:0]  perms1;     // result of stage 1
    logic [9:0]  attr1;
    logic [5:0]  reach1;
    logic        global1;
  } where_t;

  // What is known of stage 2 once its walk is over.
  typedef struct packed {
    logic [35:0] page;
    logic [5:0]  perms;
    logic [3:0]  memattr;
    logic [1:0]  sh;
    logic [5:0]  reach;
    logic [1:0]  level;
  } second_t;

  logic [WALKS-1:0]      ready;      // an answer has come
  logic [WALKS-1:0]      no_fill;

  logic [3:0]            state, state_n;
  // Which walk: WALKS is 8 at most, a power of two.
  localparam int CTX_BITS = WALKS > 1 ? $clog2(WALKS) : 1;
  logic [CTX_BITS-1:0]   ctx;
  smmu_pkg::walk_t       w;
  where_t                p, p_n;
  second_t               s, s_n;
  smmu_pkg::fault_t      f, f_n;
  logic [63:0]           answer;
  logic                  answer_err;

  localparam int WALK_BITS = $bits(w);
  localparam int WHERE_BITS = $bits(p);
  logic [WALK_BITS-1:0]  walks [0:WALKS-1];
  logic [WHERE_BITS-1:0] wheres [0:WALKS-1];
  logic [64:0]           answers [0:WALKS-1];

  logic                  any_ready;
  logic [CTX_BITS-1:0]   first_ready;
  logic                  any_free;
  logic [CTX_BITS-1:0]   first_free;
  logic                  take_ready;
  logic                  take_new;
  logic                  save;
  logic                  finish;

  logic [CTX_BITS-1:0]   rsp_ctx;
  logic                  unused_tag;

  assign rsp_ctx = rsp_tag[CTX_BITS-1:0];
  assign unused_tag = ^rsp_tag;

  // ---- Choosing.
  always_comb begin
    any_ready = 1'b0;
    first_ready = {CTX_BITS{1'b0}};
    any_free = 1'b0;
    first_free = {CTX_BITS{1'b0}};
    if (state == E_IDLE && (ready != {WALKS{1'b0}} || req_valid))
      for (int i = WALKS - 1; i >= 0; i = i - 1) begin
        if (ready[i]) begin
          any_ready = 1'b1;
          first_ready = CTX_BITS'(i);
        end
        if (!busy[i]) begin
          any_free = 1'b1;
          first_free = CTX_BITS'(i);
        end
      end
  end
  assign take_ready = state == E_IDLE && any_ready;
  assign req_ready = state == E_IDLE && !any_ready && any_free;
  assign take_new = req_valid && req_ready;

  // ---- Caches of pointers to stage 1 tables, one a level, and of stage 2 translations of tables' addresses.
  logic [2:0]  wc_ready;
  logic [2:0]  wc_hit;
  logic [2:0]  wc_inv_done;
  logic [2:0]  wc_inv_over;
  logic [49:0] wc_data1;
  logic [49:0] wc_data2;
  logic [49:0] wc_data3;
  logic        wc_lookup;
  logic        wc_fill;
  logic        s2_ready;
  logic        s2_hit;
  logic [55:0] s2_data;
  logic        s2_lookup;
  logic        s2_fill;
  logic        s2_inv_done;
  logic        s2_inv_over;
  smmu_pkg::tag_t tag2;
  logic [5:0]  fill_shift;
  logic [5:0]  fill_reach1;
  logic [smmu_pkg::VA_BITS-1:0] fill_wc_va;
  logic [49:0] fill_wc_data;
  logic        may_fill;

  assign may_fill = !no_fill[ctx] && !inv_busy;
  assign wc_lookup = state == E_START && w.stage1;
  assign s2_lookup = state == E_PROBE2;
  assign tag2 = {1'b0, smmu_pkg::WORLD_EL1, 1'b0, 16'd0, w.s2.vmid};
  always_comb begin
    fill_shift = 6'd0;
    fill_reach1 = 6'd0;
    fill_wc_va = {smmu_pkg::VA_BITS{1'b0}};
    if (wc_fill) begin
      fill_shift = smmu_pkg::level_shift(w.half.tg, p.level1) + 6'd9;
      fill_reach1 = smmu_pkg::level_shift(w.half.tg, p.level1) + {2'd0, smmu_pkg::stride(w.half.tg)};
      fill_wc_va = w.va & ~{1'b0, smmu_pkg::low48(fill_shift)};
    end
  end
  assign fill_wc_data = {p.limits, p.attr, p.address[47:12]};
  assign wc_fill = state == E_READ && rd_ready && !p.at2 && p.level1 != p.start1 && may_fill;
  assign s2_fill = state == E_RESULT2 && p.cls != smmu_pkg::CLASS_IN && may_fill;

  generate
    for (genvar g = 1; g <= 3; g = g + 1) begin : g_pointers
      logic [49:0] data;
      logic [5:0]  region;
      logic [smmu_pkg::VA_BITS-1:0] va;
      always_comb begin
        region = 6'd0;
        va = {smmu_pkg::VA_BITS{1'b0}};
        if (wc_lookup) begin
          region = smmu_pkg::level_shift(w.half.tg, 2'(g)) + 6'd9;
          va = w.va & ~{1'b0, smmu_pkg::low48(region)};
        end
      end
      smmu_walk_cache #(
          .ENTRIES(WALK_CACHE_ENTRIES),
          .DATA_BITS(50),
          .POINTERS(1)
      ) i_cache (
          .clk(clk),
          .rst_n(rst_n),
          .ready(wc_ready[g-1]),
          .lookup(wc_lookup),
          .lookup_region(region),
          .lookup_tag(w.tag),
          .lookup_tg(w.half.tg),
          .lookup_va(va),
          .hit(wc_hit[g-1]),
          .data(data),
          .fill(wc_fill && p.level1 == 2'(g)),
          .fill_region(fill_shift),
          .fill_tag(w.tag),
          .fill_tg(w.half.tg),
          .fill_va(fill_wc_va),
          .fill_reach(fill_reach1),
          .fill_level(p.level1),
          .fill_data(fill_wc_data),
          .inv_start(inv_start && !wc_inv_over[g-1]),
          .inv(inv),
          .inv_done(wc_inv_done[g-1])
      );
      if (g == 1) begin : g_1
        assign wc_data1 = data;
      end else if (g == 2) begin : g_2
        assign wc_data2 = data;
      end else begin : g_3
        assign wc_data3 = data;
      end
    end
  endgenerate

  smmu_walk_cache #(
      .ENTRIES(S2_CACHE_ENTRIES),
      .DATA_BITS(56),
      .POINTERS(0)
  ) i_second (
      .clk(clk),
      .rst_n(rst_n),
      .ready(s2_ready),
      .lookup(s2_lookup),
      .lookup_region(6'd12),
      .lookup_tag(tag2),
      .lookup_tg(w.s2.tg),
      .lookup_va({1'b0, p.ipa[47:12], 12'd0}),
      .hit(s2_hit),
      .data(s2_data),
      .fill(s2_fill),
      .fill_region(6'd12),
      .fill_tag(tag2),
      .fill_tg(w.s2.tg),
      .fill_va({1'b0, p.ipa[47:12], 12'd0}),
      .fill_reach(s.reach),
      .fill_level(s.level),
      .fill_data({s.page, s.perms, s.memattr, s.sh, s.reach, s.level}),
      .inv_start(inv_start && !s2_inv_over),
      .inv(inv),
      .inv_done(s2_inv_done)
  );

  assign inv_done = inv_start && (wc_inv_over | wc_inv_done) == 3'd7 && (s2_inv_over || s2_inv_done);
  always_ff @(posedge clk) begin
    if (!rst_n || !inv_start || inv_done) begin
      wc_inv_over <= 3'd0;
      s2_inv_over <= 1'b0;
    end else begin
      wc_inv_over <= wc_inv_over | wc_inv_done;
      s2_inv_over <= s2_inv_over | s2_inv_done;
    end
  end

  // ---- What the descriptor in `answer` says.
  logic        is_leaf;
  logic        is_table;
  logic [47:0] out;
  logic        out_beyond;
  logic [47:0] low;
  logic [5:0]  reach;
  logic [5:0]  perms;
  logic        no_access;
  logic        no_permission;
  logic        only_read;
  smmu_pkg::attr_t attr1;
  logic        is_global;
  logic [3:0]  memattr2;
  logic [1:0]  sh;
  logic [3:0]  table_limits;

  smmu_descriptor i_descriptor (
      .enable(state == E_DECIDE),
      .answer(answer),
      .walk(w),
      .at2(p.at2),
      .cls(p.cls),
      .level(p.level),
      .limits(p.limits),
      .ipa(p.ipa),
      .is_leaf(is_leaf),
      .is_table(is_table),
      .out(out),
      .out_beyond(out_beyond),
      .low(low),
      .reach(reach),
      .perms(perms),
      .no_access(no_access),
      .no_permission(no_permission),
      .only_read(only_read),
      .attr1(attr1),
      .is_global(is_global),
      .memattr2(memattr2),
      .sh(sh),
      .table_limits(table_limits)
  );

  // ---- First tables, and places of descriptors.
  logic [5:0]  in_bits1;
  logic [1:0]  start1;
  logic [5:0]  start_bits1;
  logic [5:0]  in_bits2;
  logic [1:0]  start2;
  logic [5:0]  start_bits2;
  logic [47:0] table_mask;
  logic [5:0]  shift1;
  logic [47:0] index;
  logic [2:0]  pointer_hit;
  logic [49:0] pointer;
  logic [1:0]  pointer_level;

  always_comb begin
    in_bits1 = 6'd0;
    in_bits2 = 6'd0;
    start1 = 2'd0;
    start_bits1 = 6'd0;
    start2 = 2'd0;
    start_bits2 = 6'd0;
    pointer_hit = 3'd0;
    pointer = 50'd0;
    pointer_level = 2'd0;
    if (state == E_START || state == E_POINTERS || state == E_PLACE1) begin
      in_bits1 = 6'd0 - w.half.tsz;   // 64 - TxSZ
      start1 = in_bits1 > smmu_pkg::level_shift(w.half.tg, 2'd0) ? 2'd0
               : in_bits1 > smmu_pkg::level_shift(w.half.tg, 2'd1) ? 2'd1
               : in_bits1 > smmu_pkg::level_shift(w.half.tg, 2'd2) ? 2'd2 : 2'd3;
      start_bits1 = in_bits1 - smmu_pkg::level_shift(w.half.tg, start1);
      pointer_hit = start1 == 2'd3 ? 3'd0 : wc_hit & {1'b1, start1 < 2'd2, start1 < 2'd1};
      pointer = pointer_hit[2] ? wc_data3 : pointer_hit[1] ? wc_data2 : wc_data1;
      pointer_level = pointer_hit[2] ? 2'd3 : pointer_hit[1] ? 2'd2 : 2'd1;
    end
    if (state == E_TABLE2 || state == E_PLACE2) begin
      in_bits2 = 6'd0 - w.s2.t0sz;
      start2 = w.s2.tg == smmu_pkg::TG_4K ? (w.s2.sl0 == 2'd3 ? 2'd3 : 2'd2 - w.s2.sl0) : 2'd3 - w.s2.sl0;
      start_bits2 = in_bits2 - smmu_pkg::level_shift(w.s2.tg, start2);
    end
  end

  // ---- The engine.
  always_comb begin
    state_n = state;
    p_n = p;
    s_n = s;
    f_n = f;
    save = 1'b0;
    finish = 1'b0;
    shift1 = 6'd0;
    index = 48'd0;
    table_mask = 48'd0;
    case (state)
      E_IDLE: begin
        if (any_ready) begin
          state_n = E_DECIDE;
        end else if (take_new) begin
          state_n = E_START;
          p_n = {WHERE_BITS{1'b0}};
        end
        f_n = {$bits(f) {1'b0}};
      end

      E_START: begin
        p_n.start1 = start1;
        p_n.level1 = start1;
        p_n.attr = w.half.walk;
        table_mask = smmu_pkg::low48(start_bits1 + 6'd3) | 48'd15;
        p_n.address = {w.half.ttb, 4'd0} & ~table_mask;
        if (!w.stage1) begin
          p_n.ipa = w.va[47:0];
          p_n.cls = w.for_config ? smmu_pkg::CLASS_CD : smmu_pkg::CLASS_IN;
          state_n = E_PROBE2;
        end else if (wc_ready == 3'd7) begin
          state_n = E_POINTERS;
        end
      end

      E_POINTERS: begin
        state_n = E_PLACE1;
        if (pointer_hit != 3'd0) begin
          shift1 = smmu_pkg::level_shift(w.half.tg, pointer_level);
          index = w.va[47:0] >> shift1;
          p_n.level1 = pointer_level;
          p_n.level = pointer_level;
          p_n.limits = pointer[49:46];
          p_n.attr = pointer[45:36];
          p_n.address = {pointer[35:0], index[8:0], 3'd0};
          state_n = E_READ;
        end
      end

      E_PLACE1: begin
        shift1 = smmu_pkg::level_shift(w.half.tg, p.level1);
        index = (w.va[47:0] >> shift1) &
                (smmu_pkg::low48(p.level1 == p.start1 ? start_bits1
                                                            : {2'd0, smmu_pkg::stride(w.half.tg)}));
        p_n.address = p.address | (index << 3);
        p_n.level = p.level1;
        p_n.at2 = 1'b0;
        p_n.attr = w.half.walk;
        p_n.ipa = p_n.address;
        p_n.cls = smmu_pkg::CLASS_TT;
        state_n = w.stage2 ? E_PROBE2 : E_READ;
      end

      E_PROBE2: if (s2_ready) state_n = E_PROBED2;

      E_PROBED2: begin
        s_n.page = s2_data[55:20];
        s_n.perms = s2_data[19:14];
        s_n.memattr = s2_data[13:10];
        s_n.sh = s2_data[9:8];
        s_n.reach = s2_data[7:2];
        s_n.level = s2_data[1:0];
        if (s2_hit && p.cls != smmu_pkg::CLASS_IN &&
            !(w.s2.ptw && smmu_pkg::stage2_device(w.s2.fwb, s2_data[13:10])))
          state_n = E_RESULT2;
        else state_n = E_TABLE2;
      end

      E_TABLE2: begin
        table_mask = smmu_pkg::low48(start_bits2 + 6'd3) | 48'd15;
        p_n.address = {w.s2.ttb, 4'd0} & ~table_mask;
        p_n.level = start2;
        p_n.at2 = 1'b1;
        p_n.attr = w.s2.walk;
        state_n = E_PLACE2;
        if ((p.ipa >> in_bits2) != 48'd0) begin
          f_n.kind = smmu_pkg::F_TRANSLATION;
          f_n.cls = p.cls;
          f_n.stage2 = 1'b1;
          f_n.ipa = p.ipa;
          f_n.ttrnw = 1'b1;
          state_n = E_DONE;
        end
      end

      E_PLACE2: begin
        shift1 = smmu_pkg::level_shift(w.s2.tg, p.level);
        index = (p.ipa >> shift1) & (smmu_pkg::low48(p.level == start2 ? start_bits2
                                                           : {2'd0, smmu_pkg::stride(w.s2.tg)}));
        p_n.address = p.address | (index << 3);
        state_n = E_READ;
      end

      E_READ: begin
        if (rd_ready) begin
          save = 1'b1;
          state_n = E_IDLE;
        end
      end

      E_DECIDE: begin
        f_n.cls = p.at2 ? p.cls : smmu_pkg::CLASS_IN;
        f_n.stage2 = p.at2;
        f_n.ipa = p.at2 ? p.ipa : 48'd0;
        f_n.ttrnw = p.at2 && (p.cls != smmu_pkg::CLASS_IN || !w.need_w);
        state_n = E_DONE;
        if (answer_err) begin
          f_n.kind = smmu_pkg::F_WALK_EABT;
          if (!p.at2) f_n.cls = smmu_pkg::CLASS_TT;
          f_n.fetch = p.address;
        end else if (!is_leaf && !is_table) begin
          f_n.kind = smmu_pkg::F_TRANSLATION;
        end else if (out_beyond) begin
          f_n.kind = smmu_pkg::F_ADDR_SIZE;
        end else if (is_table) begin
          p_n.address = out;
          p_n.level = p.level + 2'd1;
          if (p.at2) begin
            state_n = E_PLACE2;
          end else begin
            p_n.level1 = p.level + 2'd1;
            if (!w.half.had) p_n.limits = p.limits | table_limits;
            state_n = E_PLACE1;
          end
        end else if (no_access) begin
          f_n.kind = smmu_pkg::F_ACCESS;
        end else if (no_permission) begin
          f_n.kind = smmu_pkg::F_PERMISSION;
          f_n.only_read = only_read;
        end else if (p.at2) begin
          s_n.page = out[47:12] | (p.ipa[47:12] & low[47:12]);
          s_n.perms = perms;
          s_n.memattr = memattr2;
          s_n.sh = sh;
          s_n.reach = reach;
          s_n.level = p.level;
          state_n = E_RESULT2;
        end else begin
          p_n.perms1 = perms;
          p_n.attr1 = attr1;
          p_n.reach1 = reach;
          p_n.global1 = is_global;
          p_n.ipa = out | (w.va[47:0] & low);
          p_n.cls = smmu_pkg::CLASS_IN;
          state_n = w.stage2 ? E_PROBE2 : E_FINISH;
        end
      end

      E_RESULT2: begin
        p_n.at2 = 1'b0;
        if (p.cls == smmu_pkg::CLASS_TT) begin
          p_n.address = {s.page, p.ipa[11:0]};
          p_n.level = p.level1;
          p_n.attr = smmu_pkg::attr_stage2(w.half.walk, w.s2.fwb, s.memattr, s.sh);
          state_n = E_READ;
        end else if (p.cls == smmu_pkg::CLASS_CD) begin
          state_n = E_DONE;
        end else begin
          state_n = E_FINISH;
        end
      end

      E_FINISH: state_n = may_fill ? E_FILL : E_DONE;

      E_FILL: if (fill_ready || !may_fill) state_n = E_DONE;

      default: begin  // E_DONE
        if (w.for_config || done_ready) begin
          finish = 1'b1;
          state_n = E_IDLE;
        end
      end
    endcase
  end

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      state <= E_IDLE;
      ctx <= {CTX_BITS{1'b0}};
      busy <= {WALKS{1'b0}};
      ready <= {WALKS{1'b0}};
      no_fill <= {WALKS{1'b0}};
    end else begin
      state <= state_n;
      if (take_ready) begin
        ctx <= first_ready;
        ready[first_ready] <= 1'b0;
      end
      if (rsp_valid) ready[rsp_ctx] <= 1'b1;
      if (take_new) begin
        ctx <= first_free;
        busy[first_free] <= 1'b1;
        no_fill[first_free] <= 1'b0;
      end
      if (inv_busy) no_fill <= {WALKS{1'b1}};
      if (finish) busy[ctx] <= 1'b0;
    end
  end

  always_ff @(posedge clk) begin
    if (take_ready) begin
      w <= walks[first_ready];
      p <= wheres[first_ready];
      {answer_err, answer} <= answers[first_ready];
    end else if (state != E_IDLE || take_new) begin
      p <= p_n;
      if (take_new) w <= req;
    end
    if (state != E_IDLE || take_ready || take_new) begin
      s <= s_n;
      f <= f_n;
    end
    if (take_new) walks[first_free] <= req;
    if (save) wheres[ctx] <= p;
    if (rsp_valid) answers[rsp_ctx] <= {rsp_err, rsp_data};
  end

  // ---- Reads.
  assign rd_valid = state == E_READ;
  assign rd_addr = {4'd0, p.address};
  assign rd_tag = 3'(ctx);
  assign rd_attr = p.attr;

  // ---- Results.
  logic [5:0]  size1;
  logic [5:0]  size2;
  logic [5:0]  size;
  smmu_pkg::entry_t entry;

  always_comb begin
    size1 = 6'd0;
    size2 = 6'd0;
    size = 6'd0;
    entry = {$bits(entry) {1'b0}};
    if (state == E_FILL || state == E_DONE) begin
      size1 = w.stage1 ? p.reach1 : 6'd48;
      size2 = w.stage2 ? s.reach : 6'd48;
      size = size1 < size2 ? size1 : size2;
      entry.page = w.stage2 ? s.page : p.ipa[47:12];
      entry.size = size >= 6'd30 ? 2'd3 : size >= 6'd21 ? 2'd2 : size >= 6'd16 ? 2'd1 : 2'd0;
      entry.perms = (w.stage1 ? p.perms1 : 6'h3f) & (w.stage2 ? s.perms : 6'h3f);
      entry.stage1 = w.stage1;
      entry.attr1 = p.attr1;
      entry.stage2 = w.stage2;
      entry.fwb = w.s2.fwb;
      entry.memattr2 = s.memattr;
      entry.sh2 = s.sh;
    end
  end

  assign fill_valid = state == E_FILL && may_fill;
  assign fill_tag = w.tag;
  assign fill_global = w.stage1 && p.global1;
  assign fill_va = w.va;
  assign fill_reach = w.stage1 ? p.reach1 : s.reach;
  assign fill_tg = w.stage1 ? w.half.tg : w.s2.tg;
  assign fill_level = w.stage1 ? p.level1 : s.level;
  assign fill_entry = entry;

  assign done_valid = state == E_DONE && !w.for_config;
  assign done_walk = w;
  assign done_entry = entry;
  assign done_fault = f;
  assign config_done = state == E_DONE && w.for_config;
  assign config_address = {s.page, p.ipa[11:0]};
  assign config_entry = entry;
  assign config_fault = f;

endmodule
