//! Stories that a user could tell, each through the binary and its public face, with real parts.

mod broken;
mod crash;
mod first_run;
mod order;
mod router;
mod twister;
