# hawker_module(name FLOOR n [DEPENDS rooms...] [LINK libraries...] SOURCES files...)
#
# One static library for one folder. DEPENDS names other rooms; a room on the same floor or above is refused when CMake
# configures, so an arrow can only point down. LINK names foreign libraries, private to the room: who includes the room's
# door does not see them.
add_library(hawker_warnings INTERFACE)
target_compile_options(hawker_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
    -Woverloaded-virtual -Wimplicit-fallthrough -Werror
    $<$<CXX_COMPILER_ID:GNU>:-fcoroutines>)
target_include_directories(hawker_warnings INTERFACE ${PROJECT_SOURCE_DIR})
# Files that are compiled together (CMAKE_UNITY_BUILD) look to GCC like headers, whose types must have linkage.
if(CMAKE_UNITY_BUILD)
    target_compile_options(hawker_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endif()
if(HAWKER_SANITIZE)
    target_compile_options(hawker_warnings INTERFACE -fsanitize=${HAWKER_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(hawker_warnings INTERFACE -fsanitize=${HAWKER_SANITIZE})
endif()

function(hawker_module name)
    cmake_parse_arguments(arg "" "FLOOR" "DEPENDS;LINK;SOURCES" ${ARGN})
    if(NOT DEFINED arg_FLOOR OR arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "hawker_module(${name}): needs FLOOR; does not know '${arg_UNPARSED_ARGUMENTS}'")
    endif()
    add_library(hawker_${name} STATIC ${arg_SOURCES})
    set_target_properties(hawker_${name} PROPERTIES HAWKER_FLOOR ${arg_FLOOR})
    foreach(room IN LISTS arg_DEPENDS)
        if(NOT TARGET hawker_${room})
            message(FATAL_ERROR "${name}: there is no room '${room}' below it")
        endif()
        get_target_property(floor hawker_${room} HAWKER_FLOOR)
        if(NOT floor LESS arg_FLOOR)
            message(FATAL_ERROR "${name} (floor ${arg_FLOOR}) may not depend on ${room} (floor ${floor}): arrows point down")
        endif()
        target_link_libraries(hawker_${name} PUBLIC hawker_${room})
    endforeach()
    target_link_libraries(hawker_${name} PUBLIC hawker_warnings PRIVATE ${arg_LINK})
endfunction()

# hawker_test(name DEPENDS rooms... [LINK libraries...] SOURCES files...): one GoogleTest binary; each TEST is one CTest.
function(hawker_test name)
    if(NOT HAWKER_TESTS)
        return()
    endif()
    cmake_parse_arguments(arg "" "" "DEPENDS;LINK;SOURCES" ${ARGN})
    add_executable(${name} ${arg_SOURCES})
    list(TRANSFORM arg_DEPENDS PREPEND hawker_)
    target_link_libraries(${name} PRIVATE ${arg_DEPENDS} hawker_warnings ${arg_LINK} GTest::gtest GTest::gtest_main GTest::gmock)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
    add_test(NAME ${name} COMMAND ${name})
    # Against a hang; a disk that is slow to sync is none.
    set_tests_properties(${name} PROPERTIES TIMEOUT 900)
endfunction()
