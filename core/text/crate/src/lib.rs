//! The text library of qed: what core/text/text_bridge.h declares. Every entry catches panics.

mod chat;
mod decode;
mod functions;
mod guard;
mod methods;
mod python;
mod rewrite;
mod tokenizer;
mod train;
