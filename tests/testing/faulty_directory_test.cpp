// SPDX-License-Identifier: BSL-1.0
#include <understudy/testing/faulty_directory.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace faulty_directory_test {

using namespace understudy;
using namespace understudy::testing;

namespace {

using disk_handle = std::shared_ptr<faulty_disk>;

std::span<const std::byte> raw(std::string_view text) {
  return std::as_bytes(std::span{text});
}

/// Zeros are shown as '.', "-" is no file.
std::string text_of(const disk_handle& disk, std::string_view name = "log") {
  if (!disk->has(name))
    return "-";
  std::string text;
  for (const auto b : disk->contents(name))
    text += b == std::byte{} ? '.' : static_cast<char>(b);
  return text;
}

/// A process: it fails the test where a call fails.
struct process {
  explicit process(disk_handle disk) : directory{std::move(disk)} {}

  std::unique_ptr<storage::file> create(std::string_view name) {
    return directory.create(name).value();
  }
  std::unique_ptr<storage::file> open(std::string_view name) {
    return directory.open(name).value();
  }
  void rename(std::string_view from, std::string_view to) { REQUIRE(directory.rename(from, to)); }
  void remove(std::string_view name) { REQUIRE(directory.remove(name)); }
  void sync() { REQUIRE(directory.sync()); }

  faulty_directory directory;
};

void write(storage::file& file, std::uint64_t offset, std::string_view text) {
  REQUIRE(file.write(offset, raw(text)));
}

/// A disk on which "log" holds `text`, and a process that has it open.
struct scene {
  explicit scene(std::string_view text = {}) {
    disk->put("log", raw(text));
    log = user.open("log");
  }

  disk_handle disk = std::make_shared<faulty_disk>();
  process user{disk};
  std::unique_ptr<storage::file> log;
};

std::string error_of(const expected<void>& result) {
  return result ? "none"
                : std::string{to_string(result.error().code)} + ": " + result.error().detail;
}

std::string repeated(char c, std::size_t times) {
  return std::string(times, c);
}

} // namespace

TEST_CASE("a process sees all that it did, synced or not") {
  const auto disk = std::make_shared<faulty_disk>();
  process user{disk};
  const auto log = user.create("log");
  write(*log, 0, "hello");
  write(*log, 7, "you");
  CHECK(log->size().value() == 10);
  CHECK(text_of(disk) == "hello..you");
  std::byte some[5];
  CHECK(log->read(3, some).value() == 5);
  CHECK(log->read(8, some).value() == 2);
  CHECK(log->read(20, some).value() == 0);
  REQUIRE(log->allocate(12));
  REQUIRE(log->allocate(3));
  CHECK(text_of(disk) == "hello..you..");
  REQUIRE(log->truncate(2));
  REQUIRE(log->allocate(4));
  CHECK(text_of(disk) == "he..");
}

TEST_CASE("a directory is listed sorted, one level of it") {
  process user{std::make_shared<faulty_disk>()};
  user.create("b");
  REQUIRE(user.directory.make_subdirectory("a"));
  user.create("a/x");
  user.create("a.b");
  CHECK(user.directory.list().value() == std::vector<std::string>{"a.b", "a/", "b"});
  CHECK_FALSE(user.directory.remove("a"));
  user.remove("a/x");
  user.remove("a");
  CHECK(user.directory.list().value() == std::vector<std::string>{"a.b", "b"});
}

TEST_CASE("what can not be done is refused by name") {
  process user{std::make_shared<faulty_disk>()};
  user.create("log");
  REQUIRE(user.directory.make_subdirectory("sub"));
  CHECK(user.directory.open("no").error().detail == "open no: no such file (simulated)");
  CHECK(user.directory.open("sub").error().detail == "open sub: is a directory (simulated)");
  CHECK(user.directory.create("no/x").error().detail
        == "create no/x: no such directory (simulated)");
  CHECK_FALSE(user.directory.create("sub"));
  CHECK_FALSE(user.directory.make_subdirectory("log"));
  CHECK_FALSE(user.directory.make_subdirectory("sub"));
  CHECK_FALSE(user.directory.rename("no", "x"));
  CHECK_FALSE(user.directory.rename("log", "sub"));
  CHECK_FALSE(user.directory.rename("log", "no/x"));
  CHECK_FALSE(user.directory.remove("no"));
  CHECK(user.directory.rename("log", "log"));
  CHECK_THROWS_AS(static_cast<void>(user.directory.open("/etc")), invariant_broken);
}

