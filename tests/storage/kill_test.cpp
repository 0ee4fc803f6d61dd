// SPDX-License-Identifier: BSL-1.0

// Processes that write to a real disk and are killed: what they had confirmed is there. And real
// disks that are full or can only be read, where this machine lets a test make them.

#include <understudy/storage/durable_store.hpp>
#include <understudy/storage/posix_directory.hpp>
#include <understudy/testing/random.hpp>
#include <understudy/testing/store_workload.hpp>

#include <doctest/doctest.h>

#include "support/environment.hpp"
#include "support/mounted.hpp"
#include "support/scratch.hpp"
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace kill_test {

using namespace understudy;
using namespace understudy::testing;
using test_support::mounted;
using test_support::scratch;

namespace {

constexpr storage::log_layout layout{.segment_bytes = 64 * 1024, .seed = 1};

expected<durable_store> open_in(const std::string& path) {
  auto held = storage::posix_directory::open(path, storage::access::hold);
  if (!held)
    return tl::unexpected<failure>{held.error()};
  return durable_store::open(std::move(*held), {.node = {7}, .start = 99}, layout);
}

/// The entry at an index: the same whoever makes it.
entry entry_at(std::uint64_t index) {
  random_stream random{index};
  std::string text(static_cast<std::size_t>(random.below(600)), 'x');
  return {{index}, {1}, {}, share(command{.session = {1}, .number = {index}, .body = bytes{text}})};
}

std::shared_ptr<const snapshot> image_at(std::uint64_t index) {
  auto made = std::make_shared<snapshot>(snapshot{.at = {{index}, {1}}});
  made->image = bytes{std::string(2'000, 'i')};
  made->digest = digest_of(made->image.view());
  return made;
}

/// A writer puts a snapshot in the place of its entries when it has this many after the last one.
constexpr std::uint64_t entries_a_snapshot = 100;
/// At most this many entries more come with a sync.
constexpr std::uint64_t entries_a_sync = 40;

std::uint64_t imaged_up_to(const recovered_state& found) {
  return found.base ? found.base->at.index.value : 0;
}

/// A process of its own that adds entries, and says after each sync how many are stored. Now and
/// then it takes back some that it has not synced.
struct writer {
  explicit writer(const std::string& path) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    process = ::fork();
    REQUIRE(process >= 0);
    if (process == 0) {
      ::close(ends[0]);
      write_until_killed(path, ends[1]);
    }
    ::close(ends[1]);
    said = ends[0];
  }
  writer(const writer&) = delete;
  writer& operator=(const writer&) = delete;
  ~writer() { ::close(said); }

  /// Hears what is confirmed until that is `enough`, then kills. Returns what was confirmed last.
  std::uint64_t kill_after(std::uint64_t enough) {
    std::uint64_t confirmed = 0;
    while (confirmed < enough && ::read(said, &confirmed, sizeof confirmed) == sizeof confirmed) {
    }
    ::kill(process, SIGKILL);
    while (::read(said, &confirmed, sizeof confirmed) == sizeof confirmed) {
    }
    int status = 0;
    REQUIRE(::waitpid(process, &status, 0) == process);
    REQUIRE(WIFSIGNALED(status)); // it has not given up by itself
    return confirmed;
  }

private:
  [[noreturn]] static void write_until_killed(const std::string& path, int say) {
    auto store = open_in(path);
    if (!store)
      ::_exit(1);
    random_stream random{store->last().index.value + 1};
    auto imaged = imaged_up_to(*store->recover());
    for (;;) {
      const auto stored = store->last().index;
      store_write what;
      for (auto left = random.between(std::uint64_t{1}, entries_a_sync); left > 0; --left)
        what.entries.push_back(entry_at(stored.value + 1 + what.entries.size()));
      bool done = store->write(what).has_value();
      if (random.chance(0.2))
        done = done
               && store->write({.keep = stored.next(), .entries = {entry_at(stored.value + 2)}});
      if (stored.value >= imaged + entries_a_snapshot) {
        done = done && store->write({.base = image_at(stored.value)});
        imaged = stored.value;
      }
      if (!done || !store->sync())
        ::_exit(1);
      const auto confirmed = store->last().index.value;
      if (::write(say, &confirmed, sizeof confirmed) != sizeof confirmed)
        ::_exit(1);
    }
  }

  pid_t process = -1;
  int said = -1;
};

/// An ext4 file system in a file, which turns read-only when it finds an error. No other one does
/// that while a file is open for writing: the system refuses to make it read-only then.
class failing_file_system {
public:
  explicit failing_file_system(const scratch& in)
      : image_{in.path("image")}, path_{in.make("mounted")} {
    std::ofstream{image_};
    std::filesystem::resize_file(image_, std::uintmax_t{16} << 20);
    is_there_ = runs("mkfs.ext4 -qF '" + image_ + "'") && mount();
    if (!is_there_)
      MESSAGE("skipped: this process may not mount ext4 from a file");
  }
  failing_file_system(const failing_file_system&) = delete;
  failing_file_system& operator=(const failing_file_system&) = delete;
  ~failing_file_system() {
    if (is_there_)
      ::umount(path_.c_str());
  }

  [[nodiscard]] explicit operator bool() const { return is_there_; }
  [[nodiscard]] const std::string& path() const { return path_; }

  /// As the kernel does when it finds something wrong. False: it can not be asked to.
  [[nodiscard]] bool fail() const {
    struct stat about {};
    if (::stat(path_.c_str(), &about) != 0)
      return false;
    const auto number
        = std::to_string(major(about.st_dev)) + ":" + std::to_string(minor(about.st_dev));
    std::error_code none;
    const auto device = std::filesystem::read_symlink("/sys/dev/block/" + number, none).filename();
    std::ofstream trigger{"/sys/fs/ext4/" + device.string() + "/trigger_fs_error"};
    return static_cast<bool>(trigger << "a test" << std::flush);
  }

  [[nodiscard]] bool mount_again() {
    is_there_ = ::umount(path_.c_str()) != 0;
    return !is_there_ && (is_there_ = mount());
  }

private:
  static bool runs(const std::string& command) {
    return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
  }
  bool mount() const {
    return runs("mount -t ext4 -o loop,errors=remount-ro '" + image_ + "' '" + path_ + "'");
  }

  std::string image_;
  std::string path_;
  bool is_there_ = false;
};

/// What `look` returns in a process that has no more rights than anybody; none if this one can not
/// become such.
template <class Look> std::optional<int> as_nobody(Look look) {
  constexpr int not_possible = 99;
  const auto process = ::fork();
  REQUIRE(process >= 0);
  if (process == 0) {
    constexpr uid_t nobody = 65'534;
    if (::geteuid() == 0
        && (::setresgid(nobody, nobody, nobody) != 0 || ::setresuid(nobody, nobody, nobody) != 0))
      ::_exit(not_possible);
    ::_exit(look());
  }
  int status = 0;
  REQUIRE(::waitpid(process, &status, 0) == process);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) != not_possible)
    return WEXITSTATUS(status);
  MESSAGE("skipped: this process can not give its rights up");
  return std::nullopt;
}

} // namespace

