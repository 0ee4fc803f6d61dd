// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// Reads EDN, as far as histories of operations are written in it.
///
/// Values are nil, booleans, numbers, strings, characters, keywords, symbols, lists, vectors, sets
/// and maps. Commas are space; `;` begins a comment, `#_` takes a value away, and any other tag,
/// such as `#jepsen.history.Op`, is passed over and its value read.

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace understudy::testing {

/// A place in a text: both count from 1.
struct text_position {
  std::size_t line = 1;
  std::size_t column = 1;
};

/// A text is not what it should be, and where.
class unreadable_text : public std::runtime_error {
public:
  unreadable_text(text_position at, const std::string& what)
      : std::runtime_error{std::to_string(at.line) + ":" + std::to_string(at.column) + ": " + what},
        at_{at} {}

  [[nodiscard]] text_position at() const { return at_; }

private:
  text_position at_;
};

/// A value, and where it was read.
struct edn_value {
  enum class kind : unsigned char { atom, text, sequence, set, map };

  kind what = kind::atom;
  /// Of a string, what it says; of another atom, how it is written: `nil`, `-4`, `:invoke`.
  std::string text = {};
  /// What a collection holds; of a map, keys and values in turn.
  std::vector<edn_value> items = {};
  text_position at = {};

  [[nodiscard]] bool is_nil() const { return what == kind::atom && text == "nil"; }
  [[nodiscard]] bool is_keyword() const { return what == kind::atom && text.starts_with(':'); }

  /// The value of a map under a keyword, or null.
  [[nodiscard]] const edn_value* find(std::string_view keyword) const {
    for (std::size_t i = 0; what == kind::map && i + 1 < items.size(); i += 2)
      if (items[i].what == kind::atom && items[i].text == keyword)
        return &items[i + 1];
    return nullptr;
  }

  /// The value as EDN, always the same for equal values written alike.
  [[nodiscard]] std::string written() const {
    if (what == kind::atom)
      return text;
    if (what == kind::text)
      return '"' + text + '"';
    std::string all = what == kind::sequence ? "[" : what == kind::set ? "#{" : "{";
    for (const auto& item : items)
      all += (&item == items.data() ? "" : " ") + item.written();
    return all + (what == kind::sequence ? ']' : '}');
  }
};

/// Takes one value after the other from a text, which must outlive it.
class edn_reader {
public:
  explicit edn_reader(std::string_view text, text_position at = {}) : text_{text}, at_{at} {}

  /// Whether nothing but space is left.
  [[nodiscard]] bool at_end() {
    skip_space();
    return left().empty();
  }

  [[nodiscard]] text_position position() const { return at_; }

  /// The next character, after space; 0 at the end.
  [[nodiscard]] char peek() { return at_end() ? '\0' : left().front(); }

  /// Passes over the next character.
  void skip() {
    if (left().front() == '\n')
      at_ = {at_.line + 1, 1};
    else
      ++at_.column;
    ++next_;
  }

  /// The next value. Throws `unreadable_text`, also at the end.
  [[nodiscard]] edn_value read() { return read_within(0); }

private:
  static constexpr int depth_max = 64;

  [[nodiscard]] std::string_view left() const { return text_.substr(next_); }

  static bool is_space(char c) {
    return c == ' ' || c == ',' || c == '\n' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
  }
  static bool ends_atom(char c) {
    return is_space(c) || std::string_view{"()[]{}\";"}.find(c) != std::string_view::npos;
  }

  void skip_space() {
    while (!left().empty()) {
      if (left().front() == ';')
        while (!left().empty() && left().front() != '\n')
          skip();
      else if (is_space(left().front()))
        skip();
      else if (left().starts_with("#_"))
        skip_discarded();
      else
        return;
    }
  }

  void skip_discarded() {
    if (++discards_ > depth_max)
      throw unreadable_text{at_, "too many values are taken away in a row"};
    skip();
    skip();
    static_cast<void>(read());
    --discards_;
  }

  edn_value read_within(int depth) {
    skip_space();
    const auto begin = at_;
    if (depth > depth_max)
      throw unreadable_text{begin, "values are nested too deeply"};
    if (left().empty())
      throw unreadable_text{begin, "the text ends where a value should be"};
    switch (left().front()) {
    case '(':
      return collection(edn_value::kind::sequence, ')', 1, depth);
    case '[':
      return collection(edn_value::kind::sequence, ']', 1, depth);
    case '{':
      return collection(edn_value::kind::map, '}', 1, depth);
    case '"':
      return string();
    case ')':
    case ']':
    case '}':
      throw unreadable_text{begin, std::string{"a '"} + left().front() + "' closes nothing"};
    case '#':
      break;
    default:
      return atom();
    }
    if (left().starts_with("#{"))
      return collection(edn_value::kind::set, '}', 2, depth);
    if (left().starts_with("#[") || left().starts_with("#("))
      skip(); // how some Clojure objects are printed
    else
      static_cast<void>(atom());
    return read_within(depth + 1);
  }

  edn_value collection(edn_value::kind what, char end, std::size_t opening, int depth) {
    edn_value all{what, {}, {}, at_};
    for (; opening > 0; --opening)
      skip();
    while (peek() != end) {
      if (left().empty())
        throw unreadable_text{at_, std::string{"the text ends before the '"} + end
                                       + "' of what begins in line " + std::to_string(all.at.line)
                                       + ", column " + std::to_string(all.at.column)};
      all.items.push_back(read_within(depth + 1));
    }
    if (what == edn_value::kind::map && all.items.size() % 2 != 0)
      throw unreadable_text{all.at, "a map has a key without a value"};
    skip();
    return all;
  }

  edn_value string() {
    edn_value all{edn_value::kind::text, {}, {}, at_};
    skip();
    while (!left().empty() && left().front() != '"') {
      if (left().front() == '\\') {
        skip();
        if (left().empty())
          break;
        all.text += escaped(left().front());
      } else {
        all.text += left().front();
      }
      skip();
    }
    if (left().empty())
      throw unreadable_text{all.at, "a string has no end"};
    skip();
    return all;
  }

  static char escaped(char c) {
    switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    default:
      return c;
    }
  }

  edn_value atom() {
    edn_value all{edn_value::kind::atom, {}, {}, at_};
    if (left().front() == '\\') { // a character, which may be one that ends an atom
      all.text += left().front();
      skip();
      if (left().empty())
        throw unreadable_text{all.at, "the text ends where a character should be"};
    }
    do {
      all.text += left().front();
      skip();
    } while (!left().empty() && !ends_atom(left().front()));
    return all;
  }

  std::string_view text_;
  std::size_t next_ = 0;
  text_position at_;
  int discards_ = 0;
};

} // namespace understudy::testing