TEST_CASE("an open file keeps its bytes whatever happens to its name") {
  const auto disk = std::make_shared<faulty_disk>();
  process user{disk};
  auto log = user.create("log");
  write(*log, 0, "old");
  const auto other = user.create("other");
  write(*other, 0, "new");
  user.rename("other", "log");
  CHECK(text_of(disk) == "new");
  CHECK(log->size().value() == 3);
  CHECK(disk->bytes_taken() == 6);
  log.reset();
  CHECK(disk->bytes_taken() == 3);
  user.remove("log");
  CHECK(other->size().value() == 3);
}

TEST_CASE("what is synced survives, and a power failure may take the rest") {
  scene s{"1234"};
  write(*s.log, 0, "ab");
  REQUIRE(s.log->sync());
  write(*s.log, 2, "cdef");
  CHECK(s.disk->unsynced_bytes() == 4);
  CHECK(text_of(s.disk->after_crash(lose_unsynced())) == "ab34");
  CHECK(text_of(s.disk->after_crash(keep_unsynced())) == "abcdef");
  CHECK(text_of(s.disk) == "abcdef");
}

TEST_CASE("a file whose name is not synced may vanish, and a name may come without its bytes") {
  const auto disk = std::make_shared<faulty_disk>();
  process user{disk};
  const auto log = user.create("log");
  write(*log, 0, "data");
  SUBCASE("the file is synced, its directory is not") {
    REQUIRE(log->sync());
    CHECK(text_of(disk->after_crash(lose_unsynced())) == "-");
    CHECK(text_of(disk->after_crash(keep_unsynced())) == "data");
    user.sync();
    CHECK(text_of(disk->after_crash(lose_unsynced())) == "data");
  }
  SUBCASE("the directory is synced, the file is not") {
    user.sync();
    CHECK(text_of(disk->after_crash(lose_unsynced())).empty());
  }
}

TEST_CASE("after a rename over a file that was not synced there is the old or the new one") {
  scene s{"old"};
  const auto temporary = s.user.create("tmp");
  write(*temporary, 0, "new");
  REQUIRE(temporary->sync());
  s.user.rename("tmp", "log");
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    random_stream random{seed};
    const auto found = s.disk->after_crash(any_subset(random));
    seen.insert(text_of(found, "log") + " " + text_of(found, "tmp"));
  }
  CHECK(seen == std::set<std::string>{"old -", "old new", "new -"});
  s.user.sync();
  CHECK(text_of(s.disk->after_crash(lose_unsynced())) == "new");
}

TEST_CASE("a rename that comes through without the bytes leaves an empty file") {
  scene s{"old"};
  const auto temporary = s.user.create("tmp");
  write(*temporary, 0, "new");
  s.user.rename("tmp", "log");
  s.user.sync();
  CHECK(text_of(s.disk->after_crash(lose_unsynced())).empty());
}

TEST_CASE("a step that builds upon a lost one has no effect") {
  const auto disk = std::make_shared<faulty_disk>();
  process user{disk};
  REQUIRE(user.directory.make_subdirectory("sub"));
  const auto log = user.create("sub/tmp");
  write(*log, 0, "data");
  user.rename("sub/tmp", "log");
  user.create("log2");
  REQUIRE(disk->unsynced().size() == 5);
  const auto without = [&](std::size_t i) {
    return disk->after_crash(step_left(i, remnant::nothing(), the_others::kept))->names();
  };
  using names = std::vector<std::string>;
  CHECK(without(0) == names{"log2"});
  CHECK(without(1) == names{"log2", "sub/"});
  CHECK(without(3) == names{"log2", "sub/", "sub/tmp"});
  CHECK(without(4) == names{"log", "sub/"});
}