TEST_CASE("a process that is killed while it writes, 200 times, has lost nothing confirmed") {
  const scratch where;
  const std::uint64_t seed = test_support::number_from("UNDERSTUDY_SEED", 1);
  CAPTURE(seed);
  random_stream random{seed};
  std::uint64_t before = 0;
  const auto kills = 200 / test_support::sweep_stride() + 10;
  for (std::uint64_t i = 0; i < kills; ++i) {
    CAPTURE(i);
    const auto confirmed = writer{where.path()}.kill_after(before + random.below(300));
    auto store = open_in(where.path());
    REQUIRE_MESSAGE(store, store.error().detail);
    const auto found = store->recover();
    REQUIRE(store->last().index.value >= std::max(confirmed, before));
    for (const auto& e : found->entries)
      REQUIRE(same_content(e, entry_at(e.index.value)));
    // a snapshot was due with the sync before the last one that was confirmed, at the latest
    REQUIRE(imaged_up_to(*found) + entries_a_snapshot + 2 * entries_a_sync >= confirmed);
    before = store->last().index.value;
  }
  CHECK(before > kills);
}

TEST_CASE("a real file system that is full holds writing up, and loses nothing (D5)") {
  const scratch where;
  const mounted small{where, "size=1m"};
  if (!small)
    return;
  auto store = open_in(small.path());
  REQUIRE(store);
  std::uint64_t confirmed = 0;
  expected<void> done;
  while (done) {
    REQUIRE(confirmed < 100'000);
    REQUIRE(store->write({.entries = {entry_at(store->last().index.value + 1)}}));
    done = store->sync();
    if (done)
      confirmed = store->last().index.value;
  }
  CHECK(done.error().code == errc::storage_full);
  CHECK(done.error().detail.find(small.path()) != std::string::npos);
  CHECK(confirmed > 100);
  SUBCASE("what was confirmed is there for the next start") {
    store = tl::unexpected<failure>{failure{}};
    auto again = open_in(small.path());
    REQUIRE_MESSAGE(again, again.error().detail);
    CHECK(again->recover()->entries.size() >= confirmed);
  }
  SUBCASE("it goes on when there is room") {
    REQUIRE(small.make_larger("size=4m"));
    CHECK(store->sync());
    CHECK(store->last().index.value == confirmed + 1);
  }
}

TEST_CASE("a disk that can only be read stops the store with a reason, and can be inspected") {
  const scratch where;
  const mounted disk{where, "size=4m"};
  if (!disk)
    return;
  {
    auto store = open_in(disk.path());
    REQUIRE(store);
    REQUIRE(store->write({.entries = {entry_at(1)}}));
    REQUIRE(store->close());
  }
  REQUIRE(disk.make_read_only());
  const auto refused = open_in(disk.path());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::storage_failed);
  CHECK(refused.error().detail.find("Read-only file system") != std::string::npos);
  const auto in = storage::posix_directory::open(disk.path(), storage::access::look);
  REQUIRE(in);
  CHECK(storage::recover_store(**in, {})->segments.log.last().index == log_index{1});
}

