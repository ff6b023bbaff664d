// Which principals were allowed to read which task, and until when: keyed hashes only, bounded.
// With a journal they outlive the process, and so does the key.
//
// Thread: any.
#pragma once

#include "base/clock.h"
#include "base/digest.h"
#include "daemon/proxy/access_journal.h"
#include "daemon/proxy/access_questions.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace hawker::proxy {

class AccessMemory {
public:
    virtual ~AccessMemory() = default;
    static std::unique_ptr<AccessMemory> create(std::size_t most_entries, const Clock& clock);
    // The same with what `journal` recalls: no yes lasts longer than `ttl` from now. It waits for
    // the disk.
    static std::unique_ptr<AccessMemory> create(std::size_t most_entries, const Clock& clock,
                                                std::unique_ptr<AccessJournal> journal,
                                                std::chrono::milliseconds ttl);

    virtual bool is_allowed(const std::string& principal, const TaskId& task) const = 0;
    virtual void allow(const std::string& principal, const TaskId& task, WallTime until) = 0;
    // The origin has said no to this principal since.
    virtual void forget(const std::string& principal, const TaskId& task) = 0;
    virtual void forget(const TaskId& task) = 0;

    // What was last said of a mirror's matter to this principal. It has no end: it is for the time
    // when nobody can be asked. Bounded as the yeses are; what was said longest ago leaves first.
    struct Standing {
        enum class Word : std::uint8_t {
            none,
            open,     // yes
            refused,  // no
            hidden,   // not to it, but the upstream says to others that this is not for everybody
        };
        Standing() = default;
        Standing(Word its_word, WallTime its_time) : word(its_word), heard(its_time) {}
        Word word = Word::none;
        WallTime heard;  // in whole seconds
    };
    virtual Standing standing(const std::string& principal, const TaskId& task) const = 0;
    virtual void hear(const std::string& principal, const TaskId& task, Standing::Word word) = 0;

    // The keyed hash of both: the name of a yes, and of the question that may earn one.
    virtual Digest key_of(const std::string& principal, const TaskId& task) const = 0;
    // The questions that are being asked now, of all loops.
    virtual AccessQuestions& questions() = 0;
};

}  // namespace hawker::proxy
