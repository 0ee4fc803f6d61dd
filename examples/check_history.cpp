// SPDX-License-Identifier: BSL-1.0

// Says of histories of operations, which a test of any system may have written down, whether they
// are linearizable:
//
//   check_history --model cas-register run1.edn etcd.log
//
// Histories are EDN as Knossos and Porcupine have it, or logs of Jepsen. The exit status is 0 if
// all are linearizable, 1 if any is not, 3 if that is unknown of some, and 2 if a file can not be
// read or an option is wrong.

#include <understudy/testing/edn.hpp>
#include <understudy/testing/history_formats.hpp>
#include <understudy/testing/history_models.hpp>
#include <understudy/testing/linearizability.hpp>
#include <understudy/testing/written_operations.hpp>

#include <CLI/CLI.hpp>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using namespace understudy::testing;

struct options {
  std::string model = "cas-register";
  std::optional<std::string> initial = std::nullopt;
  std::vector<std::string> files = {};
  search_limits limits = {};
};

std::string content_of(const std::string& file) {
  std::ifstream in{file, std::ios::binary};
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  if (!in || in.bad())
    throw std::runtime_error{std::string{"can not be read: "}
                             + (errno != 0 ? std::strerror(errno) : "it is no file")};
  return text;
}

/// Such as `process 3 :read 4 (line 17)`.
template <class Model> std::string told(const read_operations<Model>& all, std::size_t place) {
  const auto& asked = all.invocations[place];
  const auto& one = all.history[place];
  auto text = "process " + std::to_string(asked.process) + " " + asked.function.text.substr(1);
  if (asked.key)
    text += " of " + asked.key->written();
  if constexpr (requires { one.reply->value; }) {
    if (one.call.what == register_call::kind::read)
      text += " " + one.reply->value.value_or("nil");
    else
      text += " " + asked.value.written();
  } else {
    text += one.call.what == text_call::kind::get ? " \"" + one.reply->text + '"'
                                                  : " " + asked.value.written();
  }
  return text + " (line " + std::to_string(all.completions[place].line) + ")";
}

template <class Model>
linearity judge(const std::string& file, const Model& model, const read_operations<Model>& all,
                const search_limits& limits) {
  const auto result = check_linearizable(model, all.history, limits);
  std::cout << file << ": ";
  if (result.found == linearity::linearizable)
    std::cout << "linearizable\n";
  else if (result.found == linearity::unknown)
    std::cout << "unknown: a limit was reached after " << result.configurations
              << " configurations\n";
  else
    std::cout << "not linearizable: the first operation that cannot be placed is "
              << told(all, *result.culprit) << "\n";
  return result.found;
}

linearity judge(const std::string& file, const options& how) {
  const auto events = read_history(content_of(file));
  if (how.model == "kv")
    return judge(file, key_value{how.initial.value_or("")}, text_operations(events), how.limits);
  return judge(file, cas_register{how.initial},
               register_operations(events, how.model == "cas-register"), how.limits);
}

} // namespace

int main(int argc, char** argv) {
  options how;
  constexpr std::size_t mebibyte = std::size_t{1} << 20;
  std::size_t memory = how.limits.memory_max / mebibyte;
  CLI::App app{"Says whether histories of operations are linearizable."};
  app.add_option("--model", how.model, "register, cas-register or kv")
      ->required()
      ->check(CLI::IsMember({"register", "cas-register", "kv"}));
  app.add_option("--initial", how.initial,
                 "what is there before the first write (register: nothing, kv: the empty text)");
  app.add_option("--configurations", how.limits.configurations_max, "after so many: unknown")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40))
      ->capture_default_str();
  app.add_option("--memory", memory, "after so many MiB for the search: unknown")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1} << 24))
      ->capture_default_str();
  app.add_option("files", how.files, "histories: EDN, or logs of Jepsen")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  how.limits.memory_max = memory * mebibyte;

  bool any_bad_file = false;
  bool any_wrong = false;
  bool any_unknown = false;
  for (const auto& file : how.files) {
    try {
      const auto found = judge(file, how);
      any_wrong |= found == linearity::not_linearizable;
      any_unknown |= found == linearity::unknown;
    } catch (const unreadable_text& e) {
      std::cerr << file << ":" << e.what() << "\n";
      any_bad_file = true;
    } catch (const std::bad_alloc&) {
      std::cout << file << ": unknown: there is no memory for the search\n";
      any_unknown = true;
    } catch (const std::exception& e) {
      std::cerr << file << ": " << e.what() << "\n";
      any_bad_file = true;
    }
    std::cout << std::flush;
  }
  if (any_bad_file)
    return 2;
  return any_wrong ? 1 : any_unknown ? 3 : 0;
}
