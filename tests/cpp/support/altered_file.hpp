// A small index file, the places in it, the same file as format version 1 had it, and what becomes of one that is
// altered.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/buffer.hpp"
#include "core/base/error.hpp"
#include "core/storage/checksum.hpp"
#include "core/storage/index_file.hpp"
#include "engines/block_max_index.hpp"
#include "engines/clustered_index.hpp"
#include "engines/exact_index.hpp"
#include "engines/graph_index.hpp"
#include "engines/impact_index.hpp"
#include "engines/postings_index.hpp"
#include "engines/registry.hpp"
#include "support/engine_forms.hpp"
#include "support/random_rows.hpp"
#include "support/temporary_directory.hpp"

namespace thresher::test {

using Bytes = std::vector<std::byte>;

// The places of docs/format.md.
inline constexpr std::size_t kHeaderSize = 64;
inline constexpr std::size_t kEntrySize = 64;
inline constexpr std::size_t kFormatVersionAt = 8;
inline constexpr std::size_t kChecksumAt = 12;
inline constexpr std::size_t kFileSizeAt = 16;
inline constexpr std::size_t kSectionCountAt = 24;
inline constexpr std::size_t kTypeAt = 32;  // within an entry
inline constexpr std::size_t kOffsetAt = 40;
inline constexpr std::size_t kSizeAt = 48;

template <class T>
T get(const Bytes& file, std::size_t at) {
    T value;
    std::memcpy(&value, file.data() + at, sizeof value);
    return value;
}

template <class T>
void put(Bytes& file, std::size_t at, T value) {
    std::memcpy(file.data() + at, &value, sizeof value);
}

inline std::size_t n_sections(const Bytes& file) { return get<std::uint32_t>(file, kSectionCountAt); }
inline std::size_t entry_at(std::size_t s) { return kHeaderSize + s * kEntrySize; }

// Makes the header's checksum right again.
inline void reseal(Bytes& file) {
    put<std::uint32_t>(file, kChecksumAt, 0);
    const std::size_t end = std::min(file.size(), kHeaderSize + n_sections(file) * kEntrySize);
    put(file, kChecksumAt, crc32c(std::span(file).first(end)));
}

template <class T>
Buffer<T> buffer_of(const std::vector<T>& values) {
    Filling<T> filling(values.size());
    std::copy(values.begin(), values.end(), filling.items.begin());
    return filling.buffer;
}

template <class T>
std::vector<T> values_of(const Buffer<T>& buffer) {
    return {buffer.items().begin(), buffer.items().end()};
}

// A small index in which every form of posting occurs.
inline Rows small_collection() {
    Random random(1);
    Rows rows = test::random_rows(random, 70, 12, 2, test::real_weight);
    rows.n_terms = 14;
    rows.add(test::Row{{12, 1.5F}, {13, 2.5F}});
    return rows;
}

inline std::unique_ptr<ExactIndex> small_index() {
    return ExactIndex::build(small_collection().view(), {64, 0.05}, {.threads = 1});
}

// Rows of block maxima, of them rows of tiles, and lists; of documents from the last to the first if so wished.
inline std::unique_ptr<BlockMaxIndex> small_block_max_index(bool reversed) {
    const Rows docs = small_collection();
    std::vector<std::uint32_t> order(docs.n_rows());
    std::iota(order.rbegin(), order.rend(), 0U);
    return BlockMaxIndex::build(
        docs.view(), {4, false, 0.002, 0.035},
        {.order = reversed ? std::optional(std::span<const std::uint32_t>(order)) : std::nullopt, .threads = 1});
}

// Dense rows of summaries, lists and rare ones; with an order and a graph if so wished.
inline std::unique_ptr<ClusteredIndex> small_clustered_index(bool reordered) {
    const Rows docs = small_collection();
    return ClusteredIndex::build(
        docs.view(),
        {.cluster_size = 4, .reorder = reordered, .dense_frequency = 0.007, .neighbours = reordered ? 3 : 0},
        {.threads = 1});
}

// Few edges and entries; with an order if so wished.
inline std::unique_ptr<GraphIndex> small_graph_index(bool reordered) {
    const Rows docs = small_collection();
    return GraphIndex::build(docs.view(), {.m = 3, .ef_construction = 8, .entry_points = 2, .reorder = reordered},
                             {.threads = 1});
}

// Segments and rare terms.
inline std::unique_ptr<ImpactIndex> small_impact_index() {
    return ImpactIndex::build(small_collection().view(), {}, {.threads = 1});
}

// Lists of one block and of several, and rare ones.
inline std::unique_ptr<PostingsIndex> small_postings_index() {
    return PostingsIndex::build(small_collection().view(), {}, {.threads = 1});
}

// Has `alter` change the elements of section `name`, whose number stays.
template <class T, class Alter>
void alter_section(Bytes& file, const std::string& name, const Alter& alter) {
    for (std::size_t s = 0; s < n_sections(file); ++s) {
        if (name != reinterpret_cast<const char*>(file.data() + entry_at(s))) continue;
        const auto offset = get<std::uint64_t>(file, entry_at(s) + kOffsetAt);
        const auto size = get<std::uint64_t>(file, entry_at(s) + kSizeAt);
        if (size == 0) return;
        std::vector<T> elements(size / sizeof(T));
        std::memcpy(elements.data(), file.data() + offset, size);
        alter(elements);
        std::memcpy(file.data() + offset, elements.data(), size);
        return;
    }
    ADD_FAILURE() << "no section " << name;
}

// Whether the bytes are refused by FormatError; anything else that is thrown fails the test.
inline bool refused(const std::string& path, bool verify) {
    try {
        open_index(path, verify, nullptr);
    } catch (const FormatError& error) {
        EXPECT_TRUE(std::string(error.what()).starts_with(path + ": ")) << error.what();
        return true;
    }
    return false;
}

inline bool refused(const Bytes& file, bool verify) {
    const TemporaryDirectory directory;
    write_bytes(directory.path("f"), file);
    return refused(directory.path("f"), verify);
}

inline std::string error_of(const std::string& path, bool verify = true) {
    try {
        open_index(path, verify, nullptr);
    } catch (const FormatError& error) {
        return std::string(error.what()).substr(path.size() + 2);
    }
    return "no error";
}

inline std::string error_of(const Bytes& file, bool verify = true) {
    const TemporaryDirectory directory;
    write_bytes(directory.path("f"), file);
    return error_of(directory.path("f"), verify);
}

inline Bytes small_file() {
    const TemporaryDirectory directory;
    small_index()->save(directory.path("f"), nullptr);
    return read_bytes(directory.path("f"));
}

// Adds a section of `file`, which must outlive the list.
inline void add_section(SectionList& list, const IndexFile& file, const Section& section) {
    switch (section.type) {
        case ElementType::u8:
            list.add(section.name, file.section<std::uint8_t>(section.name));
            break;
        case ElementType::u16:
            list.add(section.name, file.section<std::uint16_t>(section.name));
            break;
        case ElementType::u32:
            list.add(section.name, file.section<std::uint32_t>(section.name));
            break;
        case ElementType::u64:
            list.add(section.name, file.section<std::uint64_t>(section.name));
            break;
        case ElementType::f32:
            list.add(section.name, file.section<float>(section.name));
            break;
    }
}

// A file of at most 65,536 slots and of float32 weights, as version 1 had it: the slots of all documents in one section
// and their weights in another.
inline Bytes version_1_of(const Bytes& newer) {
    const TemporaryDirectory directory;
    write_bytes(directory.path("f"), newer);
    const IndexFile file = IndexFile::open(directory.path("f"), true, nullptr);
    const auto n_docs = static_cast<std::size_t>(file.integer("n_docs"));
    const auto vocabulary = Vocabulary::load(file, file.integer("n_terms"));
    const auto forward = ForwardIndex::load(file, n_docs, file.integer("nnz"), vocabulary.n_slots());
    std::vector<std::uint64_t> ends{0};
    std::vector<std::uint16_t> slots;
    std::vector<float> weights;
    std::vector<Posting> postings;
    for (std::size_t doc = 0; doc < n_docs; ++doc) {
        forward.read(doc, postings);
        std::sort(postings.begin(), postings.end(), [&](const Posting& a, const Posting& b) {
            return vocabulary.term(a.slot) < vocabulary.term(b.slot);
        });
        for (const Posting& posting : postings) {
            slots.push_back(static_cast<std::uint16_t>(posting.slot));
            weights.push_back(posting.weight);
        }
        ends.push_back(slots.size());
    }
    const auto offsets = buffer_of(ends);
    const auto slots16 = buffer_of(slots);
    const auto floats = buffer_of(weights);
    SectionList list;
    for (const Section& section : file.sections()) {
        if (section.name == "parameters") continue;
        if (section.name.starts_with("forward/") && section.name != "forward/format") continue;
        if (section.name != "forward/format") {
            add_section(list, file, section);
            continue;
        }
        list.add("forward/offsets", offsets);
        list.add("forward/slots16", slots16);
        list.add("forward/slots32", Buffer<std::uint32_t>());
        list.add("forward/halves", Buffer<std::uint16_t>());
        list.add("forward/floats", floats);
    }
    write_index_file(directory.path("older"), file.engine(), file.parameters(), list, nullptr);
    Bytes older = read_bytes(directory.path("older"));
    put<std::uint32_t>(older, kFormatVersionAt, 1);
    reseal(older);
    return older;
}

struct SmallFile {
    std::string name;
    Bytes bytes;
};

// One of each engine, of each form that it takes, and of each format version.
inline std::vector<SmallFile> small_files() {
    std::vector<SmallFile> files;
    const auto add = [&](const std::string& name, const Index& index) {
        const TemporaryDirectory directory;
        index.save(directory.path("f"), nullptr);
        files.push_back({name, read_bytes(directory.path("f"))});
    };
    add("exact", *small_index());
    add("block-max", *small_block_max_index(false));
    add("block-max, reversed", *small_block_max_index(true));
    add("clustered", *small_clustered_index(false));
    add("clustered, with neighbours", *small_clustered_index(true));
    add("graph", *small_graph_index(false));
    add("graph, reordered", *small_graph_index(true));
    for (const std::string_view engine : engine_names()) {
        if (std::ranges::any_of(files, [&](const SmallFile& file) { return file.name == engine; })) continue;
        add(std::string(engine), *by_name(engine, {}).build(small_collection().view(), 1, nullptr));
    }
    const std::size_t n_newest = files.size();
    for (std::size_t i = 0; i < n_newest; ++i) {
        files.push_back({files[i].name + ", version 1", version_1_of(files[i].bytes)});
    }
    return files;
}

// Flips single bits of a file in place.
class Patcher {
  public:
    Patcher(std::string path, Bytes file) : path_(std::move(path)), file_(std::move(file)) {
        write_bytes(path_, file_);
        stream_.open(path_, std::ios::binary | std::ios::in | std::ios::out);
    }
    void flip(std::size_t bit) {
        const std::size_t at = bit / 8;
        file_[at] ^= std::byte{1} << bit % 8;
        stream_.seekp(static_cast<std::streamoff>(at));
        stream_.put(static_cast<char>(file_[at]));
        stream_.flush();
    }

  private:
    std::string path_;
    Bytes file_;
    std::fstream stream_;
};

}  // namespace thresher::test
