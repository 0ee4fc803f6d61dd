// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// What nodectl does: whom it asks, when it goes on to the next, and what it makes of the answers.

#include <understudy/core/errors.hpp>
#include <understudy/recovery/remains_image.hpp>
#include <understudy/recovery/survivors.hpp>

#include <nlohmann/json.hpp>

#include "../node/nearest_name.hpp"
#include "door.hpp"
#include "json_text.hpp"
#include "options.hpp"
#include "tables.hpp"

#include <ostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace nodectl {

class commands {
public:
  commands(const options& told, door& nodes, std::ostream& out, std::ostream& err)
      : told_{told}, nodes_{nodes}, out_{out}, err_{err} {}

  [[nodiscard]] exit_code run() {
    const auto& c = told_.command;
    if (c == "status")
      return status();
    if (c == "journal")
      return journal();
    if (c == "leave" || c == "snapshot" || c == "save")
      return at_one_node();
    if (c == "recover")
      return recover();
    if (c == "settings")
      return settings();
    if (c == "use-version")
      return use_version();
    if (c == "plan")
      return plan();
    if (c == "safe-to-stop")
      return safe_to_stop();
    return order();
  }

private:
  // -- all nodes
  // -----------------------------------------------------------------------------------

  /// The answers of all who answer, each with its address; the others are told of.
  [[nodiscard]] std::vector<std::pair<std::string, nlohmann::json>> ask_all(const request& what) {
    std::vector<std::pair<std::string, nlohmann::json>> all;
    for (const auto& at : told_.addresses) {
      auto got = nodes_.ask(at, what);
      if (got.how == contact::answered && got.status < 400)
        all.emplace_back(at, std::move(got.body));
      else
        complain(at, got);
    }
    return all;
  }

  exit_code status() {
    std::vector<nlohmann::json> all;
    for (auto& [at, said] : ask_all({"GET", "/admin/status"}))
      all.push_back(std::move(said));
    out_ << status_table(all);
    return show_complaints(all.empty() ? exit_code::unknown : exit_code::done);
  }

  exit_code journal() {
    std::vector<nlohmann::json> lines;
    const auto nodes = ask_all({"GET", "/admin/status"});
    bool any = false;
    for (const auto& [at, said] : nodes) {
      const auto got = nodes_.ask(at, {"GET", "/admin/journal", {wait()}});
      if (got.how != contact::answered || got.status >= 400) {
        complain(at, got);
        continue;
      }
      any = true;
      for (auto& line : items_in(got.body, "lines")) {
        line["node"] = called(said);
        lines.push_back(std::move(line));
      }
    }
    if (any)
      out_ << journal_table(std::move(lines));
    return show_complaints(any ? exit_code::done : exit_code::unknown);
  }

  // -- a certain node
  // ------------------------------------------------------------------------------

  exit_code at_one_node() {
    std::string place = told_.addresses.front();
    if (!told_.member.empty()) {
      const auto nodes = ask_all({"GET", "/admin/status"});
      std::vector<std::string> names;
      std::vector<std::string> found;
      for (const auto& [at, said] : nodes) {
        names.push_back(text_in(said, "name"));
        if (names.back() == told_.member || text_in(said, "id") == told_.member)
          found.push_back(at);
      }
      if (found.size() != 1) {
        err_ << "nodectl: " << (found.empty() ? "none" : "more than one")
             << " of the nodes that answer is " << detail::in_quotes(told_.member)
             << node_program::hint_at(told_.member, found.empty() ? names : decltype(names){})
             << '\n';
        return show_complaints(nodes.size() < told_.addresses.size() ? exit_code::unknown
                                                                     : exit_code::no);
      }
      place = found.front();
      complaints_.clear();
    }
    if (told_.command == "save")
      return save(place);
    const bool leaves = told_.command == "leave";
    return ask_until_answered(
        {place},
        leaves ? request{"POST", "/admin/leave"} : request{"POST", "/admin/snapshot", {wait()}},
        [&](const nlohmann::json& said) {
          if (leaves)
            out_ << called(said) << " has left"
                 << (detail::is_true(said, "last_member") ? ", and was the last of its cluster\n"
                                                          : "\n");
          else
            out_ << called(said) << " has stored its table as of entry " << text_in(said, "index")
                 << '\n';
          return exit_code::done;
        });
  }

  exit_code save(const std::string& place) {
    const auto got = nodes_.ask(place, {"GET", "/admin/remains", {wait()}});
    if (got.how != contact::answered || got.status >= 400) {
      complain(place, got);
      return show_complaints(exit_code::unknown);
    }
    const auto image = std::as_bytes(std::span{got.raw});
    const auto left = understudy::decode_remains(image);
    if (!left) {
      err_ << "nodectl: " << place << ": " << left.error().detail << '\n';
      return exit_code::unknown;
    }
    if (const auto done = understudy::keep_remains(image, told_.file); !done)
      return refuse(done.error());
    out_ << "saved " << image.size() << " bytes, up to entry " << left->last().index.value
         << " of term " << left->last().term.value << '\n';
    return exit_code::done;
  }

  // -- nobody: what is left
  // ------------------------------------------------------------------------

