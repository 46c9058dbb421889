// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "matrix/contract.h"
#include "matrix/model.h"

// The contract as variables and clauses.
namespace lockstep::matrix {

// Clauses of one contract. A group of n features that exclude each other makes n(n-1)/2.
inline constexpr std::size_t kMaxClauses = 100'000;

struct ContractModel {
  Model model;
  std::vector<const Feature*> features;  // of each variable
  std::unordered_map<std::string, std::uint32_t> variables;
  std::vector<std::string> origins;  // of each clause: the statement of the file it comes from, with its line
  bool too_large = false;            // more than kMaxClauses; the rest was left out
};

// The contract must outlive the model. Its references must have been checked.
ContractModel build_model(const Contract& contract);

// What a feature is while something above it is off, or while nobody asks for it: "off" if it has that value, else its
// default.
std::size_t inactive_value(const Feature& feature);

// The literals that all have to hold for the reference to hold.
std::vector<Literal> literals_of(const Contract& contract, const ContractModel& model, const FeatureRef& ref);

}  // namespace lockstep::matrix
