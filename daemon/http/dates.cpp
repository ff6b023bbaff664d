#include "daemon/http/grammar.h"
#include "daemon/http/validators.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace hawker::http {

namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using std::chrono::year;

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> kLongDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};

// A cursor that reads fixed shapes and remembers whether one of them failed.
class DateReader {
public:
    explicit DateReader(std::string_view text) : rest_(text) {}

    bool ended() const { return !failed_ && rest_.empty(); }

    void expect(std::string_view literal) {
        if (rest_.starts_with(literal))
            rest_.remove_prefix(literal.size());
        else
            failed_ = true;
    }

    int digits(std::size_t count) {
        const auto value = parse_decimal(rest_.substr(0, count));
        if (!value || rest_.size() < count) {
            failed_ = true;
            return 0;
        }
        rest_.remove_prefix(count);
        return static_cast<int>(*value);
    }

    template <std::size_t N>
    unsigned name(const std::array<std::string_view, N>& names) {
        const auto found = std::ranges::find_if(
            names, [this](std::string_view it) { return rest_.starts_with(it); });
        if (found == names.end()) {
            failed_ = true;
            return 0;
        }
        rest_.remove_prefix(found->size());
        return static_cast<unsigned>(found - names.begin());
    }

    // asctime pads a day below ten with a space.
    int padded_day() {
        if (!rest_.starts_with(' ')) return digits(2);
        rest_.remove_prefix(1);
        return digits(1);
    }

private:
    std::string_view rest_;
    bool failed_ = false;
};

struct Parts {
    int day_of_month = 0, year_number = 0, hour = 0, minute = 0, second = 0;
    unsigned month_index = 0;
};

void read_time(DateReader& reader, Parts& parts) {
    parts.hour = reader.digits(2);
    reader.expect(":");
    parts.minute = reader.digits(2);
    reader.expect(":");
    parts.second = reader.digits(2);
}

// Sun, 06 Nov 1994 08:49:37 GMT
std::optional<Parts> read_fixdate(std::string_view text) {
    DateReader reader(text);
    Parts parts;
    reader.name(kDays);
    reader.expect(", ");
    parts.day_of_month = reader.digits(2);
    reader.expect(" ");
    parts.month_index = reader.name(kMonths);
    reader.expect(" ");
    parts.year_number = reader.digits(4);
    reader.expect(" ");
    read_time(reader, parts);
    reader.expect(" GMT");
    return reader.ended() ? std::optional(parts) : std::nullopt;
}

// Sunday, 06-Nov-94 08:49:37 GMT
std::optional<Parts> read_rfc850(std::string_view text, WallTime now) {
    DateReader reader(text);
    Parts parts;
    reader.name(kLongDays);
    reader.expect(", ");
    parts.day_of_month = reader.digits(2);
    reader.expect("-");
    parts.month_index = reader.name(kMonths);
    reader.expect("-");
    const int two_digits = reader.digits(2);
    reader.expect(" ");
    read_time(reader, parts);
    reader.expect(" GMT");
    if (!reader.ended()) return std::nullopt;
    // More than 50 years ahead means the century before (RFC 9110 section 5.6.7).
    const int this_year =
        static_cast<int>(std::chrono::year_month_day(std::chrono::floor<days>(now)).year());
    parts.year_number = this_year - this_year % 100 + two_digits;
    if (parts.year_number > this_year + 50) parts.year_number -= 100;
    return parts;
}

// Sun Nov  6 08:49:37 1994
std::optional<Parts> read_asctime(std::string_view text) {
    DateReader reader(text);
    Parts parts;
    reader.name(kDays);
    reader.expect(" ");
    parts.month_index = reader.name(kMonths);
    reader.expect(" ");
    parts.day_of_month = reader.padded_day();
    reader.expect(" ");
    read_time(reader, parts);
    reader.expect(" ");
    parts.year_number = reader.digits(4);
    return reader.ended() ? std::optional(parts) : std::nullopt;
}

// WallTime counts nanoseconds in 64 bits: it ends in 2262, and a difference of two times must fit
// as well. "Expires: 9999" is real.
sys_seconds within_bounds(sys_seconds time) {
    constexpr sys_seconds kEarliest = sys_days(year(1900) / 1 / 1),
                          kLatest = sys_days(year(2150) / 1 / 1);
    return std::clamp(time, kEarliest, kLatest);
}

}  // namespace

std::optional<WallTime> parse_date(std::string_view value, WallTime now) {
    const std::string_view text = trim(value);
    auto parts = read_fixdate(text);
    if (!parts) parts = read_rfc850(text, now);
    if (!parts) parts = read_asctime(text);
    if (!parts) return std::nullopt;
    const std::chrono::year_month_day date(
        year(parts->year_number), std::chrono::month(parts->month_index + 1),
        std::chrono::day(static_cast<unsigned>(parts->day_of_month)));
    // 60 is a leap second.
    if (!date.ok() || parts->hour > 23 || parts->minute > 59 || parts->second > 60)
        return std::nullopt;
    const sys_seconds time =
        sys_days(date) + hours(parts->hour) + minutes(parts->minute) + seconds(parts->second);
    return WallTime(within_bounds(time));
}

std::string format_date(WallTime time) {
    const auto day = std::chrono::floor<days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<seconds>(time - day));
    return fmt::format(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday(day).c_encoding()],
        static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
        static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
        clock.seconds().count());
}

}  // namespace hawker::http
