//! The users that tests run as.

/// The word of `run_as` in whose place the number of the lane stands.
const LANE: &str = "{lane}";

/// The users that tests run as: one, or one for each lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunAs(String);

impl RunAs {
    /// Reads the word of `ep.toml`; empty: tests run as the EP's own user.
    ///
    /// # Errors
    /// What a name of a user may be.
    pub fn parse(text: &str) -> Result<Option<Self>, &'static str> {
        let plain = text.replacen(LANE, "0", 1);
        let is_name = plain.chars().all(|c| c.is_ascii_alphanumeric() || "_-.$".contains(c));
        if text.is_empty() {
            return Ok(None);
        }
        if !is_name || plain.starts_with(['-', '.']) || plain == "root" {
            return Err("a user's name, such as lab-test, or lab-test{lane} for one user a lane; never root");
        }
        Ok(Some(Self(text.to_owned())))
    }

    /// Whether each lane has a user of its own.
    pub fn is_each_its_own(&self) -> bool {
        self.0.contains(LANE)
    }

    /// The user of a lane; they count from 1.
    pub fn of_lane(&self, lane: u16) -> String {
        self.0.replacen(LANE, &lane.to_string(), 1)
    }

    /// The user of what runs beside the lanes: scripts around runs, consoles, power.
    pub fn beside(&self) -> String {
        self.of_lane(0)
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_user_or_one_for_each_lane() {
        let one = RunAs::parse("lab-test").unwrap().unwrap();
        assert!(!one.is_each_its_own());
        assert_eq!((one.of_lane(3).as_str(), one.beside().as_str()), ("lab-test", "lab-test"));
        let each = RunAs::parse("lab{lane}").unwrap().unwrap();
        assert!(each.is_each_its_own());
        assert_eq!((each.of_lane(3).as_str(), each.beside().as_str()), ("lab3", "lab0"));
        assert_eq!(RunAs::parse(""), Ok(None));
        for bad in ["root", "a b", "-x", "../x", "a:b", "a{lane}{lane}", "{user}", "a\n", "ü"] {
            assert!(RunAs::parse(bad).is_err(), "{bad}");
        }
    }
}
