//! From ids to bytes and, piece by piece, to text: the stream entries of core/text/text_bridge.h.

use crate::guard::{guard, Result};
use crate::tokenizer::{vocab_size, Loaded, TakeText};
use std::ffi::{c_int, c_void};
use tokenizers::{DecoderWrapper, Model, Tokenizer};

/// How a tokenizer's text grows with each token.
#[derive(Clone, Copy, PartialEq)]
enum Growth {
    /// Tokens are bytes, and the text is what the bytes say.
    Bytes,
    /// A token's text depends on its neighbours at most: on the run of byte tokens that it ends.
    Window,
    /// No rule: the text is known at the end only (WordPiece, CTC).
    AtEnd,
}

fn growth(decoder: Option<&DecoderWrapper>) -> Growth {
    match decoder {
        None => Growth::Window,
        Some(DecoderWrapper::Sequence(sequence)) => {
            let mut is_fused = false;
            let mut found = Growth::Window;
            for part in sequence.get_decoders() {
                // After a fuse there is one long token, of which only the start may still change.
                let changes = is_fused && !matches!(part, DecoderWrapper::Strip(s) if s.stop == 0);
                match growth(Some(part)) {
                    _ if changes => return Growth::AtEnd,
                    Growth::Window => is_fused |= matches!(part, DecoderWrapper::Fuse(_)),
                    Growth::Bytes if sequence.get_decoders().len() == 1 => found = Growth::Bytes,
                    _ => return Growth::AtEnd,
                }
            }
            found
        }
        Some(DecoderWrapper::ByteLevel(_)) => Growth::Bytes,
        Some(DecoderWrapper::Strip(strip)) if strip.stop > 0 => Growth::AtEnd,
        Some(
            DecoderWrapper::Metaspace(_)
            | DecoderWrapper::Replace(_)
            | DecoderWrapper::Fuse(_)
            | DecoderWrapper::Strip(_)
            | DecoderWrapper::ByteFallback(_),
        ) => Growth::Window,
        Some(_) => Growth::AtEnd,
    }
}

fn has_byte_fallback(decoder: Option<&DecoderWrapper>) -> bool {
    match decoder {
        Some(DecoderWrapper::ByteFallback(_)) => true,
        Some(DecoderWrapper::Sequence(sequence)) => sequence
            .get_decoders()
            .iter()
            .any(|part| has_byte_fallback(Some(part))),
        _ => false,
    }
}

/// The byte that a token such as `<0x0A>` is.
fn byte_of(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    (token.len() == 6)
        .then(|| u8::from_str_radix(digits, 16).ok())
        .flatten()
}

/// The token that decode takes for an id.
fn token_of(tokenizer: &Tokenizer, id: u32) -> Option<String> {
    let added = tokenizer.get_added_vocabulary().simple_id_to_token(id);
    added.or_else(|| tokenizer.get_model().id_to_token(id))
}

/// For every id the bytes that its token adds to a text that is not empty.
pub struct TokenBytes {
    blob: Vec<u8>,
    ends: Vec<u32>,
    is_token: Vec<bool>,
}

impl TokenBytes {
    pub fn new(tokenizer: &Tokenizer) -> TokenBytes {
        let mut table = TokenBytes {
            blob: vec![],
            ends: vec![],
            is_token: vec![],
        };
        let decoder = tokenizer.get_decoder();
        let growth = growth(decoder);
        let is_fallback = has_byte_fallback(decoder);
        // A token with a text, before which all others are decoded.
        let text = |ids: &[u32]| tokenizer.decode(ids, false).unwrap_or_default();
        let size = vocab_size(tokenizer) as u32;
        let is_plain = |id: &u32| {
            let is_byte = token_of(tokenizer, *id).is_none_or(|token| byte_of(&token).is_some());
            !is_byte && !text(&[*id]).is_empty()
        };
        let before = (0..size).find(is_plain).map_or(vec![], |id| vec![id]);
        let start = text(&before);
        for id in 0..size {
            let token = token_of(tokenizer, id);
            table.is_token.push(token.is_some());
            if let Some(token) = token {
                if growth == Growth::Bytes {
                    table.blob.extend(level_bytes(&token));
                } else if let (true, Some(byte)) = (is_fallback, byte_of(&token)) {
                    table.blob.push(byte);
                } else {
                    let both = text(&[before.as_slice(), &[id]].concat());
                    let added = both.strip_prefix(&start).unwrap_or(&token);
                    table.blob.extend_from_slice(added.as_bytes());
                }
            }
            table.ends.push(table.blob.len() as u32);
        }
        table
    }

    /// None where no token has the id.
    pub fn get(&self, id: i32) -> Option<&[u8]> {
        let i = usize::try_from(id).ok()?;
        if !*self.is_token.get(i)? {
            return None;
        }
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        Some(&self.blob[start as usize..self.ends[i] as usize])
    }
}

