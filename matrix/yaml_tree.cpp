// SPDX-License-Identifier: Apache-2.0
#include "matrix/yaml_tree.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "matrix/load_error.h"

namespace lockstep::matrix {
namespace {

// Thrown through the parser of yaml-cpp, which has no other way to be stopped; caught in read_yaml.
struct Refused {
  int line;
  std::string what;
};

// Builds the tree from the parser's events. The parser's own node builder follows aliases without a bound and forgets
// duplicate keys, so its nodes are not used.
class TreeBuilder : public YAML::EventHandler {
 public:
  std::shared_ptr<const YamlNode> root() const { return root_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(make(YamlNode::Kind::kNull, mark), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw Refused{mark.line + 1, "an alias stands inside the node that it names"};
    add(found->second, 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, const std::string& value) override {
    auto node = make(YamlNode::Kind::kScalar, mark);
    node->scalar = value;
    add(node, anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kSequence, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlNode::Kind::kMap, mark, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    std::shared_ptr<YamlNode> node;
    YAML::anchor_t anchor;
    std::shared_ptr<const YamlNode> key;  // of a map entry whose value has not come yet
  };

  static std::shared_ptr<YamlNode> make(YamlNode::Kind kind, const YAML::Mark& mark) {
    auto node = std::make_shared<YamlNode>();
    node->kind = kind;
    node->line = mark.line + 1;
    return node;
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (static_cast<int>(stack_.size()) >= kMaxYamlDepth) {
      throw Refused{mark.line + 1, fmt::format("nested deeper than {} levels", kMaxYamlDepth)};
    }
    stack_.push_back({make(kind, mark), anchor, nullptr});
  }

  void close() {
    Open done = std::move(stack_.back());
    stack_.pop_back();
    add(done.node, done.anchor);
  }

  void add(const std::shared_ptr<const YamlNode>& node, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = node;
    if (stack_.empty()) {
      root_ = node;
      return;
    }
    Open& parent = stack_.back();
    parent.node->weight += node->weight;
    if (parent.node->weight > kMaxYamlNodes) {
      throw Refused{parent.node->line, fmt::format("more than {} nodes once aliases are written out", kMaxYamlNodes)};
    }
    if (parent.node->is_sequence()) {
      parent.node->items.push_back(node);
    } else if (!parent.key) {
      parent.key = node;
    } else {
      parent.node->entries.emplace_back(std::move(parent.key), node);
      parent.key = nullptr;
    }
  }

  std::shared_ptr<const YamlNode> root_;
  std::vector<Open> stack_;
  std::map<YAML::anchor_t, std::shared_ptr<const YamlNode>> anchors_;
};

}  // namespace

const char* YamlNode::kind_text() const {
  switch (kind) {
    case Kind::kNull:
      return "nothing";
    case Kind::kScalar:
      return "a single value";
    case Kind::kSequence:
      return "a list";
    case Kind::kMap:
      return "a mapping";
  }
  return "?";
}

core::Result<std::shared_ptr<const YamlNode>> read_yaml(std::string_view text, const std::string& name) {
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    TreeBuilder builder;
    if (!parser.HandleNextDocument(builder) || !builder.root()) {
      return core::Error{fmt::format("{}:1: the file is empty", name)};
    }
    TreeBuilder second;
    if (parser.HandleNextDocument(second)) {
      const int line = second.root() ? second.root()->line : 1;
      return core::Error{fmt::format("{}:{}: a second YAML document; one file holds one contract", name, line)};
    }
    return builder.root();
  } catch (const Refused& refused) {
    return core::Error{fmt::format("{}:{}: {}", name, refused.line, refused.what)};
  } catch (const YAML::Exception& error) {
    return core::Error{
        fmt::format("{}:{}: not valid YAML: {}", name, std::max(error.mark.line + 1, 1), printable(error.msg))};
  } catch (const std::exception& error) {
    return core::Error{fmt::format("{}:1: not valid YAML: {}", name, printable(error.what()))};
  }
}

}  // namespace lockstep::matrix
