// One self-describing file for every engine; docs/format.md is its specification.
//
// Loading maps the file and points buffers into it: nothing is copied, and processes share the pages. Every byte is
// under a checksum, and every field is checked before it is used, so that a foreign, truncated or altered file gives
// a FormatError. Saving writes beside the target and renames: a crash leaves the old file or the new one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "../base/buffer.hpp"
#include "../base/parallel.hpp"

namespace thresher {

inline constexpr std::uint32_t kFormatVersion = 4;

enum class ElementType : std::uint32_t { u8 = 1, u16 = 2, u32 = 3, u64 = 4, f32 = 5 };

std::string_view name_of(ElementType type) noexcept;
std::size_t size_of(ElementType type) noexcept;

template <class T>
constexpr ElementType element_type() {
    if constexpr (std::is_same_v<T, std::uint8_t>) return ElementType::u8;
    if constexpr (std::is_same_v<T, std::uint16_t>) return ElementType::u16;
    if constexpr (std::is_same_v<T, std::uint32_t>) return ElementType::u32;
    if constexpr (std::is_same_v<T, std::uint64_t>) return ElementType::u64;
    if constexpr (std::is_same_v<T, float>) return ElementType::f32;
}

struct Section {
    std::string name;
    ElementType type;
    std::uint64_t offset;  // from the start of the file; 0 before it is written
    std::span<const std::byte> bytes;
};

// What a writer collects. Borrows the buffers: they must outlive it.
class SectionList {
  public:
    template <class T>
    void add(std::string name, const Buffer<T>& buffer) {
        sections_.push_back({std::move(name), element_type<T>(), 0, std::as_bytes(buffer.items())});
    }
    std::span<const Section> sections() const noexcept { return sections_; }

  private:
    std::vector<Section> sections_;
};

// Named numbers: an engine's parameters and counts, stored as text in the file's first section.
class Parameters {
  public:
    using Entry = std::pair<std::string, std::string>;
    void set(std::string name, std::uint64_t value);
    void set(std::string name, double value);
    std::span<const Entry> entries() const noexcept { return entries_; }
    std::string to_text() const;

  private:
    friend class IndexFile;
    std::vector<Entry> entries_;
};

// Throws FileError where the system refuses, and leaves an existing file at `path` as it was.
void write_index_file(const std::string& path, std::string_view engine, const Parameters& parameters,
                      const SectionList& sections, Monitor* monitor);

class IndexFile {
  public:
    // Maps the file and checks its header and section table; with `verify` also every section's checksum.
    // Throws FormatError, or FileError where it can't be opened.
    static IndexFile open(const std::string& path, bool verify, Monitor* monitor);

    const std::string& path() const noexcept { return path_; }
    const std::string& engine() const noexcept { return engine_; }
    const std::string& library_version() const noexcept { return library_version_; }
    std::uint32_t format_version() const noexcept { return format_version_; }
    const Parameters& parameters() const noexcept { return parameters_; }
    std::span<const Section> sections() const noexcept { return sections_; }

    // A section's elements, kept alive by the returned buffer. Throws FormatError if there is none of that name,
    // element type or size.
    template <class T>
    Buffer<T> section(std::string_view name) const {
        const auto bytes = find(name, element_type<T>()).bytes;
        return {{reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)}, mapping_};
    }
    template <class T>
    Buffer<T> section(std::string_view name, std::size_t size) const {
        auto buffer = section<T>(name);
        require(buffer.size() == size, "section " + std::string(name) + " has " + std::to_string(buffer.size()) +
                                           " elements, not " + std::to_string(size));
        return buffer;
    }

    bool has_section(std::string_view name) const;
    bool has_parameter(std::string_view name) const;
    // Each throws FormatError if there is no such parameter, or it is not a number of that kind.
    std::uint64_t integer(std::string_view name) const;
    double number(std::string_view name) const;

    // Throws FormatError(path, what) unless `condition`.
    void require(bool condition, const std::string& what) const;

  private:
    const Section& find(std::string_view name, ElementType type) const;
    const std::string& parameter(std::string_view name) const;
    void read_header(std::span<const std::byte> file);
    void read_parameters();
    void verify_sections(Monitor* monitor) const;

    std::string path_;
    std::string engine_;
    std::string library_version_;
    std::uint32_t format_version_ = 0;
    Parameters parameters_;
    std::vector<Section> sections_;
    std::vector<std::uint32_t> checksums_;
    std::shared_ptr<const void> mapping_;
};

}  // namespace thresher
