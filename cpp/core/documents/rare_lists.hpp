// Postings of rare terms: documents in 32 bits and an impact each, uncompressed. What all inverted indexes keep terms
// in that have so few documents that anything else about them would outweigh their postings.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "../base/buffer.hpp"
#include "../base/parallel.hpp"
#include "../storage/index_file.hpp"

namespace thresher {

// List behind list; where each lies is for others to know.
class RarePostings {
  public:
    struct List {
        std::span<const std::uint32_t> docs;  // ascending
        std::span<const std::uint8_t> impacts;
    };

    RarePostings() = default;
    RarePostings(Buffer<std::uint32_t> docs, Buffer<std::uint8_t> impacts)
        : docs_(std::move(docs)), impacts_(std::move(impacts)) {}

    std::size_t size() const noexcept { return docs_.size(); }
    const Buffer<std::uint32_t>& docs() const noexcept { return docs_; }
    const Buffer<std::uint8_t>& impacts() const noexcept { return impacts_; }
    // Postings [begin, end); clamped, so that an altered file can't lead out of bounds.
    List between(std::uint64_t begin, std::uint64_t end) const noexcept;

    std::size_t nbytes() const noexcept { return docs_.nbytes() + impacts_.nbytes(); }
    static double estimated_nbytes(double n_postings) noexcept {
        return n_postings * (sizeof(docs_[0]) + sizeof(impacts_[0]));
    }
    // Sections rare/docs and rare/`impacts`.
    void save(SectionList& sections, const std::string& impacts) const;
    // Of `size` postings, if that is known.
    static RarePostings load(const IndexFile& file, const std::string& impacts,
                             std::optional<std::size_t> size = std::nullopt);

  private:
    Buffer<std::uint32_t> docs_;
    Buffer<std::uint8_t> impacts_;
};

// The same with the offsets of the lists.
class RareLists {
  public:
    using List = RarePostings::List;

    RareLists() = default;

    List operator[](std::size_t list) const noexcept { return postings_.between(offsets_[list], offsets_[list + 1]); }

    std::size_t nbytes() const noexcept { return offsets_.nbytes() + postings_.nbytes(); }
    static double estimated_nbytes(std::size_t n_lists, double n_postings) noexcept {
        return sizeof(offsets_[0]) * (static_cast<double>(n_lists) + 1) + RarePostings::estimated_nbytes(n_postings);
    }
    // Section rare/offsets, and those of RarePostings.
    void save(SectionList& sections, const std::string& impacts) const;
    static RareLists load(const IndexFile& file, std::size_t n_lists, const std::string& impacts);

  private:
    friend class RareListsBuilder;
    Buffer<std::uint64_t> offsets_;  // list -> its first posting; n_lists + 1
    RarePostings postings_;
};

// Makes RareLists in place, without the memory of a second copy: every posting is counted, then put, on any threads and
// in any order.
class RareListsBuilder {
  public:
    explicit RareListsBuilder(std::size_t n_lists) : offsets_(n_lists + 1), docs_(0), impacts_(0) {}

    void count(std::size_t list) noexcept { advance(list); }
    // After all have been counted, and before the first is put.
    void place();
    // No more than were counted.
    void put(std::size_t list, std::uint32_t doc, std::uint8_t impact) noexcept {
        const auto at = static_cast<std::size_t>(advance(list));
        docs_.items[at] = doc;
        impacts_.items[at] = impact;
    }
    // After all have been put: lists in the order of their documents, of which each is in a list once.
    RareLists finish(unsigned threads, Monitor* monitor);

  private:
    std::uint64_t advance(std::size_t list) noexcept {
        return std::atomic_ref<std::uint64_t>(offsets_.items[list + 1]).fetch_add(1, std::memory_order_relaxed);
    }

    // Behind the first: the postings of each list; then where its next one goes; then where the next list begins.
    Filling<std::uint64_t> offsets_;
    Filling<std::uint32_t> docs_;
    Filling<std::uint8_t> impacts_;
};

}  // namespace thresher
