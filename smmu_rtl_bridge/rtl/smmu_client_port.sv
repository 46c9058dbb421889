// SPDX-License-Identifier: Apache-2.0

// The AXI4 subordinate port of clients and the manager port behind the SMMU. Each transaction takes a slot, of which reads
// and writes have TRANSACTIONS / 2 each, until its last answer is given. It goes to translation at once (new_valid, always
// taken), and when its result has come it goes on downstream under its own ID, or is answered here.
//
// Order. Transactions of one ID and direction are sent on, and answered, in the order in which they came; others pass
// each other. Write data comes in the order of the AW channel and goes out in the order in which AW went out: each write
// has a buffer of WRITE_BEATS beats, and is sent on ahead of an older write only once all of its data is in it; the
// oldest write that was not sent on streams through its buffer, however long it is. Data of writes that are not sent on
// is taken and dropped.
// AxREADY and WREADY may depend on the channel's own VALID; no VALID waits for a READY.
//
// sync_ready is high, while sync_valid is, once every transaction that was accepted before sync_valid rose has its last
// answer from downstream. Sections "Client devices", "CMD_SYNC".
module smmu_client_port #(
    parameter int ID_BITS = 8,
    parameter int TRANSACTIONS = 32,
    parameter int WRITE_BEATS = 8
) (
    input  logic                           clk,
    input  logic                           rst_n,
    // Clients.
    input  logic                           s_arvalid,
    output logic                           s_arready,
    input  logic [ID_BITS-1:0]             s_arid,
    input  logic [63:0]                    s_araddr,
    input  logic [7:0]                     s_arlen,
    input  logic [2:0]                     s_arsize,
    input  logic [1:0]                     s_arburst,
    input  logic [2:0]                     s_arprot,
    input  logic [64:0]                    s_aruser,
    output logic                           s_rvalid,
    input  logic                           s_rready,
    output logic [ID_BITS-1:0]             s_rid,
    output logic [63:0]                    s_rdata,
    output logic [1:0]                     s_rresp,
    output logic                           s_rlast,
    input  logic                           s_awvalid,
    output logic                           s_awready,
    input  logic [ID_BITS-1:0]             s_awid,
    input  logic [63:0]                    s_awaddr,
    input  logic [7:0]                     s_awlen,
    input  logic [2:0]                     s_awsize,
    input  logic [1:0]                     s_awburst,
    input  logic [2:0]                     s_awprot,
    input  logic [64:0]                    s_awuser,
    input  logic                           s_wvalid,
    output logic                           s_wready,
    input  logic [63:0]                    s_wdata,
    input  logic [7:0]                     s_wstrb,
    input  logic                           s_wlast,
    output logic                           s_bvalid,
    input  logic                           s_bready,
    output logic [ID_BITS-1:0]             s_bid,
    output logic [1:0]                     s_bresp,
    // Downstream.
    output logic                           m_arvalid,
    input  logic                           m_arready,
    output logic [ID_BITS-1:0]             m_arid,
    output logic [63:0]                    m_araddr,
    output logic [7:0]                     m_arlen,
    output logic [2:0]                     m_arsize,
    output logic [1:0]                     m_arburst,
    output logic [2:0]                     m_arprot,
    output logic [9:0]                     m_aruser,
    input  logic                           m_rvalid,
    output logic                           m_rready,
    input  logic [ID_BITS-1:0]             m_rid,
    input  logic [63:0]                    m_rdata,
    input  logic [1:0]                     m_rresp,
    input  logic                           m_rlast,
    output logic                           m_awvalid,
    input  logic                           m_awready,
    output logic [ID_BITS-1:0]             m_awid,
    output logic [63:0]                    m_awaddr,
    output logic [7:0]                     m_awlen,
    output logic [2:0]                     m_awsize,
    output logic [1:0]                     m_awburst,
    output logic [2:0]                     m_awprot,
    output logic [9:0]                     m_awuser,
    output logic                           m_wvalid,
    input  logic                           m_wready,
    output logic [63:0]                    m_wdata,
    output logic [7:0]                     m_wstrb,
    output logic                           m_wlast,
    input  logic                           m_bvalid,
    output logic                           m_bready,
    input  logic [ID_BITS-1:0]             m_bid,
    input  logic [1:0]                     m_bresp,
    // Translation.
    output logic                           new_valid,
    output logic [smmu_pkg::SLOT_BITS-1:0] new_slot,
    output smmu_pkg::access_t              new_access,
    input  logic                           res_valid,
    input  logic [smmu_pkg::SLOT_BITS-1:0] res_slot,
    input  logic [1:0]                     res_kind,
    input  logic [63:0]                    res_address,
    input  smmu_pkg::attr_t                res_attr,
    input  logic                           res_privileged,
    input  logic                           res_instruction,
    // Completion of what was accepted.
    input  logic                           sync_valid,
    output logic                           sync_ready,
    output logic                           idle
);

  localparam int N = TRANSACTIONS / 2;        // slots of reads, and of writes
  localparam int IB = $clog2(N);
  localparam int BB = $clog2(WRITE_BEATS);
  localparam int SB = smmu_pkg::SLOT_BITS;
  // {ID, length, size, burst}, and of the result {address, attributes, privileged, instruction}.
  localparam int ASKED_BITS = ID_BITS + 8 + 3 + 2;
  localparam int RESULT_BITS = 64 + 10 + 2;
  localparam logic [1:0] RESP_OKAY = 2'd0;
  localparam logic [1:0] RESP_SLVERR = 2'd2;

  // ---- Slots of reads.
  logic [N-1:0]           r_used;
  logic [N-1:0]           r_done;      // translated
  logic [N-1:0]           r_pass;      // goes downstream
  logic [N-1:0]           r_zero;
  logic [N-1:0]           r_sent;
  logic [N-1:0]           r_older [0:N-1];     // slots of the same ID that came before
  logic [ID_BITS-1:0]     r_id [0:N-1];
  logic [ASKED_BITS-1:0]  r_asked [0:N-1];
  logic [RESULT_BITS-1:0] r_result [0:N-1];
  logic [N-1:0]           r_can_send;
  logic [N-1:0]           r_can_answer;
  logic [N-1:0]           r_same_id;
  logic [N-1:0]           r_free_now;  // the slot whose last beat is given to the client
  logic [IB-1:0]          r_next;
  logic [IB-1:0]          r_send_slot;
  logic [IB-1:0]          r_answer_slot;
  logic                   r_send;

  // ---- Slots of writes.
  logic [N-1:0]           w_used;
  logic [N-1:0]           w_done;
  logic [N-1:0]           w_pass;
  logic [N-1:0]           w_zero;
  logic [N-1:0]           w_sent;
  logic [N-1:0]           w_full;      // all data has come
  logic [N-1:0]           w_older [0:N-1];
  logic [N-1:0]           w_before [0:N-1];    // slots of any ID that came before
  logic [ID_BITS-1:0]     w_id [0:N-1];
  logic [ASKED_BITS-1:0]  w_asked [0:N-1];
  logic [RESULT_BITS-1:0] w_result [0:N-1];
  logic [N-1:0]           w_long;      // longer than its buffer
  logic [N-1:0]           w_can_send;
  logic [N-1:0]           w_can_answer;
  logic [N-1:0]           w_open;      // may still go downstream
  logic [N-1:0]           w_same_id;
  logic [N-1:0]           w_free_now;
  logic [IB-1:0]          w_next;
  logic [IB-1:0]          w_send_slot;
  logic [IB-1:0]          w_answer_slot;
  logic                   w_send;

  // ---- Acceptance: one transaction a clock, reads and writes in turn when both want.
  logic r_room;
  logic w_room;
  logic turn;       // of writes
  logic take_r;
  logic take_w;

  always_comb begin
    r_next = {IB{1'b0}};
    w_next = {IB{1'b0}};
    if (s_arvalid)
      for (int i = N - 1; i >= 0; i = i - 1) if (!r_used[i]) r_next = IB'(i);
    if (s_awvalid)
      for (int i = N - 1; i >= 0; i = i - 1) if (!w_used[i]) w_next = IB'(i);
  end
  assign r_room = r_used != {N{1'b1}};
  assign w_room = w_used != {N{1'b1}};
  assign s_arready = r_room && !(s_awvalid && w_room && turn);
  assign s_awready = w_room && !(s_arvalid && r_room && !turn);
  assign take_r = s_arvalid && s_arready;
  assign take_w = s_awvalid && s_awready;

  assign new_valid = take_r || take_w;
  assign new_slot = take_r ? {{(SB - IB) {1'b0}}, r_next} : {{(SB - IB - 1) {1'b0}}, 1'b1, w_next};
  always_comb begin
    new_access.address = take_r ? s_araddr : s_awaddr;
    new_access.write = take_w;
    new_access.privileged = take_r ? s_arprot[0] : s_awprot[0];
    new_access.instruction = take_r ? s_arprot[2] : s_awprot[2];
    {new_access.atomic, new_access.translated, new_access.sh, new_access.mair, new_access.ssv, new_access.ssid,
     new_access.sid} = take_r ? s_aruser : s_awuser;
  end

  // ---- Answers of downstream, and which slot they end.
  logic          r_ends;     // the last beat of a read leaves
  logic [N-1:0]  r_end_bit;
  logic          b_ends;
  logic [N-1:0]  b_end_bit;
  logic          sends_local_r;
  logic          local_r_last;
  logic          sends_local_b;

  // Few slots are candidates at a time, so what is asked of each is asked only then.
  always_comb begin
    r_can_send = r_used & r_done & r_pass & ~r_sent;
    if (r_can_send != {N{1'b0}})
      for (int i = 0; i < N; i = i + 1) if ((r_older[i] & ~r_sent) != {N{1'b0}}) r_can_send[i] = 1'b0;
    r_can_answer = r_used & r_done & ~r_pass;
    if (r_can_answer != {N{1'b0}})
      for (int i = 0; i < N; i = i + 1) if (r_older[i] != {N{1'b0}}) r_can_answer[i] = 1'b0;
    w_can_send = w_used & w_done & w_pass & ~w_sent;
    w_open = ~(w_sent | (w_done & ~w_pass));
    if (w_can_send != {N{1'b0}})
      for (int i = 0; i < N; i = i + 1)
        if ((w_older[i] & ~w_sent) != {N{1'b0}} ||
            (!(w_full[i] && !w_long[i]) && (w_before[i] & w_open) != {N{1'b0}}))
          w_can_send[i] = 1'b0;
    w_can_answer = w_used & w_done & ~w_pass & w_full;
    if (w_can_answer != {N{1'b0}})
      for (int i = 0; i < N; i = i + 1) if (w_older[i] != {N{1'b0}}) w_can_answer[i] = 1'b0;
  end
  always_comb begin
    r_same_id = {N{1'b0}};
    w_same_id = {N{1'b0}};
    if (s_arvalid) begin
      for (int i = 0; i < N; i = i + 1) r_same_id[i] = r_id[i] == s_arid;
      r_same_id = r_same_id & r_used & ~r_free_now;
    end
    if (s_awvalid) begin
      for (int i = 0; i < N; i = i + 1) w_same_id[i] = w_id[i] == s_awid;
      w_same_id = w_same_id & w_used & ~w_free_now;
    end
  end

  always_comb begin
    r_end_bit = {N{1'b0}};
    if (m_rvalid && m_rlast)
      for (int i = 0; i < N; i = i + 1)
        r_end_bit[i] = r_sent[i] && r_older[i] == {N{1'b0}} && r_id[i] == m_rid;
    b_end_bit = {N{1'b0}};
    if (m_bvalid)
      for (int i = 0; i < N; i = i + 1)
        b_end_bit[i] = w_sent[i] && w_older[i] == {N{1'b0}} && w_id[i] == m_bid;
  end

  // Slots are served in turn: the lowest at or above a place that moves on, else the lowest of all.
  logic [IB-1:0] r_send_from;
  logic [IB-1:0] w_send_from;
  logic [N-1:0]  r_send_above;
  logic [N-1:0]  w_send_above;
  always_comb begin
    r_send_slot = {IB{1'b0}};
    r_send_above = {N{1'b0}};
    if (r_can_send != {N{1'b0}}) begin
      r_send_above = r_can_send & ({N{1'b1}} << r_send_from);
      if (r_send_above == {N{1'b0}}) r_send_above = r_can_send;
      for (int i = N - 1; i >= 0; i = i - 1) if (r_send_above[i]) r_send_slot = IB'(i);
    end
    w_send_slot = {IB{1'b0}};
    w_send_above = {N{1'b0}};
    if (w_can_send != {N{1'b0}}) begin
      w_send_above = w_can_send & ({N{1'b1}} << w_send_from);
      if (w_send_above == {N{1'b0}}) w_send_above = w_can_send;
      for (int i = N - 1; i >= 0; i = i - 1) if (w_send_above[i]) w_send_slot = IB'(i);
    end
  end

  // ---- AR and AW downstream: one register each.
  logic ar_privileged;
  logic ar_instruction;
  logic aw_privileged;
  logic aw_instruction;
  assign r_send = r_can_send != {N{1'b0}} && (!m_arvalid || m_arready);
  assign w_send = w_can_send != {N{1'b0}} && (!m_awvalid || m_awready);
  assign m_arprot = {ar_instruction, 1'b1, ar_privileged};
  assign m_awprot = {aw_instruction, 1'b1, aw_privileged};
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      m_arvalid <= 1'b0;
      m_awvalid <= 1'b0;
      r_send_from <= {IB{1'b0}};
      w_send_from <= {IB{1'b0}};
    end else begin
      if (r_send) r_send_from <= r_send_slot + 1'b1;
      if (w_send) w_send_from <= w_send_slot + 1'b1;
      if (r_send) m_arvalid <= 1'b1;
      else if (m_arready) m_arvalid <= 1'b0;
      if (w_send) m_awvalid <= 1'b1;
      else if (m_awready) m_awvalid <= 1'b0;
    end
  end
  always_ff @(posedge clk) begin
    if (r_send) begin
      {m_arid, m_arlen, m_arsize, m_arburst} <= r_asked[r_send_slot];
      {m_araddr, m_aruser, ar_privileged, ar_instruction} <= r_result[r_send_slot];
    end
    if (w_send) begin
      {m_awid, m_awlen, m_awsize, m_awburst} <= w_asked[w_send_slot];
      {m_awaddr, m_awuser, aw_privileged, aw_instruction} <= w_result[w_send_slot];
    end
  end

  // ---- R to clients: beats of downstream, or of a read that is answered here, through one register.
  logic         r_local;        // a read is being answered here
  logic [IB-1:0] r_local_slot;
  logic [7:0]   r_local_left;
  logic         r_room_out;
  logic         r_favour;       // the next free beat is for what is answered here
  logic         take_m_r;
  logic [ID_BITS-1:0] r_local_id;
  logic [7:0]   r_local_len;
  logic [ASKED_BITS-1:0] r_local_asked;

  always_comb begin
    r_answer_slot = {IB{1'b0}};
    if (r_can_answer != {N{1'b0}})
      for (int i = N - 1; i >= 0; i = i - 1) if (r_can_answer[i]) r_answer_slot = IB'(i);
    w_answer_slot = {IB{1'b0}};
    if (w_can_answer != {N{1'b0}})
      for (int i = N - 1; i >= 0; i = i - 1) if (w_can_answer[i]) w_answer_slot = IB'(i);
  end
  assign r_local_asked = r_asked[r_answer_slot];
  assign r_local_id = r_local_asked[ASKED_BITS-1-:ID_BITS];
  assign r_local_len = r_local_asked[12:5];
  assign r_room_out = !s_rvalid || s_rready;
  assign m_rready = r_room_out && !(r_local && r_favour);
  assign take_m_r = m_rvalid && m_rready;
  assign sends_local_r = r_local && r_room_out && !take_m_r;
  assign local_r_last = sends_local_r && r_local_left == 8'd0;
  assign r_ends = (take_m_r && m_rlast) || local_r_last;
  assign r_free_now = !r_ends ? {N{1'b0}} : take_m_r ? r_end_bit : {{(N - 1) {1'b0}}, 1'b1} << r_local_slot;

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      s_rvalid <= 1'b0;
      r_local <= 1'b0;
      r_favour <= 1'b0;
      r_local_left <= 8'd0;
      r_local_slot <= {IB{1'b0}};
    end else begin
      if (take_m_r || sends_local_r) s_rvalid <= 1'b1;
      else if (s_rready) s_rvalid <= 1'b0;
      if (take_m_r) r_favour <= 1'b1;
      else if (sends_local_r) r_favour <= 1'b0;
      if (sends_local_r) begin
        r_local_left <= r_local_left - 8'd1;
        if (r_local_left == 8'd0) r_local <= 1'b0;
      end else if (!r_local && r_can_answer != {N{1'b0}}) begin
        r_local <= 1'b1;
        r_local_slot <= r_answer_slot;
        r_local_left <= r_local_len;
      end
    end
  end
  logic [ID_BITS-1:0] r_answer_id;
  logic               r_answer_zero;
  always_ff @(posedge clk) begin
    if (!r_local) begin
      r_answer_id <= r_local_id;
      r_answer_zero <= r_zero[r_answer_slot];
    end
    if (take_m_r) begin
      s_rid <= m_rid;
      s_rdata <= m_rdata;
      s_rresp <= m_rresp;
      s_rlast <= m_rlast;
    end else if (sends_local_r) begin
      s_rid <= r_answer_id;
      s_rdata <= 64'd0;
      s_rresp <= r_answer_zero ? RESP_OKAY : RESP_SLVERR;
      s_rlast <= r_local_left == 8'd0;
    end
  end

  // ---- B to clients.
  logic b_room;
  logic take_m_b;
  logic b_favour;
  assign b_room = !s_bvalid || s_bready;
  assign m_bready = b_room && !(w_can_answer != {N{1'b0}} && b_favour);
  assign take_m_b = m_bvalid && m_bready;
  assign sends_local_b = w_can_answer != {N{1'b0}} && b_room && !take_m_b;
  assign b_ends = take_m_b || sends_local_b;
  assign w_free_now = !b_ends ? {N{1'b0}} : take_m_b ? b_end_bit : {{(N - 1) {1'b0}}, 1'b1} << w_answer_slot;
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      s_bvalid <= 1'b0;
      b_favour <= 1'b0;
    end else begin
      if (b_ends) s_bvalid <= 1'b1;
      else if (s_bready) s_bvalid <= 1'b0;
      if (take_m_b) b_favour <= 1'b1;
      else if (sends_local_b) b_favour <= 1'b0;
    end
  end
  always_ff @(posedge clk) begin
    if (take_m_b) begin
      s_bid <= m_bid;
      s_bresp <= m_bresp;
    end else if (sends_local_b) begin
      s_bid <= w_id[w_answer_slot];
      s_bresp <= w_zero[w_answer_slot] ? RESP_OKAY : RESP_SLVERR;
    end
  end

  // ---- W: in the order of AW into the buffers, and out of them in the order in which AW went on.
  logic [71:0]        buffer [0:N*WRITE_BEATS-1];
  logic [IB-1:0]      in_order [0:N-1];
  logic [IB:0]        in_put;
  logic [IB:0]        in_get;
  logic [IB-1:0]      in_slot;
  logic [IB-1:0]      out_order [0:N-1];
  logic [IB:0]        out_put;
  logic [IB:0]        out_get;
  logic [IB-1:0]      out_slot;
  logic [8:0]         w_came [0:N-1];      // beats into and out of the buffer
  logic [8:0]         w_gone [0:N-1];
  logic               w_drop;
  logic               w_take;
  logic               w_give;
  logic [8:0]         w_came_in;
  logic [8:0]         w_gone_in;
  logic [8:0]         w_came_out;
  logic [8:0]         w_gone_out;
  logic [ASKED_BITS-1:0] w_out_asked;

  assign in_slot = in_order[in_get[IB-1:0]];
  assign out_slot = out_order[out_get[IB-1:0]];
  assign w_came_in = w_came[in_slot];
  assign w_gone_in = w_gone[in_slot];
  assign w_came_out = w_came[out_slot];
  assign w_gone_out = w_gone[out_slot];
  assign w_drop = w_done[in_slot] && !w_pass[in_slot];
  assign s_wready = in_put != in_get && (w_drop || w_came_in - w_gone_in < 9'(WRITE_BEATS));
  assign w_take = s_wvalid && s_wready;
  assign w_out_asked = w_asked[out_slot];
  assign w_give = out_put != out_get && w_came_out != w_gone_out && (!m_wvalid || m_wready);

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      in_put <= {(IB + 1) {1'b0}};
      in_get <= {(IB + 1) {1'b0}};
      out_put <= {(IB + 1) {1'b0}};
      out_get <= {(IB + 1) {1'b0}};
      m_wvalid <= 1'b0;
    end else begin
      if (take_w) in_put <= in_put + 1'b1;
      if (w_take && s_wlast) in_get <= in_get + 1'b1;
      if (w_send) out_put <= out_put + 1'b1;
      if (w_give && w_gone_out == {1'b0, w_out_asked[12:5]}) out_get <= out_get + 1'b1;
      if (w_give) m_wvalid <= 1'b1;
      else if (m_wready) m_wvalid <= 1'b0;
    end
  end
  always_ff @(posedge clk) begin
    if (take_w) begin
      in_order[in_put[IB-1:0]] <= w_next;
      w_came[w_next] <= 9'd0;
      w_gone[w_next] <= 9'd0;
    end
    if (w_send) out_order[out_put[IB-1:0]] <= w_send_slot;
    if (w_take && !w_drop) begin
      w_came[in_slot] <= w_came_in + 9'd1;
      buffer[{in_slot, w_came_in[BB-1:0]}] <= {s_wstrb, s_wdata};
    end
    if (w_give) begin
      w_gone[out_slot] <= w_gone_out + 9'd1;
      {m_wstrb, m_wdata} <= buffer[{out_slot, w_gone_out[BB-1:0]}];
      m_wlast <= w_gone_out == {1'b0, w_out_asked[12:5]};
    end
  end

  // ---- States of the slots.
  logic [IB-1:0] res_index;
  logic          res_is_write;
  assign res_index = res_slot[IB-1:0];
  assign res_is_write = res_slot[IB];

  always_ff @(posedge clk) begin
    if (!rst_n) begin
      r_used <= {N{1'b0}};
      r_done <= {N{1'b0}};
      r_pass <= {N{1'b0}};
      r_zero <= {N{1'b0}};
      r_sent <= {N{1'b0}};
      w_used <= {N{1'b0}};
      w_done <= {N{1'b0}};
      w_pass <= {N{1'b0}};
      w_zero <= {N{1'b0}};
      w_sent <= {N{1'b0}};
      w_full <= {N{1'b0}};
      w_long <= {N{1'b0}};
      turn <= 1'b0;
    end else begin
      if (take_r) turn <= 1'b1;
      if (take_w) turn <= 1'b0;
      if (r_ends) begin
        r_used <= r_used & ~r_free_now;
        r_sent <= r_sent & ~r_free_now;
        for (int i = 0; i < N; i = i + 1) r_older[i] <= r_older[i] & ~r_free_now;
      end
      if (b_ends) begin
        w_used <= w_used & ~w_free_now;
        w_sent <= w_sent & ~w_free_now;
        for (int i = 0; i < N; i = i + 1) begin
          w_older[i] <= w_older[i] & ~w_free_now;
          w_before[i] <= w_before[i] & ~w_free_now;
        end
      end
      if (take_r) begin
        r_used[r_next] <= 1'b1;
        r_done[r_next] <= 1'b0;
        r_older[r_next] <= r_same_id;
      end
      if (take_w) begin
        w_used[w_next] <= 1'b1;
        w_done[w_next] <= 1'b0;
        w_full[w_next] <= 1'b0;
        w_long[w_next] <= s_awlen >= 8'(WRITE_BEATS);
        w_older[w_next] <= w_same_id;
        w_before[w_next] <= w_used & ~w_free_now;
      end
      if (w_take && s_wlast) w_full[in_slot] <= 1'b1;
      if (r_send) r_sent[r_send_slot] <= 1'b1;
      if (w_send) w_sent[w_send_slot] <= 1'b1;
      if (res_valid && !res_is_write) begin
        r_done[res_index] <= 1'b1;
        r_pass[res_index] <= res_kind == smmu_pkg::RESULT_PASS;
        r_zero[res_index] <= res_kind == smmu_pkg::RESULT_ZERO;
      end
      if (res_valid && res_is_write) begin
        w_done[res_index] <= 1'b1;
        w_pass[res_index] <= res_kind == smmu_pkg::RESULT_PASS;
        w_zero[res_index] <= res_kind == smmu_pkg::RESULT_ZERO;
      end
    end
  end
  always_ff @(posedge clk) begin
    if (take_r) begin
      r_id[r_next] <= s_arid;
      r_asked[r_next] <= {s_arid, s_arlen, s_arsize, s_arburst};
    end
    if (take_w) begin
      w_id[w_next] <= s_awid;
      w_asked[w_next] <= {s_awid, s_awlen, s_awsize, s_awburst};
    end
    if (res_valid && !res_is_write) r_result[res_index] <= {res_address, res_attr, res_privileged, res_instruction};
    if (res_valid && res_is_write) w_result[res_index] <= {res_address, res_attr, res_privileged, res_instruction};
  end

  // ---- Completion.
  logic [N-1:0] r_waited;
  logic [N-1:0] w_waited;
  logic         sync_seen;
  always_ff @(posedge clk) begin
    if (!rst_n) begin
      r_waited <= {N{1'b0}};
      w_waited <= {N{1'b0}};
      sync_seen <= 1'b0;
    end else begin
      sync_seen <= sync_valid && !sync_ready;
      r_waited <= (sync_valid && !sync_seen ? r_used : r_waited) & ~r_free_now;
      w_waited <= (sync_valid && !sync_seen ? w_used : w_waited) & ~w_free_now;
    end
  end
  assign sync_ready = sync_valid && sync_seen && r_waited == {N{1'b0}} && w_waited == {N{1'b0}};
  assign idle = r_used == {N{1'b0}} && w_used == {N{1'b0}} && !s_rvalid && !s_bvalid;

  logic unused;
  assign unused = ^{res_slot, r_local_asked, w_out_asked, s_arprot[1], s_awprot[1]};

endmodule
