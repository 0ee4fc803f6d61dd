// SPDX-License-Identifier: BSL-1.0
#pragma once

/// \file
/// A disk in memory that loses, tears, refuses and damages whatever a real one may.
///
/// It outlives the processes that use it, which come to it through a `faulty_directory`. The power
/// can fail in two ways: in place (`crash`), for a simulated machine that starts again on its disk,
/// or by making a disk as it would be found then (`after_crash`, `image_after`), for a sweep over
/// many ways and points of one run. The same calls and choices always give the same disk.

#include <understudy/core/assert.hpp>
#include <understudy/core/bytes.hpp>
#include <understudy/core/errors.hpp>
#include <understudy/testing/crash_choice.hpp>
#include <understudy/testing/disk_faults.hpp>
#include <understudy/testing/disk_image.hpp>
#include <understudy/testing/disk_operation.hpp>
#include <understudy/testing/disk_state.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace understudy::testing {

/// Counts the processes that the disk has seen: one that is gone can do nothing to it any more.
enum class disk_owner : std::uint64_t {};

/// Why a call does not take place.
struct call_refusal {
  std::string_view why;
  errc code = errc::storage_failed;
  bool is_fault = false;     ///< the disk failed; else the call never came to it
  std::uint64_t written = 0; ///< see `call_fault`
};

inline constexpr call_refusal no_room_left{"no space left", errc::storage_full};

/// The disk.
class faulty_disk {
public:
  faulty_disk() = default;
  explicit faulty_disk(disk_state state) : state_{std::move(state)} {}
  faulty_disk(const faulty_disk&) = delete;
  faulty_disk& operator=(const faulty_disk&) = delete;

  // --- Crashes --------------------------------------------------------------------------------

  /// What may be lost now, in order.
  [[nodiscard]] const std::vector<disk_operation>& unsynced() const { return state_.unsynced(); }

  /// The length of all writes among them: `torn_at` takes from 0 to so many.
  [[nodiscard]] std::uint64_t unsynced_bytes() const { return state_.unsynced_bytes(); }

  /// The disk as it would be if the power failed now. It has no faults of its own.
  [[nodiscard]] std::shared_ptr<faulty_disk> after_crash(const crash_choice& choice) const {
    return std::make_shared<faulty_disk>(state_.crashed(choice));
  }

  /// A second disk with the same on it, what is not synced included: what a killed process leaves
  /// behind, or what somebody copied. It has no faults of its own.
  [[nodiscard]] std::shared_ptr<faulty_disk> clone() const {
    return std::make_shared<faulty_disk>(state_.killed());
  }

  /// The power fails, in place. Faults to come still come.
  void crash(const crash_choice& choice) {
    UNDERSTUDY_ASSERT(!recording_, "a recording does not go on over a crash");
    become(state_.crashed(choice));
  }

  /// The process is killed, in place: its open files and directories refuse every call from now on.
  void kill() { become(state_.killed()); }

  // --- Recording ------------------------------------------------------------------------------

  /// Notes all that happens from now on.
  void record() { recording_.emplace(state_.killed()); }

  [[nodiscard]] const disk_recording& recording() const {
    UNDERSTUDY_ASSERT(recording_, "nothing is being recorded");
    return *recording_;
  }

  /// The disk's state after that many recorded operations.
  [[nodiscard]] const disk_state& state_after(std::size_t operations) {
    UNDERSTUDY_ASSERT(recording_, "nothing is being recorded");
    return recording_->after(operations);
  }

  /// The disk as it would be if the power had failed after that many recorded operations.
  [[nodiscard]] std::shared_ptr<faulty_disk> image_after(std::size_t operations,
                                                         const crash_choice& choice) {
    return std::make_shared<faulty_disk>(state_after(operations).crashed(choice));
  }

  // --- Faults ---------------------------------------------------------------------------------

  void fail_call(call_fault fault) { faults_.add(std::move(fault)); }

  /// The `nth` call from now fails: of this kind, or of all that are changes.
  void fail_call(std::uint64_t nth, errc code, std::optional<disk_call> call = {}) {
    fail_call({.nth = nth, .call = call, .code = code});
  }

  /// Takes back all faults that have not come yet.
  void clear_faults() { faults_.clear(); }

  /// How many calls of this kind there were so far; of all that are changes, if none is given.
  [[nodiscard]] std::uint64_t calls(std::optional<disk_call> call = {}) const {
    return faults_.calls(call);
  }

  /// All files together take at most so much. A write that needs more writes what has room, and
  /// fails.
  void limit_room(std::uint64_t bytes) { room_bytes_ = bytes; }

  [[nodiscard]] std::uint64_t bytes_taken() const { return state_.visible().bytes_taken(); }

  /// Whether changes other than syncs are refused.
  void be_read_only(bool read_only) { read_only_ = read_only; }

  /// Whether syncs do nothing and say that they did: all stays un-synced.
  void lie(bool lying) { lying_ = lying; }

  // --- From outside: at once and durable, with no process knowing -------------------------------

  /// All names, those in subdirectories too; a directory bears a '/' at its end.
  [[nodiscard]] std::vector<std::string> names() const { return state_.visible().names(); }

  [[nodiscard]] bool has(std::string_view name) const {
    return state_.visible().find(name).has_value();
  }

  /// What a process would read.
  [[nodiscard]] std::vector<std::byte> contents(std::string_view name) const {
    return state_.visible().file(file_named(name))->all();
  }

