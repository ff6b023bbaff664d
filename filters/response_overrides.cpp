#include "filters/response_overrides.h"

#include "filters/signed_urls.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace hawker::filters {

namespace {

bool is_field_value(std::string_view value) {
    return std::ranges::none_of(value, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 || byte == 0x7F;
    });
}

// RFC 6266: quoted where that says it all, else the extended notation (RFC 8187).
std::string disposition_of(std::string_view file_name) {
    const bool is_plain = std::ranges::all_of(file_name, [](char c) {
        return c >= 0x20 && c < 0x7F && c != '"' && c != '\\' && c != '%';
    });
    if (is_plain) return fmt::format("attachment; filename=\"{}\"", file_name);
    std::string text = "attachment; filename*=UTF-8''";
    for (const char c : file_name) {
        const bool is_bare = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
        if (is_bare)
            text += c;
        else
            text += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return text;
}

std::optional<std::string>& slot(ResponseOverrides& overrides, OverriddenField field) {
    switch (field) {
        case OverriddenField::content_type:
            return overrides.content_type;
        case OverriddenField::cache_control:
            return overrides.cache_control;
        case OverriddenField::content_language:
            return overrides.content_language;
        case OverriddenField::expires:
            return overrides.expires;
        case OverriddenField::content_disposition:
        case OverriddenField::file_name:
            break;
    }
    return overrides.content_disposition;
}

bool is_contradicted(std::span<const Parameter* const> stripped, const Parameter& parameter) {
    return std::ranges::any_of(stripped, [&parameter](const Parameter* other) {
        return other->known == parameter.known && other->value != parameter.value;
    });
}

}  // namespace

bool ResponseOverrides::empty() const {
    return !content_type && !content_disposition && !cache_control && !content_language && !expires;
}

Expected<ResponseOverrides> read_overrides(std::span<const Parameter* const> stripped) {
    ResponseOverrides overrides;
    for (const Parameter* parameter : stripped) {
        if (parameter->known == nullptr || parameter->value.empty()) continue;
        const auto field = parameter->known->overridden;
        if (!field) continue;
        if (is_contradicted(stripped, *parameter))
            return fail(Errc::invalid, fmt::format("'{}' is there twice, with two values",
                                                   parameter->known->name));
        std::string value = decode_value(parameter->value);
        if (!is_field_value(value))
            return fail(Errc::invalid,
                        fmt::format("'{}' holds a control byte", parameter->known->name));
        if (*field == OverriddenField::file_name) value = disposition_of(value);
        // A SAS and the edge in front of it may both name a field (rscd and
        // response-content-disposition); they agree in practice, and the first is the one that the
        // store itself honours.
        auto& wanted = slot(overrides, *field);
        if (!wanted) wanted = std::move(value);
    }
    return overrides;
}

}  // namespace hawker::filters
