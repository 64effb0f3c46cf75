# find_package(qed-sdk): the target qed::sdk, and qed_add_plugin(NAME SOURCES file...).
# The program of the same tree, if it is there, checks every plugin as a test.

include("${CMAKE_CURRENT_LIST_DIR}/qed-sdk-targets.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/QedPlugin.cmake")
find_program(QED_PROGRAM qed HINTS "${CMAKE_CURRENT_LIST_DIR}/../../../bin" NO_DEFAULT_PATH)
mark_as_advanced(QED_PROGRAM)