TEST_CASE("emptying a file by creating it again is lost like any change of its size") {
  scene s{"1234"};
  const auto again = s.user.create("log");
  write(*again, 0, "a");
  CHECK(text_of(s.disk) == "a");
  s.user.sync();
  CHECK(text_of(s.disk->after_crash(lose_unsynced())) == "1234");
  CHECK(text_of(s.disk->after_crash(step_left(0, remnant::nothing(), the_others::kept))) == "a234");
}

TEST_CASE("any subset of the un-synced steps may survive, and every part of a write") {
  scene s{repeated('-', 1024)};
  write(*s.log, 256, repeated('a', 1024)); // three sectors
  write(*s.log, 1280, repeated('b', 10));
  REQUIRE(s.log->allocate(1300));
  std::set<std::string> shapes;
  std::set<std::uint64_t> sizes;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    CAPTURE(seed);
    random_stream random{seed};
    const auto found = text_of(s.disk->after_crash(any_subset(random)));
    REQUIRE(found.size() >= 1024);
    CHECK(found.substr(0, 256) == repeated('-', 256));
    const auto at = [&](std::size_t i) { return i < found.size() ? found[i] : '_'; };
    shapes.insert({at(511), at(1023), at(1279), at(1289), at(1299)});
    sizes.insert(found.size());
    random_stream again{seed};
    CHECK(text_of(s.disk->after_crash(any_subset(again))) == found);
  }
  for (const char* shape : {"--___", "aaab.", "--.b.", "-a___", "a-___", "--a__", "a-ab_", "--..."})
    CHECK_MESSAGE(shapes.contains(shape), shape);
  CHECK(sizes.contains(1024));
  CHECK(sizes.contains(1280));
  CHECK(sizes.contains(1300));
}

TEST_CASE("a disk that works in order stops at every byte") {
  scene s{"1234"};
  write(*s.log, 0, "ab");
  REQUIRE(s.log->allocate(5));
  const auto other = s.user.create("other");
  write(*other, 0, "xyz");
  REQUIRE(other->truncate(1));
  std::vector<std::string> seen;
  for (std::uint64_t n = 0; n <= s.disk->unsynced_bytes(); ++n) {
    const auto found = s.disk->after_crash(torn_at(n));
    seen.push_back(text_of(found) + " " + text_of(found, "other"));
  }
  CHECK(seen
        == std::vector<std::string>{"1234 ", "a234 ", "ab34. ", "ab34. x", "ab34. xy", "ab34. x"});
}

TEST_CASE("of one write any part is left, by bytes or sectors, with the others kept or lost") {
  scene s{"1234"};
  write(*s.log, 0, "ab");
  write(*s.log, 2, "cdef");
  const auto left
      = [&](const crash_choice& choice) { return text_of(s.disk->after_crash(choice)); };
  CHECK(left(step_left(0, remnant::first(1), the_others::kept)) == "a2cdef");
  CHECK(left(step_left(0, remnant::first(1), the_others::lost)) == "a234");
  CHECK(left(last_step_left(remnant::first(3), the_others::kept)) == "abcde");
  CHECK(left(last_step_left(remnant::first(3).grown(), the_others::kept)) == "abcde.");

  write(*s.log, 500, repeated('s', 1000)); // sectors of 12, 512 and 476 bytes
  REQUIRE(sectors_of(s.disk->unsynced().back()) == 3);
  const auto mask = [&](std::uint64_t bits) {
    const auto found = left(last_step_left(remnant::sector_mask(bits), the_others::lost));
    std::string shape;
    for (const std::size_t i : {499u, 500u, 511u, 512u, 1023u, 1024u, 1499u})
      shape += i < found.size() ? found[i] : '_';
    return shape;
  };
  CHECK(mask(0) == "_______");
  CHECK(mask(1) == ".ss____");
  CHECK(mask(2) == "...ss__");
  CHECK(mask(4) == ".....ss");
  CHECK(mask(5) == ".ss..ss");
  CHECK(mask(7) == ".ssssss");
}

