# Target lt::cpu: the CPU half of LibTorch, straight from the wheels' files in QED_LIBTORCH.
# LibTorch's own CMake package is not used: it wants the whole CUDA toolkit.

set(qed_torch_wanted 2.11.0)
set(qed_torch_hint "run scripts/setup-wheels libtorch FOLDER and configure with "
    "-DQED_LIBTORCH=FOLDER, or leave the engine out with -DQED_ENGINE=OFF")

set(header "${QED_LIBTORCH}/torch/include/torch/headeronly/version.h")
if(NOT EXISTS "${header}")
  message(FATAL_ERROR "no LibTorch in QED_LIBTORCH=${QED_LIBTORCH}: ${header} is missing; "
          ${qed_torch_hint})
endif()
file(STRINGS "${header}" qed_torch_found REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
string(REGEX REPLACE "[^0-9;]" "" qed_torch_found "${qed_torch_found}")
string(REPLACE ";" "." qed_torch_found "${qed_torch_found}")
if(NOT qed_torch_found VERSION_EQUAL qed_torch_wanted)
  message(FATAL_ERROR "QED_LIBTORCH=${QED_LIBTORCH} holds LibTorch ${qed_torch_found}, "
          "and qed is made for ${qed_torch_wanted}; " ${qed_torch_hint})
endif()

foreach(name c10 torch_cpu)
  add_library(lt::${name} SHARED IMPORTED GLOBAL)
  set_target_properties(lt::${name} PROPERTIES
    IMPORTED_LOCATION "${QED_LIBTORCH}/torch/lib/lib${name}.so"
    IMPORTED_SONAME lib${name}.so)
endforeach()

add_library(lt_cpu INTERFACE)
add_library(lt::cpu ALIAS lt_cpu)
target_include_directories(lt_cpu SYSTEM INTERFACE
  "${QED_LIBTORCH}/torch/include"
  "${QED_LIBTORCH}/torch/include/torch/csrc/api/include")
target_compile_definitions(lt_cpu INTERFACE USE_DISTRIBUTED)  # as LibTorch itself was built
target_link_libraries(lt_cpu INTERFACE lt::torch_cpu lt::c10)
