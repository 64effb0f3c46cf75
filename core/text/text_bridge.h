#pragma once

// The C interface of the Rust library in core/text/crate. Nothing but core/text includes it.
//
// Text is UTF-8 given by address and size, never ended by a zero. What a call returns goes to a
// callback that copies it before it returns; so nothing is freed by the other side. A callback
// must not throw. No call starts a thread. Calls on one tokenizer may overlap. [any]

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct qtx_tokenizer qtx_tokenizer;  // a tokenizer.json, ready to use

typedef void (*qtx_take_text)(void* to, const char* text, size_t size);
typedef void (*qtx_take_ids)(void* to, const int32_t* ids, size_t count);

// Why the last failed call of this thread failed: one line, ended by a zero, valid until the next
// failed call of this thread; "" before the first.
const char* qtx_last_error(void);

// Reads a tokenizer.json. Truncation and padding that the file asks for are left out. Returns null
// on failure.
qtx_tokenizer* qtx_tokenizer_open(const char* path, size_t path_size);

// Ends a tokenizer; null does nothing.
void qtx_tokenizer_free(qtx_tokenizer* tokenizer);

// Gives the ids of a text. `add_special` = 1 adds what the tokenizer puts around a text (such as a
// start token). Returns 0, or -1 when a character has no token and the tokenizer has no unknown
// token to put in its place; then `take` is not called.
int qtx_tokenizer_encode(const qtx_tokenizer* tokenizer, const char* text, size_t text_size,
                         int add_special, qtx_take_ids take, void* to);

// Gives the text of ids, valid UTF-8. `skip_special` = 1 leaves special tokens out. Returns 0, or
// -1 when an id has no token; then `take` is not called.
int qtx_tokenizer_decode(const qtx_tokenizer* tokenizer, const int32_t* ids, size_t count,
                         int skip_special, qtx_take_text take, void* to);

// Returns the id of a token, or -1 where there is none.
int32_t qtx_tokenizer_token_to_id(const qtx_tokenizer* tokenizer, const char* token, size_t size);

// Gives the token of an id as it is written in the vocabulary. Returns 0, or -1 where there is
// none.
int qtx_tokenizer_id_to_token(const qtx_tokenizer* tokenizer, int32_t id, qtx_take_text take,
                              void* to);

// Returns the largest id plus 1, added tokens included.
int32_t qtx_tokenizer_vocab_size(const qtx_tokenizer* tokenizer);

#ifdef __cplusplus
}  // extern "C"
#endif
