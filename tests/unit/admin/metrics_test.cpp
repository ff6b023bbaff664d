#include "daemon/admin/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hawker::admin {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, ExchangesAreCountedBySourceAndStatusClass) {
    Metrics metrics("0.1.0");
    metrics.exchange("hit", 206, 100, 0);
    metrics.exchange("pass", 404, 5, 20);
    metrics.exchange("tunnel", 0, 7, 3);
    const std::string text = metrics.text({});
    EXPECT_THAT(text, HasSubstr("hawker_requests_total{source=\"hit\",status=\"2xx\"} 1"));
    EXPECT_THAT(text, HasSubstr("hawker_requests_total{source=\"pass\",status=\"4xx\"} 1"));
    EXPECT_THAT(text, HasSubstr("hawker_requests_total{source=\"tunnel\",status=\"none\"} 1"));
    EXPECT_THAT(text, HasSubstr("hawker_client_sent_bytes_total{source=\"hit\"} 100"));
    EXPECT_THAT(text, HasSubstr("hawker_client_received_bytes_total 23"));
    EXPECT_THAT(text, HasSubstr("hawker_build_info{version=\"0.1.0\"} 1"));
}

TEST(Metrics, AStrangeSourceMakesNoNewLabel) {
    Metrics metrics("0.1.0");
    metrics.exchange("http://secret/", 999, 0, 0);
    EXPECT_THAT(metrics.text({}),
                HasSubstr("hawker_requests_total{source=\"error\",status=\"none\"} 1"));
    EXPECT_THAT(metrics.text({}), Not(HasSubstr("secret")));
}

TEST(Metrics, CacheCountersFollowWhatTheCacheSays) {
    Metrics metrics("0.1.0");
    cache::Usage usage;
    usage.bytes = 4096;
    usage.evictions = 2;
    EXPECT_THAT(metrics.text(usage), HasSubstr("hawker_cache_evictions_total 2"));
    usage.evictions = 5;
    usage.waiting_bytes = 77;
    usage.dropped_changes = 3;
    const std::string text = metrics.text(usage);
    EXPECT_THAT(text, HasSubstr("hawker_cache_evictions_total 5"));
    EXPECT_THAT(text, HasSubstr("hawker_cache_bytes 4096"));
    EXPECT_THAT(text, HasSubstr("hawker_cache_index_waiting_bytes 77"));
    EXPECT_THAT(text, HasSubstr("hawker_cache_changes_dropped_total 3"));
}

}  // namespace
}  // namespace hawker::admin
