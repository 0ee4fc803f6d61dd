// SPDX-License-Identifier: BSL-1.0
// The real code on a disk that fails at every byte.
#include <understudy/storage/durable_store.hpp>
#include <understudy/testing/faulty_directory.hpp>

#include <doctest/doctest.h>

#include "storage/support/store_workload.hpp"
#include "support/environment.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace crash_matrix_test {

using namespace support;

namespace {

/// Opens what a crash has left, and holds it against what may be there. Now and then goes on with
/// it, into the next crash: what was recovered has to be as good as what was written.
void check_disk(const recorded_run& run, const run_point& at,
                const std::shared_ptr<faulty_disk>& disk, random_stream* go_on) {
  auto store = open_store(disk);
  REQUIRE_MESSAGE(store, store.error().detail);
  const auto found = store->recover();
  const auto complaint = run.work.model().complaint(*found, at.certain, at.told);
  REQUIRE_MESSAGE(complaint.empty(), complaint);
  if (go_on == nullptr)
    return;
  const auto last = store->last();
  const store_write more{.entries = {entry_of(last.index.value + 1, last.term.value + 1, "more")},
                         .vote = ballot{found->vote.term + 1, {3}}};
  auto with_more = *found;
  with_more.entries.push_back(more.entries[0]);
  disk->record();
  REQUIRE(store->write(more));
  REQUIRE(store->sync());
  const auto done = disk->recording().size();
  for (int i = 0; i < 3; ++i) {
    const auto k = i == 0 ? done : go_on->below(done + 1);
    auto again = open_store(disk->image_after(k, any_subset(*go_on)));
    REQUIRE_MESSAGE(again, again.error().detail);
    const auto after = again->recover();
    const auto print = fingerprint_of(*after);
    REQUIRE((print == fingerprint_of(with_more) || (k < done && print == fingerprint_of(*found))));
    REQUIRE((after->vote == *more.vote || (k < done && after->vote == found->vote)));
  }
}

} // namespace

TEST_CASE("whatever byte of whatever write a crash tears, what is found is allowed (D1, D9, D10)") {
  recorded_run run{1, 70};
  const auto& recording = run.disk->recording();
  random_stream random{5};
  std::size_t crashes = 0;
  for (std::size_t k = 1; k <= recording.size(); ++k) {
    const auto& op = recording[k - 1];
    if (!op.is_write())
      continue;
    for (const auto others : {the_others::kept, the_others::lost})
      for (std::uint64_t p = 0; p <= op.data.size(); p += test_support::sweep_stride()) {
        CAPTURE(k);
        CAPTURE(p);
        CAPTURE(others == the_others::kept);
        const auto disk = run.disk->image_after(k, last_step_left(remnant::first(p), others));
        check_disk(run, run.points[k], disk, ++crashes % 16 == 0 ? &random : nullptr);
      }
  }
  MESSAGE(crashes << " crashes, " << run.work.counts().truncations << " truncations, "
                  << run.work.counts().snapshots << " snapshots, " << run.work.counts().installs
                  << " installed, " << run.work.counts().terms << " terms");
  CHECK(crashes >= 100'000 / test_support::sweep_stride());
  std::size_t segments = 0;
  for (std::size_t k = 0; k < recording.size(); ++k)
    segments += recording[k].what == disk_change::rename && recording[k].to.starts_with("segment-")
                    ? 1
                    : 0;
  CHECK(segments > 3);
  CHECK(run.work.counts().truncations >= 1);
  CHECK(run.work.counts().snapshots + run.work.counts().installs >= 2);
  CHECK(run.work.counts().terms >= 5);
}

TEST_CASE("any subset of what was not synced is allowed, names included (D8, N2, N3)") {
  const std::uint64_t seed = 7;
  CAPTURE(seed);
  random_stream random{seed};
  for (std::uint64_t one = 0; one < 20; one += 1 + test_support::sweep_stride() / 16) {
    recorded_run run{seed + one, 60};
    for (std::size_t k = 0; k <= run.disk->recording().size(); ++k)
      for (int i = 0; i < 4; ++i) {
        CAPTURE(one);
        CAPTURE(k);
        check_disk(run, run.points[k], run.disk->image_after(k, any_subset(random)),
                   i == 0 ? &random : nullptr);
      }
  }
}

TEST_CASE("a start that crashes as well loses no more, however often") {
  const std::uint64_t seed = 31;
  CAPTURE(seed);
  random_stream random{seed};
  for (std::uint64_t one = 0; one < 20; one += 1 + test_support::sweep_stride() / 16) {
    recorded_run run{seed + one, 40};
    for (std::size_t k = 0; k <= run.disk->recording().size();
         k += random.between<std::size_t>(1, 2)) {
      CAPTURE(one);
      CAPTURE(k);
      // The process is killed, and the system goes on; or the power fails.
      auto disk = random.chance(0.5)
                      ? std::make_shared<faulty_disk>(run.disk->state_after(k).killed())
                      : run.disk->image_after(k, any_subset(random));
      for (int restarts = 0; restarts < 4; ++restarts) {
        disk->record();
        std::uint64_t found = 0;
        {
          auto store = open_store(disk);
          REQUIRE_MESSAGE(store, store.error().detail);
          found = fingerprint_of(*store->recover());
        }
        // All of what a start has found is durable when it is done.
        const auto done = disk->recording().size();
        check_disk(run, run.points[k], disk->image_after(done, lose_unsynced()), nullptr);
        auto after = open_store(disk->image_after(done, any_subset(random)));
        REQUIRE_MESSAGE(after, after.error().detail);
        REQUIRE(fingerprint_of(*after->recover()) == found);
        // The power fails somewhere within it, and the next one is killed there, or fails as well.
        const auto within = random.below(done + 1);
        disk = random.chance(0.5)
                   ? disk->image_after(within, any_subset(random))
                   : std::make_shared<faulty_disk>(disk->state_after(within).killed());
        check_disk(run, run.points[k], disk->clone(), restarts == 0 ? &random : nullptr);
      }
    }
  }
}

TEST_CASE("what a killed process has renamed is made sure of before what it replaces goes (N2)") {
  recorded_run run{3, 60};
  std::size_t crashes = 0;
  for (std::size_t k = 1; k <= run.disk->recording().size(); ++k) {
    if (!run.disk->recording()[k - 1].is_metadata())
      continue;
    CAPTURE(k);
    const auto disk = std::make_shared<faulty_disk>(run.disk->state_after(k).killed());
    disk->record();
    REQUIRE(open_store(disk));
    for (std::size_t j = 0; j <= disk->recording().size(); ++j) {
      const auto unsynced = disk->state_after(j).unsynced().size();
      for (std::size_t lost = 0; lost < unsynced; ++lost) {
        CAPTURE(j);
        CAPTURE(lost);
        const auto choice = step_left(lost, remnant::nothing(), the_others::kept);
        check_disk(run, run.points[k], disk->image_after(j, choice), nullptr);
        ++crashes;
      }
    }
  }
  CHECK(crashes > 500);
}

} // namespace crash_matrix_test
