//! A person's console on a device: who may have it, who uses the device already, and the two connections joined.

pub(crate) mod policy;
pub(crate) mod relay;
pub(crate) mod standing;
pub(crate) mod uses;
