# qed_add_plugin(NAME KIND tasks|algorithms|samplers SOURCES file...): a plugin of qed, NAME.so.
#
# It lands in ${CMAKE_BINARY_DIR}/plugins/<kind>/, or in ${QED_PLUGIN_OUTPUT_DIR}/<kind>/ where that
# is set. It sees the SDK alone, exports qed_entry_1 alone, finds all its symbols when it is linked,
# and stays loaded.

set(QED_PLUGIN_EXPORTS "${CMAKE_CURRENT_LIST_DIR}/plugin_exports.map")

function(qed_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "KIND" "SOURCES")
  if(NOT arg_KIND MATCHES "^(tasks|algorithms|samplers)$")
    message(FATAL_ERROR "qed_add_plugin(${name}): KIND is '${arg_KIND}'; "
            "it must be tasks, algorithms or samplers")
  endif()
  set(folder "${CMAKE_BINARY_DIR}/plugins")
  if(QED_PLUGIN_OUTPUT_DIR)
    set(folder "${QED_PLUGIN_OUTPUT_DIR}")
  elseif(TARGET qed_plugins)
    add_dependencies(qed_plugins ${name})
  endif()

  add_library(${name} MODULE ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE qed::sdk)
  set_target_properties(${name} PROPERTIES
    PREFIX ""
    LIBRARY_OUTPUT_DIRECTORY "${folder}/${arg_KIND}"
    POSITION_INDEPENDENT_CODE ON
    C_VISIBILITY_PRESET hidden
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON
    LINK_DEPENDS "${QED_PLUGIN_EXPORTS}")
  # Else a template's static would be one object for all plugins of the process.
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>)
  target_link_options(${name} PRIVATE
    "LINKER:--version-script=${QED_PLUGIN_EXPORTS}" LINKER:--exclude-libs,ALL
    LINKER:-z,now LINKER:-z,relro LINKER:-z,noexecstack LINKER:-z,nodelete)
  if(NOT QED_SANITIZE)  # a sanitizer's symbols come from the program
    target_link_options(${name} PRIVATE LINKER:-z,defs)
  endif()
endfunction()