  exit_code recover() {
    std::vector<understudy::remains> all;
    for (const auto& path : told_.paths) {
      auto left = understudy::remains_at(path);
      if (!left)
        return refuse(left.error());
      all.push_back(std::move(*left));
    }
    const auto best = understudy::inherit(all);
    if (!best)
      return refuse(best.error());
    out_ << *best << "To go on: stop what still runs of the old cluster, start node --recover "
         << told_.paths[best->from]
         << " --data DIR with an empty directory, and the others anew with that one as their "
            "--seed.\n";
    return exit_code::done;
  }

  exit_code refuse(const understudy::failure& why) {
    err_ << "nodectl: " << to_string(why.code) << ": " << why.detail << '\n';
    return exit_code::no;
  }

  // -- any node, or the leader
  // ---------------------------------------------------------------------

  exit_code order() {
    request what{"POST", "/admin/" + told_.command, {wait()}};
    if (!told_.member.empty())
      what.query.emplace_back("member", told_.member);
    return ask_until_answered(told_.addresses, what, [&](const nlohmann::json& said) {
      const auto who = called(part_in(said, "member"));
      const auto& c = told_.command;
      out_ << (who.empty() ? "somebody" : who)
           << (c == "transfer" ? " leads"
               : c == "evict"  ? " is evicted"
               : c == "pin"    ? " is pinned: it stays a listener"
                               : " is pinned no more")
           << " (entry " << text_in(said, "index") << ")\n";
      return exit_code::done;
    });
  }

  exit_code use_version() {
    const request what{
        "POST", "/admin/use-version", {wait(), {"version", std::to_string(told_.version)}}};
    return ask_until_answered(told_.addresses, what, [&](const nlohmann::json& said) {
      out_ << "version " << text_in(said, "version") << " is used (entry " << text_in(said, "index")
           << ")\n";
      return exit_code::done;
    });
  }

  exit_code settings() {
    if (told_.settings.is_null())
      return ask_until_answered(told_.addresses, {"GET", "/admin/settings", {wait()}},
                                [&](const nlohmann::json& said) {
                                  out_ << settings_table(said);
                                  return exit_code::done;
                                });
    return ask_until_answered(told_.addresses,
                              {"PUT", "/admin/settings", {wait()}, told_.settings.dump()},
                              [&](const nlohmann::json& said) {
                                out_ << settings_table(part_in(said, "settings"));
                                return exit_code::done;
                              });
  }

  exit_code plan() {
    request what{"GET", "/admin/plan", {wait()}};
    for (const auto& name : told_.dies)
      what.query.emplace_back("dies", name);
    for (const auto& name : told_.leaves)
      what.query.emplace_back("leaves", name);
    return ask_until_answered(told_.addresses, what, [&](const nlohmann::json& said) {
      out_ << plan_text(said);
      return exit_code::done;
    });
  }

  exit_code safe_to_stop() {
    return ask_until_answered(
        told_.addresses, {"GET", "/admin/safe-to-stop", {wait(), {"member", told_.member}}},
        [&](const nlohmann::json& said) {
          const bool safe = detail::is_true(said, "safe");
          out_ << called(part_in(said, "member"))
               << (safe ? " can be stopped" : " should not be stopped: " + text_in(said, "why"))
               << '\n';
          return safe ? exit_code::done : exit_code::no;
        });
  }

  /// Asks one after the other until one does it, or says that it must not be.
  template <class Use>
  exit_code ask_until_answered(const std::vector<std::string>& places, const request& what,
                               Use use) {
    for (const auto& at : places) {
      const auto got = nodes_.ask(at, what);
      if (got.how == contact::answered && got.status < 400)
        return use(got.body);
      complain(at, got);
      if (is_for_others(got, what.method == "GET"))
        continue;
      if (is_certain(got))
        return show_complaints(exit_code::no);
      complaints_ += "nodectl: it may have been done, or may still be\n";
      break;
    }
    return show_complaints(exit_code::unknown);
  }

  /// Whether it was certainly not done by whoever was asked.
  [[nodiscard]] static bool is_certain(const reply& got) {
    return got.how == contact::unreachable || text_in(got.body, "certainty") == "not_applied";
  }

  /// Whether the reason lies with that node itself, so that the next may do better: it may be
  /// stopping, or not lead. An order that may have been taken is given to nobody else, and neither
  /// is one that took too long: it would take as long again.
  [[nodiscard]] static bool is_for_others(const reply& got, bool question) {
    if (got.how != contact::answered)
      return question || got.how == contact::unreachable;
    if (question)
      return got.status >= 500;
    return (got.status == 500 || got.status == 503) && is_certain(got);
  }

  [[nodiscard]] std::pair<std::string, std::string> wait() const {
    return {"timeout", nlohmann::json(told_.timeout).dump()};
  }

  void complain(const std::string& at, const reply& got) {
    complaints_ += "nodectl: " + at + ": ";
    if (got.how == contact::unreachable)
      complaints_ += "can not be reached: " + got.why;
    else if (got.how == contact::silent)
      complaints_ += "gave no answer: " + got.why;
    else
      complaints_ += text_in(got.body, "error") + ": " + text_in(got.body, "detail");
    complaints_ += '\n';
  }

  exit_code show_complaints(exit_code status) {
    err_ << complaints_;
    return status;
  }

  const options& told_;
  door& nodes_;
  std::ostream& out_;
  std::ostream& err_;
  std::string complaints_; ///< shown if nobody answers, or if all were asked
};

} // namespace nodectl
