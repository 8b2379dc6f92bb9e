//! Who is at the other end of a link: what EPs and the command line must know before they send a secret.
//!
//! ```text
//! token ──▶ Credential (secret, pin) ──▶ Trust ──▶ verifier, in the handshake ──▶ the engine, or Refused, in words
//! ```
//!
//! The engine's own authority is pinned by its [`Fingerprint`]; it comes in the chain that the engine sends, so that
//! nothing needs to be fetched, and nothing leaves, before it is checked.

mod address;
mod agent;
mod credential;
mod fingerprint;
mod refused;
mod trust;
mod verifier;

pub use address::Address;
pub use agent::agent;
pub use credential::Credential;
pub use fingerprint::{Fingerprint, FingerprintError};
pub use refused::Refused;
pub use trust::{Trust, TrustError};

/// A name that only an engine's own authority signs: whoever has pinned such an authority reaches the engine by any name.
pub const ENGINE_NAME: &str = "jackfield-engine.invalid";
