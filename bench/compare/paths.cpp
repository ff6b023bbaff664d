// Two hot paths by themselves, for callgrind: `compare_paths decide N`, `compare_paths look_up N`.
//
// Only what runs inside of measured() is to be counted (callgrind --toggle-collect=measured); what
// grows once, such as RE2's automata, has grown before.
#include "base/clock.h"
#include "base/log.h"
#include "cache/foundation.h"
#include "cache/index.h"
#include "daemon/rules_config.h"
#include "daemon/shipped_rules.h"
#include "filters/rule_set.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <string>
#include <string_view>
#include <vector>

#include <stdlib.h>
#include <yaml-cpp/yaml.h>

using namespace hawker;

// A symbol that callgrind can be told.
extern "C" [[gnu::noinline]] void measured(const std::function<void(std::size_t)>& path,
                                           std::size_t times) {
    for (std::size_t i = 0; i < times; ++i) path(i);
}

namespace {

// As these hosts hand them out; the last one no rule knows.
constexpr std::array<std::string_view, 4> kUrls = {
    "http://cdn-lfs-us-1.hf.co/repos/e3/b0/"
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/"
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    "?response-content-disposition=inline&Expires=1700000000&Policy=p&Signature=s&Key-Pair-Id=k",
    "https://github-cloud.githubusercontent.com/alambic/media/123/e3/b0/"
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=c&X-Amz-Date=20260101T000000Z"
    "&X-Amz-Expires=300&X-Amz-Signature=s&X-Amz-SignedHeaders=host",
    "https://ghcr.io/v2/owner/image/blobs/"
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "http://deb.debian.org/debian/pool/main/v/valgrind/valgrind_3.19.0-1_amd64.deb",
};

constexpr std::size_t kObjects = 10'000;

// Nothing here can fail in a way that anybody could mend but by reading it.
template <typename T>
T must(Expected<T> value) {
    if (value) return std::move(*value);
    std::fprintf(stderr, "compare_paths: %s\n", value.error().what.c_str());
    std::exit(1);
}

void decide(std::size_t times) {
    const YAML::Node file = YAML::Load(std::string(daemon::shipped_rules()));
    const auto rules =
        must(filters::RuleSet::compile(must(daemon::read_rules(file["rules"], "etc/rules.yaml"))));
    std::size_t cached = 0;
    const auto path = [&](std::size_t i) {
        filters::Question question;
        question.method = "GET";
        question.url = kUrls[i % kUrls.size()];
        cached += rules->decide(question).road == filters::Road::cache ? 1U : 0U;
    };
    for (std::size_t i = 0; i < kUrls.size(); ++i) path(i);
    if (cached != kUrls.size() - 1) must<int>(fail(Errc::invalid, "the URLs are not the rules'"));
    measured(path, times);
}

TaskId task_number(std::size_t number) {
    Sha256 hash;
    hash.update("task " + std::to_string(number));
    TaskId task;
    task.bytes = hash.value();
    return task;
}

cache::ObjectRecord object(const TaskId& task) {
    cache::ObjectRecord record;
    record.task = task;
    record.generation = 1;
    record.size = 1U << 30U;
    record.piece_size = 4U << 20U;
    record.validator = "\"0123456789abcdef\"";
    record.head = std::string(300, 'h');
    record.complete = true;
    record.label = "https://cdn.example/some/model/of/many.bin";
    record.rule = "a rule";
    return record;
}

void look_up_in(const std::filesystem::path& directory, std::size_t times) {
    const SystemClock clock;
    const auto log = Log::silent();
    cache::IndexOptions options;
    options.directory = directory;
    options.map_size = 256U << 20U;
    const auto index =
        must(cache::Index::open(cache::Foundation::of_the_system(), options, clock, *log));
    std::vector<TaskId> tasks;
    for (std::size_t i = 0; i < kObjects; ++i) {
        tasks.push_back(task_number(i));
        index->put_object(object(tasks.back()));
    }
    std::promise<void> written;
    index->flush([&written] { written.set_value(); }, cache::Index::When::now);
    written.get_future().wait();
    std::size_t found = 0;
    const auto path = [&](std::size_t i) {
        found += index->find(tasks[i * 7919 % kObjects]) ? 1U : 0U;
    };
    path(0);
    measured(path, times);
    if (found != times + 1) must<int>(fail(Errc::not_found, "the index has lost something"));
    index->close();
}

void look_up(std::size_t times) {
    std::string name = std::filesystem::temp_directory_path() / "hawker-compare-XXXXXX";
    if (!::mkdtemp(name.data())) must<int>(fail(Errc::unavailable, "no directory for the index"));
    look_up_in(name, times);
    std::filesystem::remove_all(name);
}

}  // namespace

int main(int count, char** words) {
    const std::string_view path = count == 3 ? words[1] : "";
    const std::string_view number = count == 3 ? words[2] : "";
    std::size_t times = 0;
    std::from_chars(number.data(), number.data() + number.size(), times);
    if (path == "decide" && times > 0) {
        decide(times);
    } else if (path == "look_up" && times > 0) {
        look_up(times);
    } else {
        std::fputs("usage: compare_paths decide|look_up TIMES\n", stderr);
        return 2;
    }
}
