//! (under construction)

mod clock;
pub mod limits;
pub mod store;
