// SPDX-License-Identifier: BSL-1.0
//
// Shows and verifies the directory of a node, and changes nothing in it.

#include <understudy/storage/inspection.hpp>
#include <understudy/storage/posix_directory.hpp>

#include <CLI/CLI.hpp>

#include <iomanip>
#include <iostream>
#include <string>

namespace {

namespace storage = understudy::storage;

void print_record(const std::string& segment, const storage::record& at,
                  const std::string& content) {
  std::cout << segment << " at byte " << at.offset << ": " << content << '\n';
}

/// 0: a node would start there; 1: it would not; 2: it can not be looked at.
int run(const std::string& path, bool records) {
  const auto in = storage::posix_directory::open(path, storage::access::look);
  if (!in) {
    std::cerr << "inspect: " << in.error() << '\n';
    return 2;
  }
  const auto found = storage::inspect(**in, records ? print_record : storage::record_listener{});
  if (found.files.empty() && !found.refusal) {
    std::cout << path << ": empty; a newcomer would start here\n";
    return 0;
  }
  std::cout << path << ": node " << found.owner.node << ", start " << found.owner.start
            << ", cluster " << found.owner.cluster << '\n';
  for (const auto& file : found.files) {
    std::cout << "  " << std::left << std::setw(50) << file.name << "  " << file.content << '\n';
    if (!file.damage.empty())
      std::cout << "    DAMAGED: " << file.damage << '\n';
  }
  for (const auto& line : found.log)
    std::cout << line << '\n';
  if (found.refusal) {
    std::cout << "a node does not start here: " << *found.refusal << '\n';
    return 1;
  }
  std::cout << "a node would start here\n";
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  std::string path;
  bool records = false;
  CLI::App app{
      "Shows and verifies the directory of a node, and changes nothing in it. Exits with 0 "
      "if a node would start there, with 1 if not, and with 2 if it can not be read."};
  app.add_option("directory", path, "the node's directory")->required();
  app.add_flag("--records", records, "shows every record of the log");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  return run(path, records);
}
