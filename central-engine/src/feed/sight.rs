//! What of the feed a reader may see: what they may ask for as a list is told to them as it changes, and nothing else.

use jackfield_protocol::id::UserName;

use super::{Change, FILE, LEASES, RESOURCES, SUTS};
use crate::auth::{
    Caller, MayReadBench, MayReadLeases, MayReadProjects, MayReadSuts, MayWatch, Role, allows,
};

/// What somebody may see of what changes.
#[derive(Clone, Debug)]
pub(crate) struct Sight {
    user: UserName,
    /// Everything.
    all: bool,
    /// What their own runs do.
    own_runs: bool,
    /// Topics that are not of runs.
    topics: Vec<&'static str>,
}

impl Sight {
    /// What this caller may see.
    pub(crate) fn of(caller: &Caller) -> Self {
        let topics = [
            // Whoever reads or edits files has to know of others who do.
            (FILE, allows::<MayReadProjects>(caller)),
            (LEASES, allows::<MayReadLeases>(caller)),
            (RESOURCES, allows::<MayReadBench>(caller)),
            (SUTS, allows::<MayReadSuts>(caller)),
        ];
        Self {
            user: caller.user.clone(),
            all: caller.may(Role::ViewReports),
            own_runs: allows::<MayWatch>(caller),
            topics: topics.into_iter().filter_map(|(topic, may)| may.then_some(topic)).collect(),
        }
    }

    /// Whether they may learn of a change.
    pub(crate) fn sees(&self, change: &Change) -> bool {
        let is_own = self.own_runs && change.owner.as_ref() == Some(&self.user);
        self.all || is_own || self.topics.contains(&change.topic)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Credential;

    #[test]
    fn everybody_is_told_what_they_may_ask_for() {
        let change =
            |topic, owner: Option<&str>| Change { topic, json: "{}".into(), owner: owner.map(Into::into) };
        let all = [
            change("run", Some("ana")),
            change("run", Some("bob")),
            change("ep", None),
            change(LEASES, None),
            change("notices", None),
            change(RESOURCES, None),
            change(SUTS, None),
            change(FILE, None),
        ];
        let told = |roles: &[Role]| {
            let roles = roles.iter().copied().collect();
            let sight = Sight::of(&Caller { user: "ana".into(), roles, credential: Credential::Session });
            all.iter().map(|change| if sight.sees(change) { 'x' } else { '-' }).collect::<String>()
        };
        assert_eq!(told(&[Role::ViewReports]), "xxxxxxxx");
        assert_eq!(told(&[Role::RunTests]), "x------x");
        assert_eq!(told(&[Role::ChangeProject]), "-------x");
        assert_eq!(told(&[Role::EditTc]), "-------x");
        assert_eq!(told(&[Role::ChangeSut]), "-----xx-");
        assert_eq!(told(&[Role::ChangeTestbed]), "---x-x--");
        assert_eq!(told(&[Role::LockSut]), "---x----");
        assert_eq!(told(&[]), "--------");
    }
}