TEST_CASE("a killed process leaves all as it was seen, and still to be lost") {
  scene s{"1234"};
  write(*s.log, 0, "ab");
  const auto copy = s.disk->clone();
  s.disk->kill();
  CHECK(text_of(s.disk) == "ab34");
  CHECK(text_of(s.disk->after_crash(lose_unsynced())) == "1234");
  CHECK(error_of(s.log->write(0, raw("x")))
        == "storage_failed: write to log: the process is gone (simulated)");
  CHECK_FALSE(s.log->sync());
  CHECK_FALSE(s.user.directory.list());
  CHECK(text_of(s.disk->after_crash(lose_unsynced())) == "1234");

  process next{s.disk};
  REQUIRE(next.open("log")->sync());
  CHECK(text_of(s.disk->after_crash(lose_unsynced())) == "ab34");
  CHECK(text_of(copy->after_crash(lose_unsynced())) == "1234"); // a disk of its own
}

TEST_CASE("the power fails in place for a machine that starts again") {
  scene s{"1234"};
  write(*s.log, 0, "ab");
  s.disk->crash(last_step_left(remnant::first(1), the_others::lost));
  CHECK_FALSE(s.log->size());
  process next{s.disk};
  CHECK(text_of(s.disk) == "a234");
  CHECK(s.disk->unsynced().empty());
  s.log.reset(); // of the process that is gone
  CHECK(next.open("log")->size().value() == 4);
}

TEST_CASE("what was recorded is crashed at every byte of every write without running it again") {
  scene s{"1234"};
  s.disk->record();
  write(*s.log, 0, "ab");
  REQUIRE(s.log->sync());
  const auto acknowledged = s.disk->recording().size();
  s.user.rename("log", "old");
  const auto log = s.user.create("log");
  write(*log, 0, "xyz");
  s.user.sync();
  REQUIRE(log->sync());

  const auto& run = s.disk->recording();
  REQUIRE(run.size() == 7);
  std::vector<std::string> seen;
  for (std::size_t k = 0; k <= run.size(); ++k) {
    const auto length = k > 0 && run[k - 1].is_write() ? run[k - 1].data.size() : 0;
    for (std::uint64_t p = 0; p <= length; ++p) {
      const auto choice
          = length == 0 ? lose_unsynced() : last_step_left(remnant::first(p), the_others::kept);
      const auto found = s.disk->image_after(k, choice);
      seen.push_back(text_of(found) + " " + text_of(found, "old"));
      if (k >= acknowledged)
        CHECK((text_of(found) == "ab34" || text_of(found, "old") == "ab34"));
    }
  }
  const std::vector<std::string> expected_all{"1234 -",   "1234 -", "a234 -",  "ab34 -", "ab34 -",
                                              "ab34 -",   "ab34 -", " ab34",   "x ab34", "xy ab34",
                                              "xyz ab34", " ab34",  "xyz ab34"};
  CHECK(seen == expected_all);
  CHECK(text_of(s.disk->image_after(1, keep_unsynced())) == "ab34"); // and backwards
  CHECK(s.disk->state_after(1).unsynced_bytes() == 2);
  CHECK_THROWS_AS(s.disk->put("x", raw("")), invariant_broken);
}

TEST_CASE("a recorded run ends in the disk that it was recorded from") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    CAPTURE(seed);
    random_stream random{seed};
    const auto disk = std::make_shared<faulty_disk>();
    process user{disk};
    user.create("0");
    disk->record();
    for (int i = 0; i < 60; ++i) {
      const auto name = std::to_string(random.below(4));
      const auto file = disk->has(name) ? user.open(name) : user.create(name);
      const auto what = random.below(8);
      if (what < 3)
        write(*file, random.below(9000), repeated('a', 1 + random.below(5000)));
      else if (what == 3)
        REQUIRE(file->truncate(random.below(6000)));
      else if (what == 4)
        user.rename(name, std::to_string(random.below(4)));
      else if (what == 5)
        user.remove(name);
      else if (what == 6)
        REQUIRE(file->sync());
      else
        user.sync();
    }
    for (const auto& choice : {lose_unsynced(), keep_unsynced()}) {
      const auto live = disk->after_crash(choice);
      const auto replayed = disk->image_after(disk->recording().size(), choice);
      REQUIRE(live->names() == replayed->names());
      for (const auto& name : live->names())
        CHECK(live->contents(name) == replayed->contents(name));
      CHECK(live->bytes_taken() == replayed->bytes_taken());
    }
    const auto kept = disk->after_crash(keep_unsynced());
    for (const auto& name : disk->names())
      CHECK(kept->contents(name) == disk->contents(name));
  }
}

