// SPDX-License-Identifier: Apache-2.0

// Invariants of smmu_registers: guards, acknowledgements, and who moves what.
module smmu_registers_checker (
    input logic            clk,
    input logic            rst_n,
    input logic            psel,
    input logic            penable,
    input logic            pready,
    input logic            write,
    input smmu_pkg::regs_t regs,
    input logic            quiesce_req,
    input logic            quiesce_done,
    input logic            cmdq_busy,
    input logic [51:0]     cmdq_base,
    input logic [4:0]      cmdq_log2size,
    input logic [19:0]     cmdq_cons,
    input logic            cmdq_cons_set,
    input logic [6:0]      cmdq_err_next,
    input logic [9:0]      queue_attr,
    input logic            evtq_busy,
    input logic [51:0]     evtq_base,
    input logic [4:0]      evtq_log2size,
    input logic [19:0]     evtq_prod,
    input logic            evtq_prod_ovflg,
    input logic            evtq_prod_set,
    input logic            evtq_overflow,
    input logic            gerr_cause,
    input logic            gerr_irq_busy,
    input logic            evt_irq_busy,
    input logic [51:0]     evt_irq_addr,
    input logic [31:0]     evt_irq_data,
    input logic [5:0]      evt_irq_cfg2,
    input logic [51:0]     gerr_irq_addr,
    input logic [31:0]     gerr_irq_data,
    input logic [5:0]      gerr_irq_cfg2,
    input logic [8:0]      cr0,
    input logic [8:0]      cr0ack,
    input logic [20:0]     gbpa,
    input logic            updating,
    input logic            irq_gerr,
    input logic            irq_evt,
    input logic            irq_gerr_ack,
    input logic            irq_evt_ack,
    input logic [8:0]      gerror,
    input logic [8:0]      raised,
    input logic [8:0]      active
);

  // ---- CR0 and CR0ACK.
  acknowledges_what_was_written: assert property (@(posedge clk) disable iff (!rst_n)
    1'b1 |=> ((cr0ack ^ $past(cr0ack)) & (cr0ack ^ $past(cr0))) == 9'd0);
  enable_waits_for_quiet: assert property (@(posedge clk) disable iff (!rst_n)
    cr0ack[0] != $past(cr0ack[0]) |-> $past(quiesce_req && quiesce_done));
  events_end_first: assert property (@(posedge clk) disable iff (!rst_n) $fell(cr0ack[2]) |-> !$past(evtq_busy));
  commands_end_first: assert property (@(posedge clk) disable iff (!rst_n) $fell(cr0ack[3]) |-> !$past(cmdq_busy));
  a_field_on_its_way_stays: assert property (@(posedge clk) disable iff (!rst_n) cr0[0] != cr0ack[0] |=> $stable(cr0[0]));
  update_waits_for_quiet: assert property (@(posedge clk) disable iff (!rst_n)
    $fell(updating) |-> $past(quiesce_req && quiesce_done));
  bypass_stays_while_updating: assert property (@(posedge clk) disable iff (!rst_n) updating |=> $stable(gbpa));

  // ---- The handshake with translation.
  asks_until_quiet: assert property (@(posedge clk) disable iff (!rst_n) quiesce_req && !quiesce_done |=> quiesce_req);
  asks_anew: assert property (@(posedge clk) disable iff (!rst_n) $rose(quiesce_req) |-> !$past(quiesce_done));
  quiet_only_when_asked: assert property (@(posedge clk) disable iff (!rst_n) $rose(quiesce_done) |-> quiesce_req);

  // ---- What is locked.
  consumer_index_is_locked: assert property (@(posedge clk) disable iff (!rst_n)
    (cr0[3] || cr0ack[3]) && !cmdq_cons_set |=> $stable(cmdq_cons));
  producer_index_is_locked: assert property (@(posedge clk) disable iff (!rst_n)
    (cr0[2] || cr0ack[2]) && !evtq_prod_set && !evtq_overflow |=> $stable({evtq_prod, evtq_prod_ovflg}));
  event_messages_end_first: assert property (@(posedge clk) disable iff (!rst_n) $fell(irq_evt_ack) |-> !$past(evt_irq_busy));
  error_messages_end_first: assert property (@(posedge clk) disable iff (!rst_n) $fell(irq_gerr_ack) |-> !$past(gerr_irq_busy));

  smmu_lock_checker #(.BITS(73)) stream_table (
      .clk(clk), .rst_n(rst_n), .locked(cr0[0] || cr0ack[0]),
      .value({regs.strtab_base, regs.strtab_log2size, regs.strtab_split, regs.strtab_fmt, regs.table_sh, regs.table_oc,
              regs.table_ic, regs.e2h, regs.recinvsid}));
  smmu_lock_checker #(.BITS(67)) command_queue (
      .clk(clk), .rst_n(rst_n), .locked(cr0[3] || cr0ack[3]), .value({cmdq_base, cmdq_log2size, queue_attr}));
  smmu_lock_checker #(.BITS(67)) event_queue (
      .clk(clk), .rst_n(rst_n), .locked(cr0[2] || cr0ack[2]), .value({evtq_base, evtq_log2size, queue_attr}));
  smmu_lock_checker #(.BITS(90)) event_message (
      .clk(clk), .rst_n(rst_n), .locked(irq_evt || irq_evt_ack), .value({evt_irq_addr, evt_irq_data, evt_irq_cfg2}));
  smmu_lock_checker #(.BITS(90)) error_message (
      .clk(clk), .rst_n(rst_n), .locked(irq_gerr || irq_gerr_ack),
      .value({gerr_irq_addr, gerr_irq_data, gerr_irq_cfg2}));

  // ---- Who moves indices, and when.
  commands_while_on: assert property (@(posedge clk) disable iff (!rst_n) cmdq_cons_set |-> cr0ack[3]);
  events_while_on: assert property (@(posedge clk) disable iff (!rst_n) evtq_prod_set |-> cr0ack[2]);
  no_command_over_an_error: assert property (@(posedge clk) disable iff (!rst_n)
    cmdq_cons_set && cmdq_err_next != 7'd0 && !active[0] |=> gerror[0] != $past(gerror[0]));

  // ---- Global errors.
  active_errors_stay: assert property (@(posedge clk) disable iff (!rst_n) (raised & active) == 9'd0);
  errors_toggle: assert property (@(posedge clk) disable iff (!rst_n) 1'b1 |=> gerror == ($past(gerror) ^ $past(raised)));
  errors_are_told: assert property (@(posedge clk) disable iff (!rst_n) (raised & 9'h17f) != 9'd0 |=> gerr_cause);

  // ---- APB.
  no_wait_states: assert property (@(posedge clk) disable iff (!rst_n) psel && penable |-> pready);
  writes_in_the_access: assert property (@(posedge clk) disable iff (!rst_n) write |-> psel && penable);

endmodule

bind smmu_registers smmu_registers_checker checker_i (.*);
