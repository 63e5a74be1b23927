#include "bus-service/core/filter.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

#include "absl/strings/str_format.h"
#include "bus-service/core/errors.h"
#include "bus-service/core/event.h"
#include "sdk/base/nearest.h"

namespace pvebus::bus {

struct Filter::Node {
  enum class Kind { kAnd, kOr, kNot, kCompare };
  enum class Operator { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kHas };

  Kind kind = Kind::kCompare;
  std::vector<std::shared_ptr<const Node>> children;
  std::string field;
  Operator op = Operator::kEqual;
  std::string value;
  bool any_prefix = false;  // the value began with *
  bool any_suffix = false;  // the value ended with *

  bool Matches(const Lookup& lookup) const;
  bool Compare(std::optional<std::string_view> actual) const;
};

namespace {

std::optional<double> AsNumber(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

int Order(std::string_view a, std::string_view b) {
  const auto x = AsNumber(a), y = AsNumber(b);
  if (x && y) return *x < *y ? -1 : *x > *y ? 1 : 0;
  return a.compare(b);
}

}  // namespace

bool Filter::Node::Compare(std::optional<std::string_view> actual) const {
  if (op == Operator::kHas) {
    if (value.empty() && any_prefix) return actual.has_value() && !actual->empty();
    return actual && actual->find(value) != std::string_view::npos;
  }
  if (op == Operator::kEqual || op == Operator::kNotEqual) {
    bool equal = false;
    if (actual) {
      if (any_prefix && any_suffix) {
        equal = actual->find(value) != std::string_view::npos;
      } else if (any_prefix) {
        equal = actual->ends_with(value);
      } else if (any_suffix) {
        equal = actual->starts_with(value);
      } else {
        equal = *actual == value;
      }
    }
    return equal == (op == Operator::kEqual);
  }
  if (!actual) return false;
  const int order = Order(*actual, value);
  switch (op) {
    case Operator::kLess:
      return order < 0;
    case Operator::kLessEqual:
      return order <= 0;
    case Operator::kGreater:
      return order > 0;
    default:
      return order >= 0;
  }
}

bool Filter::Node::Matches(const Lookup& lookup) const {
  switch (kind) {
    case Kind::kAnd:
      for (const auto& child : children) {
        if (!child->Matches(lookup)) return false;
      }
      return true;
    case Kind::kOr:
      for (const auto& child : children) {
        if (child->Matches(lookup)) return true;
      }
      return false;
    case Kind::kNot:
      return !children[0]->Matches(lookup);
    case Kind::kCompare:
      break;
  }
  return Compare(lookup(field));
}

// Recursive descent over the text; the first error ends it.
class FilterParser {
 public:
  using Node = Filter::Node;
  using NodePtr = std::shared_ptr<const Node>;

  FilterParser(std::string_view text, const std::vector<Filter::Field>& fields) : text_(text), fields_(fields) {}

  absl::StatusOr<NodePtr> Parse() {
    NodePtr root = Expression(0);
    SkipBlanks();
    if (error_.ok() && at_ < text_.size()) Fail("unexpected ')'");
    if (!error_.ok()) return error_;
    return root;
  }

 private:
  static constexpr int kMaxDepth = 32;

  NodePtr Fail(std::string_view what) {
    if (error_.ok()) error_ = FilterInvalid(text_, at_, what);
    return nullptr;
  }

  void SkipBlanks() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }

  bool AtWord(std::string_view word) const {
    if (!text_.substr(at_).starts_with(word)) return false;
    const size_t after = at_ + word.size();
    return after >= text_.size() || std::isspace(static_cast<unsigned char>(text_[after])) || text_[after] == '(';
  }

  bool TakeWord(std::string_view word) {
    SkipBlanks();
    if (!AtWord(word)) return false;
    at_ += word.size();
    return true;
  }

  static NodePtr Join(Node::Kind kind, std::vector<NodePtr> children) {
    if (children.size() == 1) return children[0];
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->children = std::move(children);
    return node;
  }

  // factor {[AND] factor}
  NodePtr Expression(int depth) {
    if (depth > kMaxDepth) return Fail("too many nested parentheses");
    std::vector<NodePtr> all;
    bool more = true;
    while (more) {
      NodePtr factor = Factor(depth);
      if (!error_.ok()) return nullptr;
      all.push_back(std::move(factor));
      more = TakeWord("AND");
      SkipBlanks();
      more = more || (at_ < text_.size() && text_[at_] != ')');
    }
    return Join(Node::Kind::kAnd, std::move(all));
  }

  // term {OR term}
  NodePtr Factor(int depth) {
    std::vector<NodePtr> any;
    do {
      NodePtr term = Term(depth);
      if (!error_.ok()) return nullptr;
      any.push_back(std::move(term));
    } while (TakeWord("OR"));
    return Join(Node::Kind::kOr, std::move(any));
  }

  // [NOT | -] (comparison | "(" expression ")")
  NodePtr Term(int depth) {
    SkipBlanks();
    bool negate = TakeWord("NOT");
    SkipBlanks();
    if (!negate && at_ < text_.size() && text_[at_] == '-') {
      negate = true;
      ++at_;
    }
    NodePtr inner;
    if (at_ < text_.size() && text_[at_] == '(') {
      ++at_;
      inner = Expression(depth + 1);
      SkipBlanks();
      if (error_.ok() && (at_ >= text_.size() || text_[at_] != ')')) Fail("')' expected");
      ++at_;
    } else {
      inner = Comparison();
    }
    if (!error_.ok()) return nullptr;
    if (!negate) return inner;
    auto node = std::make_shared<Node>();
    node->kind = Node::Kind::kNot;
    node->children.push_back(std::move(inner));
    return node;
  }

