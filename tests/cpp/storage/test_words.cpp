// Dictionaries: every string is found by its number and its number by it, no other is, and no file leads out of bounds.
#include "core/storage/words.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "support/altered_file.hpp"
#include "support/error_of.hpp"
#include "support/random_rows.hpp"
#include "support/recording_monitor.hpp"
#include "support/temporary_directory.hpp"

namespace thresher {
namespace {

using test::Bytes;
using test::Random;
using test::TemporaryDirectory;

using Strings = std::vector<std::string>;

std::vector<std::string_view> views_of(const Strings& strings) { return {strings.begin(), strings.end()}; }

Words build(const Strings& strings, unsigned threads = 1) { return Words::of(views_of(strings), "words", threads); }

void save(const Words& words, const std::string& path) {
    Parameters counts;
    SectionList sections;
    words.save(counts, sections, "words");
    write_index_file(path, "test", counts, sections, nullptr);
}

void expect_holds(const Words& words, const Strings& strings) {
    ASSERT_EQ(words.size(), strings.size());
    for (std::size_t i = 0; i < strings.size(); ++i) {
        const auto number = static_cast<std::uint32_t>(i);
        ASSERT_EQ(words[number], strings[i]);
        ASSERT_EQ(words.find(strings[i]), number) << strings[i];
    }
}

// Strings that share beginnings of any length, some of them beginnings of others, with bytes of all values.
Strings random_strings(Random& random, std::size_t n, std::int64_t letters, std::int64_t longest) {
    std::map<std::string, std::uint64_t> different;
    std::string last;
    while (different.size() < n) {
        std::string string = last.substr(0, static_cast<std::size_t>(test::uniform(random, 0, longest)));
        const std::int64_t length = test::uniform(random, 0, longest);
        while (static_cast<std::int64_t>(string.size()) < length) {
            string += static_cast<char>(test::uniform(random, 0, letters - 1) + (letters < 200 ? 125 : 0));
        }
        different.emplace(string, random());
        last = string;
    }
    Strings strings;
    for (const auto& [string, place] : different) strings.push_back(string);
    std::ranges::sort(strings, {}, [&](const std::string& string) { return different.at(string); });
    return strings;
}

Strings sorted(Strings strings) {
    std::ranges::sort(strings);
    return strings;
}

TEST(Words, AreFoundBothWays) {
    Random random(1);
    for (const Strings& strings :
         {Strings{}, Strings{""}, Strings{"a"}, Strings{"b", "a"}, Strings{"a", "", "ab", std::string("a\0", 2)},
          random_strings(random, 31, 3, 8), random_strings(random, 32, 256, 4), random_strings(random, 33, 2, 12),
          random_strings(random, 1025, 4, 40), random_strings(random, 8000, 256, 20)}) {
        for (const Strings& ordered : {strings, sorted(strings)}) {
            const Words words = build(ordered);
            expect_holds(words, ordered);
            const std::map<std::string, std::size_t> oracle = [&] {
                std::map<std::string, std::size_t> numbers;
                for (const std::string& string : ordered) numbers.emplace(string, numbers.size());
                return numbers;
            }();
            const auto expect_found = [&](const std::string& wanted) {
                const auto found = oracle.find(wanted);
                const auto number = words.find(wanted);
                ASSERT_EQ(number.has_value(), found != oracle.end()) << wanted;
            };
            for (const std::string& string : ordered) {  // neighbours of those that are there
                expect_found(string + '\0');
                expect_found(string + '\xff');
                expect_found(string.substr(0, string.size() / 2));
                if (string.empty()) continue;
                for (const int step : {-1, 1}) {
                    std::string other = string;
                    other.back() = static_cast<char>(other.back() + step);
                    expect_found(other);
                }
            }
            for (const char* other : {"", "\x01", "m", "\xff\xff"}) expect_found(other);
        }
    }
}

TEST(Words, MayBeHuge) {
    const std::string huge(1 << 20, 'x');
    Strings strings{huge + "b", "y", huge + "a", huge, "", huge + "a" + huge, huge.substr(1)};
    for (int i = 0; i < 70; ++i) strings.push_back(huge + std::to_string(i));
    const Words words = build(strings);
    expect_holds(words, strings);
    EXPECT_EQ(words.find(huge + "c"), std::nullopt);
    EXPECT_LT(words.nbytes(), 10U << 20) << "what is shared is kept once in a block";
}

TEST(Words, TakeLittleSpace) {
    Strings strings(100'000);
    for (std::size_t i = 0; i < strings.size(); ++i) {
        std::string digits = std::to_string(i);
        strings[i] = "entity_" + std::string(7 - digits.size(), '0') + digits;
    }
    EXPECT_LT(build(strings).nbytes(), 3 * strings.size()) << "in ascending order, no number is kept";
    std::swap(strings[7], strings[8]);
    EXPECT_GT(build(strings).nbytes(), 2 * 2 * strings.size());
    expect_holds(build(strings), strings);
}

TEST(Words, DoNotDependOnTheNumberOfThreads) {
    const TemporaryDirectory directory;
    Random random(2);
    const Strings strings = random_strings(random, 30'000, 20, 9);
    save(build(strings, 1), directory.path("one"));
    for (unsigned threads = 2; threads <= 4; ++threads) {
        save(build(strings, threads), directory.path("several"));
        EXPECT_EQ(test::read_bytes(directory.path("one")), test::read_bytes(directory.path("several")));
    }
}

TEST(Words, MustBeDifferent) {
    const auto refusal = [](const Strings& strings, unsigned threads = 1) {
        return test::error_of([&] { build(strings, threads); });
    };
    EXPECT_EQ(refusal({"a", "b", "a"}), "words: 'a' is there twice, at 0 and 2");
    EXPECT_EQ(refusal({"a", "a"}), "words: 'a' is there twice, at 0 and 1");
    EXPECT_EQ(refusal({"b", "b", "", "a", "", "a"}), "words: '' is there twice, at 2 and 4") << "the least one";
    EXPECT_EQ(refusal({std::string("a\0\n", 3), std::string("a\0\n", 3)}),
              "words: 'a\\x00\\x0a' is there twice, at 0 and 1");
    const std::string umlauts = "x" + [] {
        std::string text;
        for (int i = 0; i < 100; ++i) text += "\u00e4";
        return text;
    }();
    EXPECT_EQ(refusal({umlauts, umlauts}), "words: '" + umlauts.substr(0, 59) + "...' is there twice, at 0 and 1")
        << "cut between characters";
    Random random(3);
    for (std::size_t n : {32, 33, 64, 65, 5000}) {  // also where it is another block's first
        for (int i = 0; i < 5; ++i) {
            Strings strings = random_strings(random, n, 30, 6);
            const auto from = static_cast<std::size_t>(test::uniform(random, 0, static_cast<std::int64_t>(n) - 1));
            strings.push_back(strings[from]);
            const std::string expected = " is there twice, at " + std::to_string(from) + " and " + std::to_string(n);
            EXPECT_TRUE(refusal(strings).ends_with(expected)) << refusal(strings);
            EXPECT_EQ(refusal(strings, 3), refusal(strings, 1));
        }
    }
}

TEST(Words, CanBeCancelled) {
    Random random(4);
    const Strings strings = random_strings(random, 20'000, 256, 12);
    test::RecordingMonitor monitor(1);
    Progress progress(&monitor);
    EXPECT_THROW(Words::build(views_of(strings), "words", 2, progress), test::Cancelled);
}

TEST(Words, GoThroughAFile) {
    const TemporaryDirectory directory;
    Random random(5);
    for (const Strings& strings : {Strings{}, Strings{"", "a"}, random_strings(random, 3000, 30, 8)}) {
        const Words words = build(strings);
        save(words, directory.path("f"));
        const IndexFile file = IndexFile::open(directory.path("f"), true, nullptr);
        const auto loaded = Words::load(file, "words");
        ASSERT_TRUE(loaded);
        EXPECT_EQ(loaded->nbytes(), words.nbytes());
        expect_holds(*loaded, strings);
        EXPECT_FALSE(Words::load(file, "names"));
    }
}

void look_up(const Words& words, const Strings& strings) {
    std::string word;
    for (std::uint32_t number = 0; number < words.size(); ++number) words.read(number, word);
    for (const std::string& string : strings) {
        const auto number = words.find(string);
        if (number) {
            ASSERT_LT(*number, words.size());
        }
    }
}

// Every byte of small files, and sections of random bytes of larger ones.
TEST(Words, StayInBoundsWhateverAFileHolds) {
    const TemporaryDirectory directory;
    Random random(6);
    const auto open_altered = [&](const Bytes& bytes, const Strings& strings) {
        test::write_bytes(directory.path("altered"), bytes);
        try {
            const auto words = Words::load(IndexFile::open(directory.path("altered"), false, nullptr), "words");
            if (words) look_up(*words, strings);
        } catch (const FormatError&) {
            return;
        }
    };
    for (Strings strings : {random_strings(random, 40, 200, 20), sorted(random_strings(random, 40, 3, 60))}) {
        strings.push_back("zz" + std::string(300, 'z'));
        save(build(strings), directory.path("f"));
        const Bytes bytes = test::read_bytes(directory.path("f"));
        const std::size_t begin = test::entry_at(test::n_sections(bytes));
        for (std::size_t at = begin; at < bytes.size(); ++at) {
            const std::size_t values[] = {0x00, 0x0f, 0xf0, 0xff, random() & 255};
            Bytes altered = bytes;
            altered[at] = static_cast<std::byte>(values[random() % 5]);
            open_altered(altered, strings);
        }
    }
    const Strings strings = random_strings(random, 1100, 30, 8);
    save(build(strings), directory.path("f"));
    const Bytes bytes = test::read_bytes(directory.path("f"));
    const IndexFile file = IndexFile::open(directory.path("f"), false, nullptr);
    for (const Section& section : file.sections()) {
        if (section.name == "parameters") continue;
        for (int i = 0; i < 10; ++i) {
            Bytes altered = bytes;
            for (std::size_t at = 0; at < section.bytes.size(); ++at) {
                altered[section.offset + at] = static_cast<std::byte>(i == 0 ? 255 : random() & 255);
            }
            open_altered(altered, strings);
        }
    }
}

TEST(Words, AreRefusedWhereSectionsDoNotFitTheirNumber) {
    const TemporaryDirectory directory;
    const Strings strings{"b", "a", "c"};
    save(build(strings), directory.path("f"));
    const IndexFile file = IndexFile::open(directory.path("f"), true, nullptr);
    const auto refused = [&](std::uint64_t n_words, std::string_view without) {
        Parameters counts;
        counts.set("n_words", n_words);
        SectionList sections;
        for (const Section& section : file.sections()) {
            if (section.name == "parameters") continue;
            if (section.name == without) {
                sections.add(section.name, Buffer<std::uint8_t>());
            } else {
                test::add_section(sections, file, section);
            }
        }
        write_index_file(directory.path("g"), "test", counts, sections, nullptr);
        try {
            static_cast<void>(Words::load(IndexFile::open(directory.path("g"), true, nullptr), "words"));
        } catch (const FormatError&) {
            return true;
        }
        return false;
    };
    EXPECT_FALSE(refused(3, ""));
    EXPECT_TRUE(refused(0, ""));
    EXPECT_TRUE(refused(33, ""));
    EXPECT_TRUE(refused(9, "")) << "numbers of more bits";
    EXPECT_TRUE(refused(std::uint64_t{1} << 32, ""));
    EXPECT_TRUE(refused(3, "words/ids"));
    EXPECT_TRUE(refused(3, "words/ranks"));
}

}  // namespace
}  // namespace thresher