TEST_CASE("the nth call fails, of any kind or of one, once or from then on") {
  scene s{"1234"};
  s.disk->fail_call(2, errc::storage_failed);
  write(*s.log, 0, "a");
  CHECK(s.log->size());
  CHECK(error_of(s.log->write(1, raw("b")))
        == "storage_failed: write to log: input/output error (simulated)");
  write(*s.log, 2, "c");
  CHECK(text_of(s.disk) == "a2c4");
  CHECK(s.disk->calls() == 3);
  CHECK(s.disk->calls(disk_call::size) == 1);

  s.disk->fail_call(
      {.nth = 2, .call = disk_call::rename, .code = errc::storage_full, .lasts = true});
  s.user.rename("log", "b");
  for (int i = 0; i < 2; ++i)
    CHECK(error_of(s.user.directory.rename("b", "c"))
          == "storage_full: rename b to c: no space left (simulated)");
  s.disk->clear_faults();
  s.user.rename("b", "log");

  s.disk->fail_call({.name = "other"});
  write(*s.log, 0, "x");
  CHECK_FALSE(s.user.directory.create("other"));
  CHECK_FALSE(s.disk->has("other"));
  s.disk->fail_call(1, errc::storage_failed, disk_call::read);
  std::byte some[1];
  CHECK_FALSE(s.log->read(0, some));
  CHECK(s.log->read(0, some));
}

TEST_CASE("a write that fails may have written a beginning") {
  scene s{"1234"};
  s.disk->fail_call({.call = disk_call::write, .written = 2});
  CHECK_FALSE(s.log->write(0, raw("abc")));
  CHECK(text_of(s.disk) == "ab34");
}

TEST_CASE(
    "D4: after a failed sync the next one succeeds, and what was dirty is lost all the same") {
  scene s{"1234"};
  write(*s.log, 0, "ab");
  s.disk->fail_call(1, errc::storage_failed, disk_call::sync);
  CHECK(error_of(s.log->sync()) == "storage_failed: sync log: input/output error (simulated)");
  write(*s.log, 3, "d");
  REQUIRE(s.log->sync());
  CHECK(text_of(s.disk) == "ab3d");
  CHECK(text_of(s.disk->clone()) == "ab3d");
  CHECK(text_of(s.disk->after_crash(keep_unsynced())) == "123d");

  s.user.create("other");
  s.disk->fail_call(1, errc::storage_failed, disk_call::sync_directory);
  CHECK_FALSE(s.user.directory.sync());
  s.user.sync();
  s.user.rename("other", "another");
  CHECK(s.disk->has("another"));
  CHECK(s.disk->after_crash(keep_unsynced())->names() == std::vector<std::string>{"log"});
}

TEST_CASE("a lying disk syncs nothing") {
  scene s{"1234"};
  s.disk->lie(true);
  write(*s.log, 0, "ab");
  REQUIRE(s.log->sync());
  s.user.sync();
  CHECK(text_of(s.disk->after_crash(lose_unsynced())) == "1234");
  CHECK(text_of(s.disk->after_crash(torn_at(1))) == "a234");
  s.disk->lie(false);
  REQUIRE(s.log->sync());
  CHECK(text_of(s.disk->after_crash(lose_unsynced())) == "ab34");
}

