# Compiler settings that must be the same in every target.

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 11)
  message(FATAL_ERROR "g++ is ${CMAKE_CXX_COMPILER_VERSION}; qed is C++20 and needs 11 or newer")
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()
# Line numbers are enough for a backtrace; all that LibTorch's headers declare would be huge.
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")

# Paths in the binaries are relative to the tree, whichever way the compiler was given them.
file(RELATIVE_PATH up "${CMAKE_BINARY_DIR}" "${PROJECT_SOURCE_DIR}")
add_compile_options(
  -Wall -Wextra
  "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/="
  "-ffile-prefix-map=${up}=")
if(QED_WERROR)
  add_compile_options(
    "$<IF:$<COMPILE_LANGUAGE:CUDA>,--Werror=all-warnings,-Werror>")
endif()
if(QED_SANITIZE)
  # -Og: instrumented code takes twice as long to compile at -O2.
  add_compile_options(
    -fsanitize=${QED_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -Og)
  add_link_options(-fsanitize=${QED_SANITIZE})
endif()

# For the folders that take part: those without LibTorch.
set(QED_TIDY_COMMAND "")
if(QED_TIDY)
  find_program(QED_CLANG_TIDY NAMES clang-tidy clang-tidy-19 clang-tidy-18 clang-tidy-17
               clang-tidy-16 clang-tidy-15 clang-tidy-14)
  mark_as_advanced(QED_CLANG_TIDY)
  if(QED_CLANG_TIDY)
    set(QED_TIDY_COMMAND "${QED_CLANG_TIDY}" --quiet)
  endif()
endif()

find_program(QED_CCACHE ccache)
mark_as_advanced(QED_CCACHE)
if(QED_CCACHE)
  # The base folder lets a clone in another folder use what this one compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=true
      "${QED_CCACHE}")
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()