  /// Places a whole file, and its subdirectory; or replaces what is in it.
  void put(std::string_view name, std::span<const std::byte> content) {
    if (!has(name)) {
      if (const auto slash = name.rfind('/'); slash != std::string_view::npos)
        tamper_entry(disk_change::make_directory, std::string{name.substr(0, slash)});
      tamper_entry(disk_change::create, std::string{name});
    }
    edit(name, [&](file_content& file) {
      file.resize(0);
      file.write(0, content);
    });
  }

  /// Takes a file away.
  void erase(std::string_view name) {
    const auto inode = file_named(name);
    tamper([&](disk_image& image) {
      image.apply({.what = disk_change::remove, .inode = inode, .name = std::string{name}});
    });
  }

  /// Bit 0 is the lowest of the first byte.
  void flip_bit(std::string_view name, std::uint64_t bit) {
    edit(name, [&](file_content& file) {
      std::byte one{};
      if (file.read(bit / 8, {&one, 1}) == 0)
        return;
      one ^= std::byte{1} << (bit % 8);
      file.write(bit / 8, {&one, 1});
    });
  }

  /// Two blocks, counted in blocks of this size, take each other's place: writes that went astray.
  void swap_blocks(std::string_view name, std::uint64_t a, std::uint64_t b,
                   std::size_t block_bytes) {
    edit(name, [&](file_content& file) {
      std::vector<std::byte> first(block_bytes);
      auto second = first;
      const auto of_a = file.read(a * block_bytes, first);
      const auto of_b = file.read(b * block_bytes, second);
      if (of_a != block_bytes || of_b != block_bytes)
        return;
      file.write(a * block_bytes, second);
      file.write(b * block_bytes, first);
    });
  }

  /// May reach beyond the end.
  void overwrite(std::string_view name, std::uint64_t offset, std::span<const std::byte> data) {
    edit(name, [&](file_content& file) { file.write(offset, data); });
  }

  /// Cuts, or grows by zeros.
  void resize(std::string_view name, std::uint64_t size) {
    edit(name, [&](file_content& file) { file.resize(size); });
  }

  // --- For faulty_directory and faulty_file -----------------------------------------------------

  [[nodiscard]] disk_owner owner() const { return owner_; }
  [[nodiscard]] const disk_image& visible() const { return state_.visible(); }
  [[nodiscard]] bool is_lying() const { return lying_; }

  /// Every call asks here first.
  [[nodiscard]] std::optional<call_refusal> refuses(disk_owner who, disk_call call,
                                                    std::string_view name) {
    if (who != owner_)
      return call_refusal{"the process is gone"};
    if (const auto fault = faults_.meet(call, name)) {
      auto no
          = fault->code == errc::storage_full ? no_room_left : call_refusal{"input/output error"};
      no.is_fault = !fault->is_kill;
      no.written = fault->written;
      return no;
    }
    const bool is_sync = call == disk_call::sync || call == disk_call::sync_directory;
    if (read_only_ && is_change(call) && !is_sync)
      return call_refusal{"read-only file system"};
    return std::nullopt;
  }

  /// "write to segment-1: no space left (simulated)"
  [[nodiscard]] static tl::unexpected<failure> refused(disk_call call, std::string_view name,
                                                       const call_refusal& no) {
    return fail(no.code, std::string{to_string(call)} + ' ' + std::string{name} + ": "
                             + std::string{no.why} + " (simulated)");
  }

  void perform(disk_operation what) {
    state_.perform(what);
    if (recording_)
      recording_->add(std::move(what));
  }

  /// How large the file can be with the room that is left.
  [[nodiscard]] std::uint64_t size_limit(inode_id inode) const {
    const auto taken = bytes_taken();
    const auto left = room_bytes_ > taken ? room_bytes_ - taken : 0;
    const auto* file = state_.visible().file(inode);
    const auto size = file == nullptr ? 0 : file->size();
    return left > std::numeric_limits<std::uint64_t>::max() - size ? left : size + left;
  }

  [[nodiscard]] inode_id next_inode() const { return state_.next_inode(); }

  /// A file is opened: it is there until it is closed, with or without a name.
  void hold(inode_id inode) { state_.hold(inode); }

  void release(disk_owner who, inode_id inode) {
    if (who == owner_)
      state_.release(inode);
  }

private:
  void become(disk_state state) {
    state_ = std::move(state);
    owner_ = disk_owner{static_cast<std::uint64_t>(owner_) + 1};
  }

  [[nodiscard]] inode_id file_named(std::string_view name) const {
    const auto found = state_.visible().find(name);
    UNDERSTUDY_ASSERT(found && !found->is_directory, "there is a file of this name");
    return found->inode;
  }

  template <class Change> void tamper(Change change) {
    UNDERSTUDY_ASSERT(!recording_, "what is done from outside is not recorded: do it before");
    state_.tamper(change);
  }

  void tamper_entry(disk_change what, std::string name) {
    const disk_operation made{.what = what, .inode = state_.take_inode(), .name = std::move(name)};
    tamper([&](disk_image& image) { image.apply(made); });
  }

  /// Both what is durable and what a process sees change, as far as they have the file.
  template <class Change> void edit(std::string_view name, Change change) {
    const auto inode = file_named(name);
    tamper([&](disk_image& image) {
      if (auto* file = image.file(inode))
        change(*file);
    });
  }

  disk_state state_;
  disk_faults faults_;
  std::uint64_t room_bytes_ = std::numeric_limits<std::uint64_t>::max();
  bool read_only_ = false;
  bool lying_ = false;
  disk_owner owner_{1};
  std::optional<disk_recording> recording_;
};

} // namespace understudy::testing
