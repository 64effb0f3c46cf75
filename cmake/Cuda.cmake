# The language CUDA and the target cuda_toolkit, straight from the wheels' files in
# QED_CUDA_TOOLKIT. CMake's own FindCUDAToolkit is not used: it wants files that the wheels lack.

set(cu13 "${QED_CUDA_TOOLKIT}/nvidia/cu13")
if(NOT EXISTS "${cu13}/bin/nvcc")
  message(FATAL_ERROR "no nvcc in QED_CUDA_TOOLKIT=${QED_CUDA_TOOLKIT}: nvidia/cu13/bin/nvcc is "
          "missing; run scripts/setup-wheels cuda FOLDER and configure with "
          "-DQED_CUDA_TOOLKIT=FOLDER, or leave the GPU half out with -DQED_CUDA=OFF")
endif()
set(CMAKE_CUDA_COMPILER "${cu13}/bin/nvcc")
set(CMAKE_CUDA_HOST_COMPILER "${CMAKE_CXX_COMPILER}")
set(CMAKE_CUDA_FLAGS_INIT "-L${cu13}/lib")
set(CMAKE_CUDA_RUNTIME_LIBRARY None)  # linked below, by its path
# Code for each architecture itself; no intermediate code, so a newer major version is refused.
list(TRANSFORM QED_CUDA_ARCHITECTURES APPEND "-real" OUTPUT_VARIABLE CMAKE_CUDA_ARCHITECTURES)
enable_language(CUDA)
foreach(kind STANDARD EXTENSION)  # CMake 3.25 does not know that this compiler has C++20
  set(CMAKE_CUDA20_${kind}_COMPILE_OPTION "-std=c++20")
endforeach()
set(CMAKE_CUDA_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
set(CMAKE_CUDA_VISIBILITY_PRESET hidden)
set(CMAKE_CUDA_FLAGS_RELWITHDEBINFO "-O3 -DNDEBUG")

add_library(cuda_toolkit INTERFACE)
target_include_directories(cuda_toolkit SYSTEM INTERFACE "${cu13}/include")
# Bodies of kernels call constexpr functions of the host's headers.
target_compile_options(cuda_toolkit INTERFACE
  $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr>)
# A runtime of its own, whose symbols nobody else sees: the library then loads wherever there is a
# driver. It shares the device's primary context with LibTorch's runtime.
target_link_libraries(cuda_toolkit INTERFACE
  "${cu13}/lib/libcudart_static.a" Threads::Threads ${CMAKE_DL_LIBS} rt)
