// Writes small valid index files, the corpus that the fuzzer starts from, with the golden files of older format
// versions among them. Usage: make_seeds FOLDER
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/storage/words.hpp"
#include "engines/block_max_index.hpp"
#include "engines/clustered_index.hpp"
#include "engines/exact_index.hpp"
#include "engines/graph_index.hpp"
#include "engines/impact_index.hpp"
#include "engines/postings_index.hpp"
#include "engines/registry.hpp"

namespace {

struct Rows {
    std::uint64_t n_terms = 0;
    std::vector<std::int64_t> indptr{0};
    std::vector<std::uint32_t> terms;
    std::vector<float> weights;
    thresher::CsrView view() const { return {n_terms, indptr, terms, weights}; }
};

// Every document has term 0 and a fraction `density` of the others, so that there are dense rows and lists.
Rows random_rows(std::size_t n_docs, std::uint64_t n_terms, double density) {
    std::mt19937 random(static_cast<unsigned>(n_docs));
    std::bernoulli_distribution has(density);
    std::uniform_real_distribution<float> weight(0.01F, 3.0F);
    Rows rows;
    rows.n_terms = n_terms;
    for (std::size_t doc = 0; doc < n_docs; ++doc) {
        for (std::uint32_t term = 0; term < n_terms; ++term) {
            if (term != 0 && !has(random)) continue;
            rows.terms.push_back(term);
            rows.weights.push_back(weight(random));
        }
        rows.indptr.push_back(static_cast<std::int64_t>(rows.terms.size()));
    }
    return rows;
}

// Some of them in ascending order, of several blocks.
thresher::Words random_words(std::size_t n, bool ascending) {
    std::mt19937 random(static_cast<unsigned>(n));
    std::vector<std::string> words;
    for (std::size_t i = 0; i < n; ++i) words.push_back("word " + std::to_string(i + 100) + std::string(i % 20, 'x'));
    if (!ascending) std::shuffle(words.begin(), words.end(), random);
    thresher::Progress progress(nullptr);
    const std::vector<std::string_view> views(words.begin(), words.end());
    return thresher::Words::build(views, "words", 1, progress);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: make_seeds FOLDER\n");
        return 2;
    }
    const std::filesystem::path folder = argv[1];
    std::filesystem::create_directories(folder);
    const auto save = [&](const char* name, const Rows& rows, const thresher::ExactParams& params) {
        thresher::ExactIndex::build(rows.view(), params, {.threads = 1})->save(folder / name, nullptr);
    };
    save("empty", random_rows(0, 0, 0), {});
    save("one_document", random_rows(1, 4, 1), {});
    save("lists", random_rows(100, 40, 0.05), {.window = 64, .row_density = 1});
    save("rows_and_lists", random_rows(150, 30, 0.1), {.window = 128, .row_density = 0.1});
    Rows distant = random_rows(20, 8, 0.3);
    distant.n_terms = 0xffffffff;
    distant.terms.back() = 0xfffffffe;
    save("distant_term", distant, {});
    const auto save_words = [&](const char* name, const Rows& rows, thresher::Words words, thresher::Words names) {
        thresher::ExactIndex::build(rows.view(), {}, {.threads = 1})
            ->with_words(std::move(words), std::move(names))
            ->save(folder / name, nullptr);
    };
    save_words("words", random_rows(20, 40, 0.1), random_words(40, true), random_words(20, false));
    save_words("words_of_some", random_rows(50, 40, 0.05), random_words(3, false), random_words(50, true));

    // Weights of both signs, one far above the others, in codes and beside them.
    Rows signed_rows = random_rows(150, 30, 0.1);
    for (std::size_t p = 0; p < signed_rows.weights.size(); p += 3) signed_rows.weights[p] *= -1;
    signed_rows.weights[100] = 1e6F;
    for (const auto& [name, precision] :
         {std::pair("codes", thresher::Precision::codes), std::pair("grains", thresher::Precision::both)}) {
        for (const std::string_view engine : thresher::engine_names()) {
            thresher::build_index(engine, signed_rows.view(), {}, {.precision = precision, .threads = 1})
                ->save(folder / (std::string(engine) + "_" + name), nullptr);
        }
    }

