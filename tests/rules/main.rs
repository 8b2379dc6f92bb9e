//! Rules of the house that no compiler knows.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod licences;
#[cfg(test)]
mod remedies;
#[cfg(test)]
mod secrets;
