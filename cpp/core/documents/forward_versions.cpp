// The forward index of files of older versions, which is encoded anew.
#include <algorithm>
#include <limits>

#include "../base/error.hpp"
#include "../base/interruption.hpp"
#include "forward_index.hpp"

namespace thresher {

namespace {

using kernels::DocumentFormat;
using kernels::WeightFormat;
using kernels::Weights;
#include "../../kernels/document_layout.inc"

float float_of(std::uint16_t half) noexcept {
    float weight;
    kernels::active().widen_halves(&half, 1, &weight);
    return weight;
}

// Documents as files of older versions have them. `posting_at(first, n, i)`: posting i of a document whose `n` postings
// are numbered from `first` in the collection.
template <class PostingAt>
class OldDocuments final : public DocumentSource {
  public:
    OldDocuments(const IndexFile& file, std::size_t n_docs, std::size_t nnz, std::uint32_t n_slots,
                 const PostingAt& posting_at)
        : file_(file),
          n_slots_(n_slots),
          posting_at_(posting_at),
          offsets_(file.section<std::uint64_t>("forward/offsets", n_docs + 1)) {
        file.require(offsets_[0] == 0 && offsets_[n_docs] == nnz && std::ranges::is_sorted(offsets_.items()),
                     "the forward index's documents do not lie one behind the other");
    }

    std::size_t n_docs() const noexcept override { return offsets_.size() - 1; }
    void read(std::size_t doc, std::vector<Posting>& postings) const override {
        const std::size_t n = offsets_[doc + 1] - offsets_[doc];
        interruption_point(4 * n);
        file_.require(n <= n_slots_, "the forward index has a document with more postings than there are terms");
        postings.resize(n);
        for (std::size_t i = 0; i < n; ++i) {
            const Posting posting = posting_at_(offsets_[doc], n, i);
            const bool valid = posting.weight > 0 && posting.weight <= std::numeric_limits<float>::max();
            file_.require(valid && posting.slot < n_slots_,
                          "the forward index has a posting that no document can have");
            postings[i] = posting;
        }
    }
    [[noreturn]] void reject_changed() const override { throw FormatError(file_.path(), "changed while it was read"); }

  private:
    const IndexFile& file_;
    std::uint32_t n_slots_;
    const PostingAt& posting_at_;
    Buffer<std::uint64_t> offsets_;
};

// Documents of a forward index whose slots are of another width.
class StoredBefore final : public DocumentSource {
  public:
    StoredBefore(const IndexFile& file, const ForwardIndex& forward) : file_(file), forward_(forward) {}

    std::size_t n_docs() const noexcept override { return forward_.n_docs(); }
    void read(std::size_t doc, std::vector<Posting>& postings) const override {
        forward_.read(doc, postings);
        const bool valid = std::ranges::all_of(postings, [](const Posting& posting) {
            return posting.weight > 0 && posting.weight <= std::numeric_limits<float>::max();
        });
        file_.require(valid, "the forward index has a posting that no document can have");
    }
    [[noreturn]] void reject_changed() const override { throw FormatError(file_.path(), "changed while it was read"); }

  private:
    const IndexFile& file_;
    const ForwardIndex& forward_;
};

}  // namespace

// Version 3 had no slots of three bytes.
ForwardIndex ForwardIndex::load_version_3(const IndexFile& file, std::size_t n_docs, std::size_t nnz,
                                          std::uint32_t n_slots) {
    auto old = load_stretches(file, n_docs, nnz, n_slots, old_slot_width(n_slots));
    if (old_slot_width(n_slots) == slot_width(n_slots)) return old;
    Progress silent(nullptr);
    auto forward =
        encode(StoredBefore(file, old), {}, n_slots, old.precision(), 1, silent, [](const std::vector<Posting>&) {});
    file.require(forward.nnz_ == nnz, "the forward index does not have the collection's number of postings");
    if (old.precision() == Precision::codes) forward.max_error_ = old.max_error_;
    return forward;
}

template <class PostingAt>
ForwardIndex ForwardIndex::convert(const IndexFile& file, std::size_t n_docs, std::size_t nnz, std::uint32_t n_slots,
                                   const PostingAt& posting_at) {
    Progress silent(nullptr);
    return encode(OldDocuments(file, n_docs, nnz, n_slots, posting_at), {}, n_slots, Precision::full, 1, silent,
                  [](const std::vector<Posting>&) {});
}

// Version 2 kept each document's slots, and then its weights, as they are.
ForwardIndex ForwardIndex::load_version_2(const IndexFile& file, std::size_t n_docs, std::size_t nnz,
                                          std::uint32_t n_slots) {
    const auto bytes = file.section<std::uint8_t>("forward/postings");
    const std::size_t slot_bytes = old_slot_width(n_slots);
    const std::size_t weight_bytes = bytes.size() / (slot_bytes + 4) == nnz ? 4 : 2;
    const std::size_t posting_bytes = slot_bytes + weight_bytes;
    file.require(bytes.size() % posting_bytes == 0 && bytes.size() / posting_bytes == nnz,
                 "the forward index does not have the collection's number of postings");
    return convert(file, n_docs, nnz, n_slots, [&](std::size_t first, std::size_t n, std::size_t i) {
        const std::uint8_t* const slots = bytes.data() + first * posting_bytes;
        const std::uint8_t* const weight = slots + n * slot_bytes + i * weight_bytes;
        return Posting{
            slot_bytes == 2 ? load_value<std::uint16_t>(slots + i * 2) : load_value<std::uint32_t>(slots + i * 4),
            weight_bytes == 2 ? float_of(load_value<std::uint16_t>(weight)) : load_value<float>(weight)};
    });
}

// Version 1 kept the slots of all documents in one section and their weights in another.
ForwardIndex ForwardIndex::load_version_1(const IndexFile& file, std::size_t n_docs, std::size_t nnz,
                                          std::uint32_t n_slots) {
    const auto slots16 = file.section<std::uint16_t>("forward/slots16");
    const auto slots32 = file.section<std::uint32_t>("forward/slots32");
    const auto halves = file.section<std::uint16_t>("forward/halves");
    const auto floats = file.section<float>("forward/floats");
    const bool narrow = old_slot_width(n_slots) == 2;
    file.require((narrow ? slots16.size() : slots32.size()) == nnz && slots16.size() + slots32.size() == nnz,
                 "the forward index does not have the collection's number of postings");
    file.require(halves.size() + floats.size() == nnz && (halves.size() == 0 || floats.size() == 0),
                 "the forward index does not have one weight for each posting");
    return convert(file, n_docs, nnz, n_slots, [&](std::size_t first, std::size_t, std::size_t i) {
        return Posting{narrow ? slots16[first + i] : slots32[first + i],
                       floats.size() == 0 ? float_of(halves[first + i]) : floats[first + i]};
    });
}

}  // namespace thresher