    const auto save_block_max = [&](const char* name, const Rows& rows, const thresher::BlockMaxParams& params) {
        thresher::BlockMaxIndex::build(rows.view(), params, {.threads = 1})->save(folder / name, nullptr);
    };
    save_block_max("block_max_empty", random_rows(0, 0, 0), {});
    save_block_max("block_max", random_rows(150, 30, 0.1), {.bound_frequency = 0.1, .tile_frequency = 0.12});
    save_block_max("block_max_reordered", random_rows(150, 30, 0.1),
                   {.block_size = 8, .reorder = true, .bound_frequency = 0.1, .tile_frequency = 0.12});
    const auto save_clustered = [&](const char* name, const Rows& rows, const thresher::ClusteredParams& params) {
        thresher::ClusteredIndex::build(rows.view(), params, {.threads = 1})->save(folder / name, nullptr);
    };
    save_clustered("clustered_empty", random_rows(0, 0, 0), {});
    save_clustered("clustered", random_rows(150, 30, 0.1), {.reorder = false, .dense_frequency = 0.1});
    save_clustered("clustered_neighbours", random_rows(150, 30, 0.1),
                   {.cluster_size = 8, .dense_frequency = 0.12, .n_postings = 3, .neighbours = 2});
    save_clustered("clustered_groups", random_rows(300, 30, 0.1), {.dense_frequency = 0.12, .group_frequency = 0.01});
    thresher::ClusteredIndex::build(random_rows(150, 30, 0.1).view(), {.dense_frequency = 0.1}, {.threads = 1})
        ->with_search_params({.query_cut = 3, .heap_factor = 0.75, .cluster_budget = 5})
        ->save(folder / "clustered_tuned", nullptr);
    const auto save_graph = [&](const char* name, const Rows& rows, const thresher::GraphParams& params) {
        thresher::GraphIndex::build(rows.view(), params, {.threads = 1})->save(folder / name, nullptr);
    };
    save_graph("graph_empty", random_rows(0, 0, 0), {});
    save_graph("graph", random_rows(150, 30, 0.1), {.m = 2, .entry_points = 3, .reorder = false});
    save_graph("graph_reordered", random_rows(150, 30, 0.1), {.m = 8, .ef_construction = 16, .entry_points = 1});
    const auto save_impact = [&](const char* name, const Rows& rows) {
        thresher::ImpactIndex::build(rows.view(), {}, {.threads = 1})->save(folder / name, nullptr);
    };
    save_impact("impact_empty", random_rows(0, 0, 0));
    save_impact("impact_rare", random_rows(20, 8, 0.3));
    save_impact("impact", random_rows(150, 30, 0.1));
    const auto save_postings = [&](const char* name, const Rows& rows) {
        thresher::PostingsIndex::build(rows.view(), {}, {.threads = 1})->save(folder / name, nullptr);
    };
    save_postings("postings_empty", random_rows(0, 0, 0));
    save_postings("postings", random_rows(400, 30, 0.1));
    thresher::PostingsIndex::build(random_rows(60, 12, 0.2).view(), {}, {.threads = 1})
        ->with_search_params({"wand"})
        ->save(folder / "postings_tuned", nullptr);

    for (const auto& entry : std::filesystem::directory_iterator(THRESHER_TEST_DATA)) {
        const std::string name = entry.path().filename().string();
        if (name.find("-v1-") == std::string::npos || entry.path().extension() != ".thresher") continue;
        std::filesystem::copy_file(entry.path(), folder / name, std::filesystem::copy_options::overwrite_existing);
    }
    return 0;
}
