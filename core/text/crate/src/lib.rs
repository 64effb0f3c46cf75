//! The text library of qed: what core/text/text_bridge.h declares. Every entry catches panics.

mod guard;
mod tokenizer;
