// Postings of rare terms: a document and an impact each, uncompressed. What all inverted indexes keep terms in that
// have so few documents that anything else about them would outweigh their postings.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "../base/buffer.hpp"
#include "../base/parallel.hpp"
#include "../storage/ascending_numbers.hpp"
#include "../storage/index_file.hpp"
#include "../storage/packed_numbers.hpp"

namespace thresher {

// List behind list, documents in 32 bits; where each lies is for others to know.
class RarePostings {
  public:
    RarePostings() = default;
    RarePostings(Buffer<std::uint32_t> docs, Buffer<std::uint8_t> impacts)
        : docs_(std::move(docs)), impacts_(std::move(impacts)) {}

    std::size_t size() const noexcept { return docs_.size(); }
    const Buffer<std::uint32_t>& docs() const noexcept { return docs_; }
    const Buffer<std::uint8_t>& impacts() const noexcept { return impacts_; }

    std::size_t nbytes() const noexcept { return docs_.nbytes() + impacts_.nbytes(); }
    static double estimated_nbytes(double n_postings) noexcept {
        return n_postings * (sizeof(docs_[0]) + sizeof(impacts_[0]));
    }
    // Sections rare/docs and rare/`impacts`.
    void save(SectionList& sections, const std::string& impacts) const;
    // Of `size` postings.
    static RarePostings load(const IndexFile& file, const std::string& impacts, std::size_t size);

  private:
    Buffer<std::uint32_t> docs_;
    Buffer<std::uint8_t> impacts_;
};

// The same with where the lists lie, in a few bits a list, and documents in as many bits as their number takes: made
// for millions of lists of a posting each.
class RareLists {
  public:
    struct List {
        PackedNumbers::Part docs;  // ascending
        std::span<const std::uint8_t> impacts;
    };

    RareLists() = default;

    // In an altered file documents may be any, and lists overlap.
    List operator[](std::size_t list) const noexcept;

    std::size_t nbytes() const noexcept { return offsets_.nbytes() + docs_.nbytes() + impacts_.nbytes(); }
    static double estimated_nbytes(std::size_t n_lists, double n_postings, std::size_t n_docs) noexcept;
    // Sections rare/offsets/.., rare/docs and rare/`impacts`.
    void save(SectionList& sections, const std::string& impacts) const;
    static RareLists load(const IndexFile& file, std::size_t n_lists, std::size_t n_docs, const std::string& impacts);

  private:
    friend class RareListsBuilder;
    // Of documents and offsets that are checked.
    RareLists(std::span<const std::uint64_t> offsets, std::span<const std::uint32_t> docs, Buffer<std::uint8_t> impacts,
              std::size_t n_docs);

    AscendingNumbers offsets_;  // list -> its first posting; n_lists + 1
    PackedNumbers docs_;
    Buffer<std::uint8_t> impacts_;
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
    // After all have been put: lists in the order of their documents, of `n_docs`, each of which is in a list once.
    RareLists finish(std::size_t n_docs, unsigned threads, Monitor* monitor);

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
