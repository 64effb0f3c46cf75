# qed_embed(OUTPUT VARIABLE FOLDER file...): writes the source OUTPUT, which defines
# `const std::vector<qed::EmbeddedFile> qed::VARIABLE` with the given files of FOLDER, paths
# relative to it (core/util/embedded.h). At configure time, and again when a file changes.

function(qed_embed output variable folder)
  set(rows "")
  foreach(file ${ARGN})
    file(READ "${folder}/${file}" text)
    string(APPEND rows "    {\"${file}\", R\"qed(${text})qed\"},\n")
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${folder}/${file}")
  endforeach()
  set(source "#include \"core/util/embedded.h\"

namespace qed {

extern const std::vector<EmbeddedFile> ${variable};
const std::vector<EmbeddedFile> ${variable} = {
${rows}};

}  // namespace qed
")
  set(old "")
  if(EXISTS "${output}")
    file(READ "${output}" old)
  endif()
  if(NOT old STREQUAL source)
    file(WRITE "${output}" "${source}")
  endif()
endfunction()
