# cmake -DHAWKERD=... -DFLAG=... -DFILE=... -P compare_generated.cmake: FILE must be what `hawkerd FLAG` prints.
execute_process(COMMAND ${HAWKERD} ${FLAG} OUTPUT_VARIABLE generated RESULT_VARIABLE code)
if(NOT code EQUAL 0)
    message(FATAL_ERROR "${HAWKERD} ${FLAG} ended with ${code}")
endif()
file(READ ${FILE} committed)
if(NOT generated STREQUAL committed)
    message(FATAL_ERROR "${FILE} is not what ${HAWKERD} ${FLAG} prints: run `make docs` and commit the result")
endif()
