# qed_add_plugin(NAME [KIND tasks|rewards|algorithms|samplers] SOURCES file...): a plugin of qed,
# NAME.so. The same file serves qed itself and, through find_package(qed-sdk), everybody else.
#
# It lands in the current binary folder. With a KIND it lands in <kind>/ of QED_PLUGIN_OUTPUT_DIR
# or, where that is not set, of ${CMAKE_BINARY_DIR}/lib/qed/plugins, and is then installed beside
# the program. It sees the SDK alone, exports qed_entry_1 alone, finds all its symbols when it is
# linked, and stays loaded. Where QED_PROGRAM names the program, the test NAME.check runs
# `qed plugin check`.

set(QED_PLUGIN_EXPORTS "${CMAKE_CURRENT_LIST_DIR}/plugin_exports.map")

function(qed_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "KIND" "SOURCES")
  if(DEFINED arg_UNPARSED_ARGUMENTS OR NOT DEFINED arg_SOURCES)
    message(FATAL_ERROR "qed_add_plugin(${name}): write qed_add_plugin(NAME SOURCES file...)")
  endif()
  if(DEFINED arg_KIND AND NOT arg_KIND MATCHES "^(tasks|rewards|algorithms|samplers)$")
    message(FATAL_ERROR "qed_add_plugin(${name}): KIND is '${arg_KIND}'; "
            "it must be tasks, rewards, algorithms or samplers")
  endif()

  add_library(${name} MODULE ${arg_SOURCES})
  set(folder "${CMAKE_CURRENT_BINARY_DIR}")
  if(DEFINED arg_KIND AND QED_PLUGIN_OUTPUT_DIR)
    set(folder "${QED_PLUGIN_OUTPUT_DIR}/${arg_KIND}")
  elseif(DEFINED arg_KIND)
    set(folder "${CMAKE_BINARY_DIR}/lib/qed/plugins/${arg_KIND}")
    install(TARGETS ${name} LIBRARY DESTINATION lib/qed/plugins/${arg_KIND})
    if(TARGET qed_plugins)
      add_dependencies(qed_plugins ${name})
    endif()
  endif()

  target_link_libraries(${name} PRIVATE qed::sdk)
  set_target_properties(${name} PROPERTIES
    PREFIX ""
    LIBRARY_OUTPUT_DIRECTORY "${folder}"
    POSITION_INDEPENDENT_CODE ON
    C_VISIBILITY_PRESET hidden
    CXX_VISIBILITY_PRESET hidden
    VISIBILITY_INLINES_HIDDEN ON
    LINK_DEPENDS "${QED_PLUGIN_EXPORTS}")
  # Else a template's static would be one object for all plugins of the process. clang-tidy, which
  # CMake gives the same options, does not know this one.
  set(is_tidied $<BOOL:$<TARGET_PROPERTY:CXX_CLANG_TIDY>>)
  target_compile_options(${name} PRIVATE
    $<$<AND:$<COMPILE_LANG_AND_ID:CXX,GNU>,$<NOT:${is_tidied}>>:-fno-gnu-unique>)
  target_link_options(${name} PRIVATE
    "LINKER:--version-script=${QED_PLUGIN_EXPORTS}" LINKER:--exclude-libs,ALL
    LINKER:-z,now LINKER:-z,relro LINKER:-z,noexecstack LINKER:-z,nodelete)
  if(NOT QED_SANITIZE)  # a sanitizer's symbols come from the program
    target_link_options(${name} PRIVATE LINKER:-z,defs)
  endif()
  if(QED_PROGRAM)
    add_test(NAME ${name}.check COMMAND "${QED_PROGRAM}" plugin check $<TARGET_FILE:${name}>)
  endif()
endfunction()
