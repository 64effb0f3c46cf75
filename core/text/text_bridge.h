#pragma once

// The C interface of the Rust library in core/text/crate. Nothing but core/text includes it.
//
// Text is UTF-8 given by address and size, never ended by a zero. What a call returns goes to a
// callback that copies it before it returns; so nothing is freed by the other side. A callback
// must not throw. No call starts a thread. Calls on one tokenizer may overlap. [any]

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct qtx_tokenizer qtx_tokenizer;  // a tokenizer.json, ready to use
typedef struct qtx_stream qtx_stream;        // a decode that goes on; one thread at a time
typedef struct qtx_chat qtx_chat;            // a chat template, ready to use

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

// Makes a tokenizer from texts and gives its tokenizer.json. `recipe` is JSON: kind ("chars" or
// "bpe"), vocab_size (0: any, for chars), special and tokens (added tokens, which get the first
// ids) and texts. The same recipe gives the same bytes. Returns 0, or -1 when the size cannot be.
int qtx_tokenizer_train(const char* recipe, size_t size, qtx_take_text take, void* to);

// 1 where the token of the id is a special one, which decode leaves out when told so.
int qtx_tokenizer_is_special(const qtx_tokenizer* tokenizer, int32_t id);

// The id of the longest special token with which the text starts, or -1.
int32_t qtx_tokenizer_special_at(const qtx_tokenizer* tokenizer, const char* text, size_t size);

// The bytes that the token of an id adds to a text that is not empty; valid as long as the
// tokenizer. Null where no token has the id.
const uint8_t* qtx_tokenizer_bytes(const qtx_tokenizer* tokenizer, int32_t id, size_t* size);

// A decode to which ids are given one by one. What it has given out is always the start of what
// qtx_tokenizer_decode gives for all ids; after finish it is all of it. An id without a token has
// no text. The tokenizer must outlive it. Open returns null on failure.
qtx_stream* qtx_stream_open(const qtx_tokenizer* tokenizer, int skip_special);
void qtx_stream_free(qtx_stream* stream);

// Gives the text that is certain now and was not before: whole characters. Both return 0, or -1 on
// failure, which only a decoder out of the ordinary can cause.
int qtx_stream_push(qtx_stream* stream, int32_t id, qtx_take_text take, void* to);

// Gives the rest; the stream then begins anew.
int qtx_stream_finish(qtx_stream* stream, qtx_take_text take, void* to);

// Reads a Jinja template as transformers does: blocks trimmed, loop controls, Python's methods.
// Returns null where it is not valid; the error names the line.
qtx_chat* qtx_chat_open(const char* source, size_t source_size);
void qtx_chat_free(qtx_chat* chat);

// Gives the text of a conversation. `messages` is a JSON list of objects; `variables` a JSON object
// of further variables, which hide those of the same name (tools and documents are null by
// default). `now`, for strftime_now, may be null: then there is no such function. Returns 0, or -1
// when the template raises, takes too many steps or writes too much; then `take` is not called.
int qtx_chat_render(const qtx_chat* chat, const char* messages, size_t messages_size,
                    const char* variables, size_t variables_size, int add_generation_prompt,
                    const struct tm* now, qtx_take_text take, void* to);

#ifdef __cplusplus
}  // extern "C"
#endif