/// The bytes of a byte-level token, each of which is written as a character of its own.
fn level_bytes(token: &str) -> Vec<u8> {
    let byte = |c: char| match c {
        '!'..='~' | '¡'..='¬' | '®'..='ÿ' => Some(c as u8),
        // The 68 bytes that are no printable character of Latin-1 follow at U+0100, in order.
        'Ā'..='Ġ' => Some((c as u32 - 0x100) as u8),
        'ġ'..='ł' => Some((c as u32 - 0x121 + 0x7f) as u8),
        'Ń' => Some(0xad),
        _ => None,
    };
    token
        .chars()
        .map(byte)
        .collect::<Option<_>>()
        .unwrap_or_else(|| token.as_bytes().to_vec())
}

/// A decode that goes on. What has been given out is the start of what decode gives for all ids.
pub struct Stream {
    loaded: *const Loaded, // outlives the stream
    skip_special: bool,
    growth: Growth,
    is_fallback: bool,
    pending: Vec<u8>, // Growth::Bytes: the start of a character
    ids: Vec<u32>,    // else: the ids from which the next text follows
    settled: usize,   // and the first of them, whose text has been given out
}

impl Stream {
    fn tokenizer(&self) -> &Tokenizer {
        // SAFETY: the owner of the stream keeps the tokenizer.
        unsafe { &(*self.loaded).tokenizer }
    }

    fn push(&mut self, id: i32) -> Result<String> {
        let tokenizer = self.tokenizer();
        let Some(token) = token_of(tokenizer, id as u32) else {
            return Ok(String::new()); // it has no text
        };
        if self.skip_special && tokenizer.get_added_vocabulary().is_special_token(&token) {
            return Ok(String::new());
        }
        if self.growth == Growth::Bytes {
            self.pending.extend(level_bytes(&token));
            return Ok(take_characters(&mut self.pending));
        }
        self.ids.push(id as u32);
        let is_open = self.is_fallback && byte_of(&token).is_some();
        if is_open || self.growth == Growth::AtEnd {
            return Ok(String::new());
        }
        let new = self.new_text()?;
        // The last token is enough to go on from, if it has a text.
        if !self.tokenizer().decode(&[id as u32], false)?.is_empty() {
            self.ids = vec![id as u32];
        }
        self.settled = self.ids.len();
        Ok(new)
    }

    fn finish(&mut self) -> Result<String> {
        let mut rest = String::from_utf8_lossy(&std::mem::take(&mut self.pending)).into_owned();
        rest += &self.new_text()?;
        self.ids.clear();
        self.settled = 0;
        Ok(rest)
    }

    fn new_text(&self) -> Result<String> {
        let all = self.tokenizer().decode(&self.ids, false)?;
        let old = self.tokenizer().decode(&self.ids[..self.settled], false)?;
        let new = all
            .strip_prefix(&old)
            .ok_or("the text of a token changed after it was given")?;
        Ok(new.to_string())
    }
}

/// Takes all characters from the start of `bytes`, and leaves one that is not whole yet. Bytes that
/// are no character become U+FFFD, as many as from_utf8_lossy makes of them.
fn take_characters(bytes: &mut Vec<u8>) -> String {
    let mut out = String::new();
    let mut taken = 0;
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        taken += chunk.valid().len();
        let bad = chunk.invalid();
        if bad.is_empty() {
            continue;
        }
        let is_last = taken + bad.len() == bytes.len();
        let is_start = std::str::from_utf8(bad).is_err_and(|e| e.error_len().is_none());
        if is_last && is_start {
            break;
        }
        out.push(char::REPLACEMENT_CHARACTER);
        taken += bad.len();
    }
    bytes.drain(..taken);
    out
}

#[no_mangle]
pub unsafe extern "C" fn qtx_stream_open(
    loaded: *const Loaded,
    skip_special: c_int,
) -> *mut Stream {
    let opened = guard(|| {
        let decoder = (*loaded).tokenizer.get_decoder();
        Ok(Stream {
            loaded,
            skip_special: skip_special != 0,
            growth: growth(decoder),
            is_fallback: has_byte_fallback(decoder),
            pending: vec![],
            ids: vec![],
            settled: 0,
        })
    });
    opened.map_or(std::ptr::null_mut(), |stream| {
        Box::into_raw(Box::new(stream))
    })
}

#[no_mangle]
pub unsafe extern "C" fn qtx_stream_free(stream: *mut Stream) {
    if !stream.is_null() {
        guard(|| {
            drop(Box::from_raw(stream));
            Ok(())
        });
    }
}

#[no_mangle]
pub unsafe extern "C" fn qtx_stream_push(
    stream: *mut Stream,
    id: i32,
    take: TakeText,
    to: *mut c_void,
) -> c_int {
    match guard(|| (*stream).push(id)) {
        Some(text) => take(to, text.as_ptr().cast(), text.len()),
        None => return -1,
    }
    0
}

#[no_mangle]
pub unsafe extern "C" fn qtx_stream_finish(
    stream: *mut Stream,
    take: TakeText,
    to: *mut c_void,
) -> c_int {
    match guard(|| (*stream).finish()) {
        Some(text) => take(to, text.as_ptr().cast(), text.len()),
        None => return -1,
    }
    0
}