TEST_CASE("a full disk takes what has room, and has room again when something goes") {
  scene s{"1234"};
  s.disk->limit_room(6);
  CHECK(error_of(s.log->write(2, raw("abcdef")))
        == "storage_full: write to log: no space left (simulated)");
  CHECK(text_of(s.disk) == "12abcd");
  write(*s.log, 0, "xy"); // takes no room
  CHECK_FALSE(s.log->allocate(7));
  CHECK_FALSE(s.log->write(8, raw("z")));
  CHECK(text_of(s.disk) == "xyabcd");
  REQUIRE(s.log->truncate(3));
  REQUIRE(s.log->allocate(6));
  CHECK_FALSE(s.log->allocate(7));
  s.disk->limit_room(7);
  REQUIRE(s.log->allocate(7));

  const auto other = s.user.create("other");
  CHECK_FALSE(other->write(0, raw("1")));
  s.user.remove("log");
  CHECK_FALSE(other->write(0, raw("1"))); // still open
  s.log.reset();
  write(*other, 0, "1234567");
}

TEST_CASE("a disk that is read-only refuses all changes") {
  scene s{"1234"};
  s.disk->be_read_only(true);
  CHECK(error_of(s.log->write(0, raw("a")))
        == "storage_failed: write to log: read-only file system (simulated)");
  CHECK_FALSE(s.log->allocate(10));
  CHECK_FALSE(s.log->truncate(1));
  CHECK_FALSE(s.user.directory.create("x"));
  CHECK_FALSE(s.user.directory.remove("log"));
  CHECK(s.log->sync());
  CHECK(s.log->size().value() == 4);
  s.disk->be_read_only(false);
  write(*s.log, 0, "a");
}

TEST_CASE("what is on the disk is damaged behind everybody's back, and stays so") {
  scene s{"abcdefgh"};
  s.disk->flip_bit("log", 8 * 1 + 5);
  CHECK(text_of(s.disk) == "aBcdefgh");
  s.disk->swap_blocks("log", 0, 3, 2);
  CHECK(text_of(s.disk) == "ghcdefaB");
  s.disk->overwrite("log", 7, raw("xy"));
  CHECK(text_of(s.disk->after_crash(lose_unsynced())) == "ghcdefaxy");
  s.disk->resize("log", 2);
  s.disk->put("sub/copy", s.disk->contents("log"));
  s.disk->erase("log");
  const auto found = s.disk->after_crash(lose_unsynced());
  CHECK(found->names() == std::vector<std::string>{"sub/", "sub/copy"});
  CHECK(text_of(found, "sub/copy") == "gh");
  CHECK_THROWS_AS(static_cast<void>(found->contents("log")), invariant_broken);
}

TEST_CASE("disks that came of one share nothing that can be seen") {
  scene s;
  const auto large = repeated('-', 20'000);
  write(*s.log, 0, large);
  const auto copy = s.disk->clone();
  const auto found = s.disk->after_crash(keep_unsynced());
  write(*s.log, 10'000, "here");
  write(*process{copy}.open("log"), 19'000, "there");
  CHECK(text_of(found) == large);
  CHECK(text_of(s.disk).substr(19'000) == repeated('-', 1000));
  CHECK(text_of(copy).substr(10'000, 4) == "----");
  REQUIRE(s.log->truncate(5000));
  REQUIRE(s.log->allocate(5002));
  CHECK(text_of(s.disk) == repeated('-', 5000) + "..");
  CHECK(text_of(found) == large);
}

TEST_CASE("a step of a run can be printed") {
  const auto shown = [](const disk_operation& o) {
    std::ostringstream out;
    out << o;
    return out.str();
  };
  CHECK(shown({.what = disk_change::write, .offset = 4096, .data = bytes{"abc"}, .name = "log"})
        == "write log 4096+3");
  CHECK(shown({.what = disk_change::rename, .name = "a", .to = "b"}) == "rename a b");
  CHECK(shown({.what = disk_change::truncate, .offset = 1, .name = "a"}) == "truncate a 1");
  CHECK(shown({.what = disk_change::sync_directory, .name = "d"}) == "sync_directory d");
}

} // namespace faulty_directory_test