TEST_CASE("a disk that turns read-only stops a store at work, and has what was confirmed (D4)") {
  const scratch where;
  failing_file_system disk{where};
  if (!disk)
    return;
  auto store = open_in(disk.path());
  REQUIRE(store);
  for (std::uint64_t i = 1; i <= 100; ++i)
    REQUIRE(store->write({.entries = {entry_at(i)}}));
  REQUIRE(store->sync());
  if (!disk.fail()) {
    MESSAGE("skipped: this kernel can not be asked to find an error");
    return;
  }
  REQUIRE(store->write({.entries = {entry_at(101)}}));
  const auto done = store->sync();
  REQUIRE_FALSE(done);
  CHECK(done.error().code == errc::storage_failed);
  CHECK(done.error().detail.find("Read-only file system") != std::string::npos);
  CHECK(done.error().detail.find(disk.path()) != std::string::npos);
  CHECK(store->sync().error() == done.error());
  store = tl::unexpected<failure>{failure{}};
  REQUIRE(disk.mount_again());
  auto again = open_in(disk.path());
  REQUIRE_MESSAGE(again, again.error().detail);
  const auto found = again->recover();
  REQUIRE(found->entries.size() == 100);
  for (const auto& e : found->entries)
    REQUIRE(same_content(e, entry_at(e.index.value)));
}

TEST_CASE("a directory that may not be written to is refused, and nothing is changed in it") {
  const scratch where;
  const auto path = where.make("store");
  {
    auto store = open_in(path);
    REQUIRE(store);
    REQUIRE(store->write({.entries = {entry_at(1)}}));
    REQUIRE(store->close());
  }
  namespace fs = std::filesystem;
  const auto all_may_read = fs::perms::owner_read | fs::perms::owner_exec | fs::perms::group_read
                            | fs::perms::group_exec | fs::perms::others_read
                            | fs::perms::others_exec;
  fs::permissions(where.path(), all_may_read, fs::perm_options::add);
  fs::permissions(path, all_may_read);
  const auto refused = as_nobody([&] {
    const auto store = open_in(path);
    if (store || store.error().code != errc::storage_failed)
      return 1;
    const auto& why = store.error().detail;
    const bool clear
        = why.find(path) != std::string::npos && why.find("Permission denied") != std::string::npos;
    return clear ? 0 : 2;
  });
  if (refused)
    CHECK(*refused == 0);
  fs::permissions(path, fs::perms::owner_write, fs::perm_options::add);
  auto again = open_in(path);
  REQUIRE_MESSAGE(again, again.error().detail);
  CHECK(again->recover()->entries.size() == 1);
}

} // namespace kill_test
