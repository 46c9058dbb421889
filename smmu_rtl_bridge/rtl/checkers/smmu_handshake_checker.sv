// SPDX-License-Identifier: Apache-2.0

// A valid/ready handshake inside the SMMU: what is offered stays, unchanged, until it is taken. The payload is looked at
// only while an offer waits, so a wide one costs a simulation little.
module smmu_handshake_checker #(
    parameter int BITS = 1
) (
    input logic            clk,
    input logic            rst_n,
    input logic            valid,
    input logic            ready,
    input logic [BITS-1:0] payload
);

  logic            waiting;
  logic [BITS-1:0] offered;

  always_ff @(posedge clk) begin
    waiting <= rst_n && valid && !ready;
    if (rst_n && valid && !ready && !waiting) offered <= payload;
    if (rst_n && waiting) begin
      offer_stays: assert (valid)
      else $error("%m: the offer was withdrawn");
      payload_stays: assert (payload == offered)
      else $error("%m: the payload changed before it was taken");
    end
  end

endmodule
