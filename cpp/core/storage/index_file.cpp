#include "index_file.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <unordered_set>

#include "../base/error.hpp"
#include "../base/version.hpp"
#include "checksum.hpp"
#include "mapped_file.hpp"

namespace thresher {

static_assert(std::endian::native == std::endian::little, "the index file is little-endian");

namespace {

constexpr std::string_view kMagic = "THRESHER";
constexpr std::string_view kParameters = "parameters";
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kWriteStep = std::size_t{8} << 20;  // between two polls

// As stored: every field has its natural alignment, there is no padding.
struct Header {
    std::array<char, 8> magic;
    std::uint32_t format_version;
    std::uint32_t checksum;  // CRC-32C of header and section table, this field zero
    std::uint64_t file_size;
    std::uint32_t n_sections;
    std::uint32_t reserved;
    std::array<char, 16> engine;           // zero-padded
    std::array<char, 16> library_version;  // zero-padded
};
static_assert(sizeof(Header) == 64 && std::is_trivially_copyable_v<Header>);

struct Entry {
    std::array<char, 32> name;  // zero-padded
    std::uint32_t type;
    std::uint32_t checksum;  // of the section and its padding
    std::uint64_t offset;
    std::uint64_t size;  // bytes, without padding
    std::uint64_t reserved;
};
static_assert(sizeof(Entry) == 64 && std::is_trivially_copyable_v<Entry>);

std::uint64_t padded(std::uint64_t size) noexcept { return (size + kAlignment - 1) / kAlignment * kAlignment; }

template <std::size_t N>
std::array<char, N> to_chars(std::string_view text) {
    std::array<char, N> chars{};
    std::copy_n(text.begin(), std::min(text.size(), N - 1), chars.begin());
    return chars;
}

template <std::size_t N>
std::string to_string(const std::array<char, N>& chars) {
    return {chars.begin(), std::find(chars.begin(), chars.end(), '\0')};
}

bool is_printable(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

bool is_number(std::string_view text) noexcept {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size() && std::isfinite(value);
}

template <class T>
T read_as(std::span<const std::byte> bytes, std::size_t offset) {
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

template <class T>
void append(std::vector<std::byte>& bytes, const T& value) {
    const auto raw = std::as_bytes(std::span(&value, 1));
    bytes.insert(bytes.end(), raw.begin(), raw.end());
}

std::uint32_t header_checksum(std::span<const std::byte> header_and_table) {
    auto header = read_as<Header>(header_and_table, 0);
    header.checksum = 0;
    std::vector<std::byte> copy;
    copy.reserve(header_and_table.size());
    append(copy, header);
    const auto table = header_and_table.subspan(sizeof header);
    copy.insert(copy.end(), table.begin(), table.end());
    return crc32c(copy);
}

// A buffer's memory extends, zeroed, to the alignment, in memory as in a file.
std::span<const std::byte> with_padding(std::span<const std::byte> bytes) noexcept {
    return {bytes.data(), static_cast<std::size_t>(padded(bytes.size()))};
}

}  // namespace

std::string_view name_of(ElementType type) noexcept {
    switch (type) {
        case ElementType::u8:
            return "uint8";
        case ElementType::u16:
            return "uint16";
        case ElementType::u32:
            return "uint32";
        case ElementType::u64:
            return "uint64";
        case ElementType::f32:
            return "float32";
    }
    return {};
}

std::size_t size_of(ElementType type) noexcept {
    switch (type) {
        case ElementType::u8:
            return 1;
        case ElementType::u16:
            return 2;
        case ElementType::u32:
            return 4;
        case ElementType::u64:
            return 8;
        case ElementType::f32:
            return 4;
    }
    return 0;
}

void Parameters::set(std::string name, std::uint64_t value) {
    entries_.emplace_back(std::move(name), std::to_string(value));
}

void Parameters::set(std::string name, double value) {
    std::array<char, 32> text{};
    const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
    entries_.emplace_back(std::move(name), std::string(text.data(), end));
    if (entries_.back().second.find_first_of(".en") == std::string::npos) entries_.back().second += ".0";
}

std::string Parameters::to_text() const {
    std::string text;
    for (const auto& [name, value] : entries_) text += name + "=" + value + "\n";
    return text;
}

void write_index_file(const std::string& path, std::string_view engine, const Parameters& parameters,
                      const SectionList& list, Monitor* monitor) {
    const std::string text = parameters.to_text();
    Filling<std::uint8_t> encoded(text.size());
    std::copy(text.begin(), text.end(), encoded.items.begin());
    SectionList head;
    head.add(std::string(kParameters), encoded.buffer);
    std::vector<Section> sections(head.sections().begin(), head.sections().end());
    sections.insert(sections.end(), list.sections().begin(), list.sections().end());

    Progress progress(monitor);
    std::uint64_t offset = sizeof(Header) + sections.size() * sizeof(Entry);
    std::vector<std::byte> header_and_table(sizeof(Header));
    for (Section& section : sections) {
        section.offset = offset;
        offset += padded(section.bytes.size());
        const auto checksum = section_checksum(with_padding(section.bytes), 0, progress);
        append(header_and_table, Entry{to_chars<32>(section.name), static_cast<std::uint32_t>(section.type), checksum,
                                       section.offset, section.bytes.size(), 0});
    }
    Header header{{},
                  kFormatVersion,
                  0,
                  offset,
                  static_cast<std::uint32_t>(sections.size()),
                  0,
                  to_chars<16>(engine),
                  to_chars<16>(kLibraryVersion)};
    std::copy(kMagic.begin(), kMagic.end(), header.magic.begin());
    std::memcpy(header_and_table.data(), &header, sizeof header);
    header.checksum = header_checksum(header_and_table);
    std::memcpy(header_and_table.data(), &header, sizeof header);

    AtomicFile file(path);
    file.write(header_and_table);
    for (const Section& section : sections) {
        for (auto rest = with_padding(section.bytes); !rest.empty();) {
            const auto step = rest.first(std::min(rest.size(), kWriteStep));
            file.write(step);
            rest = rest.subspan(step.size());
            if (monitor != nullptr) monitor->poll();
        }
    }
    file.commit();
}

IndexFile IndexFile::open(const std::string& path, bool verify, Monitor* monitor) {
    IndexFile file;
    file.path_ = path;
    auto [bytes, owner] = map_file(path);
    file.mapping_ = std::move(owner);
    file.read_header(bytes);
    if (verify) file.verify_sections(monitor);
    file.read_parameters();
    return file;
}

void IndexFile::read_header(std::span<const std::byte> file) {
    require(file.size() >= sizeof(Header),
            "not a thresher index: " + std::to_string(file.size()) + " bytes are too few for a header");
    const auto header = read_as<Header>(file, 0);
    require(std::string_view(header.magic.data(), header.magic.size()) == kMagic,
            "not a thresher index: it does not start with '" + std::string(kMagic) + "'");
    format_version_ = header.format_version;
    require(format_version_ >= 1 && format_version_ <= kFormatVersion,
            "format version " + std::to_string(format_version_) + "; this library (" + std::string(kLibraryVersion) +
                ") reads versions up to " + std::to_string(kFormatVersion));
    require(header.file_size == file.size(), "truncated or altered: the header says " +
                                                 std::to_string(header.file_size) + " bytes, the file has " +
                                                 std::to_string(file.size()));
    require(header.n_sections <= (file.size() - sizeof(Header)) / sizeof(Entry),
            "altered: a table of " + std::to_string(header.n_sections) + " sections does not fit the file");
    const std::size_t table_end = sizeof(Header) + header.n_sections * sizeof(Entry);
    require(header_checksum(file.first(table_end)) == header.checksum, "altered: the header's checksum does not match");

    engine_ = to_string(header.engine);
    library_version_ = to_string(header.library_version);
    require(is_printable(engine_) && is_printable(library_version_),
            "the name of its engine or library is not printable");
    std::unordered_set<std::string> names;
    std::uint64_t expected = table_end;
    for (std::size_t s = 0; s < header.n_sections; ++s) {
        const auto entry = read_as<Entry>(file, sizeof(Header) + s * sizeof(Entry));
        interruption_point(1000);
        const std::string name = to_string(entry.name);
        require(is_printable(name), "the name of section " + std::to_string(s) + " is not printable");
        require(names.insert(name).second, "two sections are named " + name);
        const auto type = static_cast<ElementType>(entry.type);
        require(size_of(type) != 0, "section " + name + " has the unknown element type " + std::to_string(entry.type));
        require(entry.offset == expected && entry.size <= file.size() - expected &&
                    padded(entry.size) <= file.size() - expected && entry.size % size_of(type) == 0,
                "section " + name + " does not lie within the file");
        expected += padded(entry.size);
        sections_.push_back({name, type, entry.offset, file.subspan(entry.offset, entry.size)});
        checksums_.push_back(entry.checksum);
    }
    require(expected == file.size(), "bytes after the last section");
}

void IndexFile::verify_sections(Monitor* monitor) const {
    Progress progress(monitor);
    for (std::size_t s = 0; s < sections_.size(); ++s) {
        require(section_checksum(with_padding(sections_[s].bytes), 0, progress) == checksums_[s],
                "altered: the checksum of section " + sections_[s].name + " does not match");
    }
}

void IndexFile::read_parameters() {
    const auto bytes = find(kParameters, ElementType::u8).bytes;
    std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        const auto equals = line.find('=');
        require(equals != std::string_view::npos && line.size() < text.size(), "a parameter without a value");
        require(is_printable(line), "a parameter is not printable");
        const std::string value(line.substr(equals + 1));
        require(is_number(value),
                "parameter " + std::string(line.substr(0, equals)) + " is '" + value + "', not a number");
        parameters_.entries_.emplace_back(line.substr(0, equals), line.substr(equals + 1));
        text.remove_prefix(line.size() + 1);
    }
}

const Section& IndexFile::find(std::string_view name, ElementType type) const {
    const auto found =
        std::find_if(sections_.begin(), sections_.end(), [&](const Section& s) { return s.name == name; });
    require(found != sections_.end(), "no section " + std::string(name));
    require(found->type == type, "section " + std::string(name) + " holds " + std::string(name_of(found->type)) +
                                     ", not " + std::string(name_of(type)));
    return *found;
}

bool IndexFile::has_section(std::string_view name) const {
    return std::ranges::any_of(sections_, [&](const Section& section) { return section.name == name; });
}

bool IndexFile::has_parameter(std::string_view name) const {
    return std::ranges::any_of(parameters_.entries(), [&](const auto& entry) { return entry.first == name; });
}

const std::string& IndexFile::parameter(std::string_view name) const {
    const auto entries = parameters_.entries();
    const auto found = std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.first == name; });
    require(found != entries.end(), "no parameter " + std::string(name));
    return found->second;
}

std::uint64_t IndexFile::integer(std::string_view name) const {
    const std::string& text = parameter(name);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    require(error == std::errc{} && end == text.data() + text.size(),
            "parameter " + std::string(name) + " is '" + text + "', not a whole number");
    return value;
}

double IndexFile::number(std::string_view name) const {
    const std::string& text = parameter(name);
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    require(error == std::errc{} && end == text.data() + text.size() && value == value,
            "parameter " + std::string(name) + " is '" + text + "', not a number");
    return value;
}

void IndexFile::require(bool condition, const std::string& what) const {
    if (!condition) throw FormatError(path_, what);
}

}  // namespace thresher
