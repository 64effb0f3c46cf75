# qed_add_rust_library(NAME CRATE folder SOURCES file... [LIBRARY package] [SHARED]): a library that
# cargo builds.
#
# It is static, and NAME is an imported target; or, with SHARED, it is one that the program opens at
# run time, and NAME is a target that is part of `all` and that nothing links with. LIBRARY is the
# name of the package, by default NAME. SOURCES are relative to the crate: cargo is called when one
# of them is newer than the library. What cargo compiles of other people's crates is kept in
# QED_CACHE, under the hash of Cargo.lock, so that a second clone compiles this crate alone.

execute_process(COMMAND "${PROJECT_SOURCE_DIR}/scripts/setup-cargo"
                OUTPUT_VARIABLE QED_CARGO OUTPUT_STRIP_TRAILING_WHITESPACE)
set(QED_BUILD_CRATE "${CMAKE_CURRENT_LIST_DIR}/build_crate.sh")

function(qed_add_rust_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SHARED" "CRATE;LIBRARY" "SOURCES")
  if(NOT QED_CARGO)
    message(FATAL_ERROR "${name} is written in Rust, and there is no cargo, or only an old one: "
            "run scripts/setup-packages rust")
  endif()
  if(NOT arg_LIBRARY)
    set(arg_LIBRARY ${name})
  endif()
  get_filename_component(crate "${arg_CRATE}" ABSOLUTE)
  list(TRANSFORM arg_SOURCES PREPEND "${crate}/")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${crate}/Cargo.lock")
  file(SHA256 "${crate}/Cargo.lock" hash)
  string(SUBSTRING "${hash}" 0 16 hash)
  set(file "lib${arg_LIBRARY}.a")
  if(arg_SHARED)
    set(file "lib${arg_LIBRARY}.so")
  endif()
  set(built "${CMAKE_BINARY_DIR}/lib/${file}")

  add_custom_command(
    OUTPUT "${built}"
    COMMAND bash "${QED_BUILD_CRATE}" "${QED_CARGO}" "${crate}" ${arg_LIBRARY}
            "${QED_CACHE}/cargo/${arg_LIBRARY}-${hash}" "${built}"
    DEPENDS ${arg_SOURCES} "${crate}/Cargo.toml" "${crate}/Cargo.lock" "${QED_BUILD_CRATE}"
    COMMENT "Building Rust library ${name}"
    VERBATIM)
  if(arg_SHARED)
    add_custom_target(${name} ALL DEPENDS "${built}")
    return()
  endif()
  add_custom_target(${name}_build DEPENDS "${built}")
  add_library(${name} STATIC IMPORTED GLOBAL)
  add_dependencies(${name} ${name}_build)
  set_target_properties(${name} PROPERTIES
    IMPORTED_LOCATION "${built}"
    INTERFACE_LINK_LIBRARIES "pthread;dl;m"
    INTERFACE_LINK_OPTIONS "-Wl,--gc-sections;-Wl,--exclude-libs,${file}")
endfunction()
