# The six lines that end a configuration.

set(engine "off")
if(QED_ENGINE)
  set(engine "LibTorch ${qed_torch_found} in ${QED_LIBTORCH}")
endif()
string(JOIN " " build ${CMAKE_BUILD_TYPE} ${QED_SANITIZE})
message(STATUS "qed ${PROJECT_VERSION}")
message(STATUS "  compiler  ${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}, ${build}")
message(STATUS "  engine    ${engine}")
message(STATUS "  cargo     ${QED_CARGO}")
message(STATUS "  ccache    ${QED_CCACHE}")
message(STATUS "  tests     ${QED_TESTS}")
