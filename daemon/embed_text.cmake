# cmake -DINPUT=file -DOUTPUT=file.cpp -P embed_text.cmake: the text of INPUT as the function shipped_rules().
file(READ ${INPUT} text)
# One string literal may not be arbitrarily long (GCC accepts any length, -Wpedantic does not): lines are joined by the compiler.
string(FIND "${text}" ")HAWKER\"" clash)
if(NOT clash EQUAL -1)
    message(FATAL_ERROR "${INPUT} holds the end of a raw string literal")
endif()
file(WRITE ${OUTPUT} "#include \"daemon/shipped_rules.h\"\n\nnamespace hawker::daemon {\n
std::string_view shipped_rules() {\n    return R\"HAWKER(${text})HAWKER\";\n}\n\n}  // namespace hawker::daemon\n")
