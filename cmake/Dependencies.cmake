# The libraries of the distribution, found once for all folders; scripts/setup-packages installs
# them.

find_package(Threads REQUIRED)
find_package(Boost 1.74 CONFIG REQUIRED)  # headers only: Boost.DLL with BOOST_DLL_USE_STD_FS
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
if(QED_TESTS)
  find_package(GTest REQUIRED)
endif()
if(QED_ENGINE)
  include(LibTorch)
endif()
if(QED_CUDA)
  include(Cuda)
endif()
