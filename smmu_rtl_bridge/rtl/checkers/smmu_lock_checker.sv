// SPDX-License-Identifier: Apache-2.0

// Registers that are locked: from the clock after `locked` rises on they keep the value that they had.
module smmu_lock_checker #(
    parameter int BITS = 1
) (
    input logic            clk,
    input logic            rst_n,
    input logic            locked,
    input logic [BITS-1:0] value
);

  logic            was_locked;
  logic [BITS-1:0] kept;

  always_ff @(posedge clk) begin
    was_locked <= rst_n && locked;
    if (!was_locked) kept <= value;
    if (rst_n && was_locked) begin
      value_stays: assert (value == kept)
      else $error("%m: a locked register has changed");
    end
  end

endmodule