  NodePtr Comparison() {
    auto node = std::make_shared<Node>();
    const size_t start = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_' ||
                                  text_[at_] == '.' || text_[at_] == '-')) {
      ++at_;
    }
    node->field = text_.substr(start, at_ - start);
    if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'') && node->field.ends_with('.')) {  // attributes."a key"
      std::optional<std::string> key = Quoted();
      if (!key) return nullptr;
      node->field += *key;
    }
    if (node->field.empty()) return Fail(at_ < text_.size() ? "a field name expected" : "a field name expected, not the end");
    const Filter::Field* field = FindField(node->field);
    if (!field) return UnknownField(start, node->field);
    SkipBlanks();
    if (!TakeOperator(*node)) return Fail("a comparison expected: one of = != < <= > >= :");
    SkipBlanks();
    const size_t value_start = at_;
    if (!TakeValue(*node)) return nullptr;
    const size_t end = std::exchange(at_, value_start);
    if (!CanBeEqual(*field, *node)) return nullptr;
    at_ = end;
    return node;
  }

  const Filter::Field* FindField(std::string_view name) const {
    for (const Filter::Field& field : fields_) {
      if (field.name.ends_with('.') ? name.starts_with(field.name) && name.size() > field.name.size() : name == field.name)
        return &field;
    }
    return nullptr;
  }

  NodePtr UnknownField(size_t start, const std::string& name) {
    at_ = start;
    std::string known;
    std::vector<std::string> names;
    for (const Filter::Field& field : fields_) {
      known += (known.empty() ? "" : ", ") + field.name + (field.name.ends_with('.') ? "KEY" : "");
      names.push_back(field.name);
    }
    return Fail(absl::StrFormat("unknown field \"%s\"%s (there are: %s)", name, DidYouMean(name, names), known));
  }

  // A comparison that could never be true is a slip of the keyboard.
  bool CanBeEqual(const Filter::Field& field, const Node& node) {
    if (field.values.empty() || node.any_prefix || node.any_suffix) return true;
    if (node.op != Node::Operator::kEqual && node.op != Node::Operator::kNotEqual) return true;
    if (std::find(field.values.begin(), field.values.end(), node.value) != field.values.end()) return true;
    std::string known;
    for (const std::string& value : field.values) known += (known.empty() ? "" : ", ") + value;
    Fail(absl::StrFormat("%s is never \"%s\"%s (it is one of: %s)", field.name, node.value, DidYouMean(node.value, field.values),
                         known));
    return false;
  }

  bool TakeOperator(Node& node) {
    using Operator = Node::Operator;
    static constexpr std::pair<std::string_view, Operator> kOperators[] = {
        {"!=", Operator::kNotEqual}, {"<=", Operator::kLessEqual}, {">=", Operator::kGreaterEqual},
        {"=", Operator::kEqual},     {"<", Operator::kLess},       {">", Operator::kGreater},
        {":", Operator::kHas}};
    for (const auto& [sign, op] : kOperators) {
      if (text_.substr(at_).starts_with(sign)) {
        at_ += sign.size();
        node.op = op;
        return true;
      }
    }
    return false;
  }

  std::optional<std::string> Quoted() {
    const char quote = text_[at_];
    const size_t start = at_++;
    std::string value;
    for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      value += text_[at_];
    }
    if (at_ >= text_.size()) {
      at_ = start;
      Fail("the quote is never closed");
      return std::nullopt;
    }
    ++at_;
    return value;
  }

  bool TakeValue(Node& node) {
    if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) {
      auto value = Quoted();
      if (!value) return false;
      node.value = *std::move(value);
    } else {
      const size_t start = at_;
      while (at_ < text_.size() && !std::isspace(static_cast<unsigned char>(text_[at_])) && text_[at_] != '(' &&
             text_[at_] != ')')
        ++at_;
      node.value = text_.substr(start, at_ - start);
      if (node.value.empty()) {
        Fail("a value expected");
        return false;
      }
    }
    if (node.value.starts_with('*')) {
      node.any_prefix = true;
      node.value.erase(0, 1);
    }
    if (node.value.ends_with('*')) {
      node.any_suffix = true;
      node.value.pop_back();
    }
    return true;
  }

  const std::string_view text_;
  const std::vector<Filter::Field>& fields_;
  size_t at_ = 0;
  absl::Status error_;
};

absl::StatusOr<Filter> Filter::Parse(std::string_view text, const std::vector<Field>& fields) {
  if (text.size() > kMaxBytes) return FilterInvalid(text, kMaxBytes, absl::StrFormat("longer than %d bytes", kMaxBytes));
  Filter filter;
  filter.text_ = text;
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return filter;
  auto root = FilterParser(text, fields).Parse();
  if (!root.ok()) return root.status();
  filter.root_ = *std::move(root);
  return filter;
}

absl::StatusOr<Filter> Filter::ParseForEvents(std::string_view text) {
  return Parse(text, {{"event_type",
                       {"network_applied", "container_started", "storage_vlan_created", "migration_phase_changed", "custom"}},
                      "source",
                      "subject",
                      "ordering_key",
                      "attributes."});
}

bool Filter::Matches(const Lookup& lookup) const { return !root_ || root_->Matches(lookup); }

bool Filter::Matches(const Event& event) const {
  if (!root_) return true;
  return root_->Matches([&event](std::string_view field) -> std::optional<std::string_view> {
    if (field == "event_type") return EventTypeName(event.type);
    if (field == "source") return event.source;
    if (field == "subject") return event.subject;
    if (field == "ordering_key") return event.ordering_key;
    constexpr std::string_view kAttributes = "attributes.";
    const auto it = event.attributes.find(std::string(field.substr(kAttributes.size())));
    if (it == event.attributes.end()) return std::nullopt;
    return it->second;
  });
}

}  // namespace pvebus::bus
