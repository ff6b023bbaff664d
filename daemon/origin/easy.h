// One request as the options of a libcurl easy handle. Not a door; only origin/ includes it.
#pragma once

#include "daemon/origin/client.h"
#include "daemon/origin/routes.h"
#include "daemon/origin/target.h"

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <curl/curl.h>

namespace hawker::origin {

struct CloseEasy {
    void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using EasyHandle = std::unique_ptr<CURL, CloseEasy>;

struct FreeNames {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using NameList = std::unique_ptr<curl_slist, FreeNames>;

// Lines that libcurl reads as a list, in two pieces of memory instead of two for each.
class FieldLines {
public:
    FieldLines() = default;
    FieldLines(const FieldLines&) = delete;
    FieldLines& operator=(const FieldLines&) = delete;
    ~FieldLines() = default;

    // What get() has given is over.
    void add(std::initializer_list<std::string_view> parts_of_a_line);
    // Until the next add(); null when there is no line.
    curl_slist* get();

private:
    std::string text_;  // each line ends with a zero
    std::size_t lines_ = 0;
    std::vector<curl_slist> nodes_;
};

// The fields in libcurl's notation: exactly these, with those that libcurl would add of itself
// suppressed. Errc::invalid for a name or value that could end its line.
Expected<void> list_fields(const Request& request, const Target& target, FieldLines& lines);

// Where to, through whom and with which certificates. The list is what libcurl shall know about
// names; it must outlive the transfer, and may be null.
Expected<NameList> set_route(CURL* easy, const Target& target, const Route& route);

// Everything but the route and callbacks. `fields` must outlive the transfer. Errc::invalid for a
// method that is no token or a HEAD with a body; Errc::exhausted when libcurl has no memory.
Expected<void> configure(CURL* easy, const Request& request, const Target& target,
                         const ClientOptions& options, const Route& route, curl_slist* fields);

// May the request be sent again on a new connection? GET, HEAD and OPTIONS without a body (C10).
bool is_repeatable(const Request& request);

}  // namespace hawker::origin
