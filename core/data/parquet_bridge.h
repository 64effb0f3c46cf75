#pragma once

// The C interface of the Rust library in core/data/parquet_crate, which is opened at run time.
// Nothing but core/data/parquet.cpp includes it.
//
// Text is UTF-8 given by address and size, never ended by a zero. What a call returns as text goes
// to a callback that copies it before it returns; so nothing is freed by the other side. A callback
// must not throw. A call that fails gives its reason, one line, to `take`. No call starts a thread.
// Calls on one object may overlap. [any]
//
// A row is a JSON object without spaces, members in the order of the file. Structs are objects,
// lists arrays, maps arrays of [key, value]. Integers and decimals are exact, floats have the
// fewest digits that give the same number back; infinity and NaN are null. Dates and times are ISO
// 8601 text, binary is base64.

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct qpq_file qpq_file;    // an open file
typedef struct qpq_group qpq_group;  // chosen columns of a row group, decoded

typedef void (*qpq_take_text)(void* to, const char* text, size_t size);
typedef void (*qpq_take_count)(void* to, uint64_t count);

typedef struct qpq_library {
  // Reads the file's footer. Returns null on failure.
  qpq_file* (*open)(const char* path, size_t path_size, qpq_take_text take, void* to);
  // Ends a file; its groups stay usable. Null does nothing.
  void (*close)(qpq_file* file);
  // Gives the name of every top-level column, in order.
  void (*columns)(const qpq_file* file, qpq_take_text take, void* to);
  // Gives the number of rows of every row group, in order.
  void (*group_rows)(const qpq_file* file, qpq_take_count take, void* to);

  // Decodes columns, given by ascending number, of a row group. Returns null on failure.
  qpq_group* (*open_group)(const qpq_file* file, size_t group, const uint32_t* columns,
                           size_t num_columns, qpq_take_text take, void* to);
  // Ends a group; null does nothing.
  void (*close_group)(qpq_group* group);
  // Memory that a group takes, in bytes.
  uint64_t (*group_bytes)(const qpq_group* group);
  // Gives a row, counted from the start of the group, as JSON. Returns 0, or -1 on failure; `take`
  // gets the row or the reason.
  int (*row)(const qpq_group* group, uint64_t row, qpq_take_text take, void* to);
} qpq_library;

// The one exported symbol; its number changes with this file. Never fails.
const qpq_library* qpq_library_1(void);

#ifdef __cplusplus
}  // extern "C"
#endif
