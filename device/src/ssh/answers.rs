//! Answers to the questions of an SSH server (keyboard-interactive, RFC 4256): what the profile says, a one-time code, the user, the password.
//!
//! A question that none of them fits is not guessed at: a password that is sent to a question for something else is lost to it, and a code
//! that is no code counts as a wrong try. It is told instead, with what to add.

use jackfield_config::profile::Login;

use super::SshError;
use crate::{
    profile::search,
    target::{Hop, Secret},
};

/// Asks for a password, in the languages that servers are found to speak; also one that says nothing.
const PASSWORD: &str = "(?i)^\\s*$|pass ?(?:word|wort|phrase|code)|mot de passe|contrase|senha|wachtwoord|adgangskode|(?:lö|LÖ)senord|salasana|has(?:ło|ŁO)|heslo|parola|ароль|密码|密碼|パスワード";
/// Asks for the user.
const USER: &str = r"(?i)user|log ?in|account|name";

/// One question of a server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'q> {
    /// What stands above all questions of a round.
    pub(super) instructions: &'q str,
    /// The question.
    pub(super) text: &'q str,
    /// The answer may be seen.
    pub(super) is_shown: bool,
}

/// Answers to one host.
pub(super) struct Answers<'a> {
    user: &'a str,
    hop: &'a Hop,
    login: &'a Login,
    /// Questions that were given a secret.
    given: Vec<String>,
}

impl<'a> Answers<'a> {
    pub(super) fn new(user: &'a str, hop: &'a Hop, login: &'a Login) -> Self {
        Self { user, hop, login, given: Vec::new() }
    }

    /// Answers all questions of a round.
    pub(super) fn round<'q>(
        &mut self,
        asked: impl IntoIterator<Item = Asked<'q>>,
    ) -> Result<Vec<String>, SshError> {
        asked.into_iter().map(|asked| self.answer(asked)).collect()
    }

    fn answer(&mut self, asked: Asked<'_>) -> Result<String, SshError> {
        // What it is about may stand above it.
        let whole = format!("{}\n{}", asked.instructions, asked.text);
        let is_it = |pattern: &str| is(pattern, asked.text) || is(pattern, &whole);
        if let Some(question) = self.login.questions.iter().find(|question| is_it(&question.asks)) {
            return Ok(question.answer.clone());
        }
        if is(&self.login.code, asked.text) {
            if let Some(totp) = &self.hop.totp {
                self.once(asked)?;
                return Ok(totp.code());
            }
            if !is(PASSCODE, asked.text) {
                return Err(self.unknown(asked, CODE));
            }
        }
        if asked.is_shown {
            let is_user = asked.text.trim().is_empty() || is(USER, asked.text);
            return if is_user { Ok(self.user.to_owned()) } else { Err(self.unknown(asked, QUESTIONS)) };
        }
        if is(&self.login.new_password, asked.text) {
            let new = self.hop.new_password.as_ref().map(Secret::expose_for_device);
            return new.map(str::to_owned).ok_or_else(|| self.unknown(asked, NEW_PASSWORD));
        }
        if !is(PASSWORD, asked.text) && !is(&self.login.password, asked.text) {
            return Err(self.unknown(asked, QUESTIONS));
        }
        self.once(asked)?;
        let password = self.hop.password.as_ref().map(|password| password.expose_for_device().to_owned());
        password.ok_or_else(|| self.unknown(asked, "add `password` to the resource"))
    }

    /// A secret is given to a question once: who asks again did not take it, and more of the same locks accounts.
    fn once(&mut self, asked: Asked<'_>) -> Result<(), SshError> {
        let text = asked.text.trim().to_owned();
        if self.given.contains(&text) {
            return Err(SshError::AskedAgain { user: self.user.to_owned(), question: text });
        }
        self.given.push(text);
        Ok(())
    }

    fn unknown(&self, asked: Asked<'_>, remedy: &'static str) -> SshError {
        let about = [asked.instructions.trim(), asked.text.trim()].join(" ");
        SshError::Question { user: self.user.to_owned(), question: about.trim().to_owned(), remedy }
    }
}

/// What to do about a question that nothing here knows.
const QUESTIONS: &str =
    "add its answer to [[login.questions]] of its profile, or to `profile_settings` of the resource";
/// The same for one that asks for a code.
const CODE: &str = "add `totp_secret` to the resource, or its answer to [[login.questions]] of the profile";
/// The same for one that wants the password changed.
const NEW_PASSWORD: &str = "change the password on the device, or give the resource `new_password`";
/// A word for both kinds of secret: a code where there is something to make it from.
const PASSCODE: &str = "(?i)passcode";

fn is(pattern: &str, text: &str) -> bool {
    // Those of a profile were compiled before anything was connected to, and a test compiles those above.
    search(pattern).is_ok_and(|pattern| pattern.is_match(text))
}

#[cfg(test)]
mod tests {
    use jackfield_config::profile::Profile;
    use serde_json::json;

    use super::*;
    use crate::target::{Connect, SessionTarget};

    fn told(more: serde_json::Value, rounds: &[(&str, &[(&str, bool)])]) -> Result<Vec<String>, String> {
        let mut properties = json!({"host": "h", "user": "ana", "password": "p"});
        properties.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let target = SessionTarget::from_properties(&serde_json::from_value(properties).unwrap()).unwrap();
        let Connect::Ssh(ssh) = target.connect else { panic!("no SSH") };
        let text = "name = 'x'\nprompt = '> $'\n[[login.questions]]\nasks = '(?i)accept[^()]*\\(yes/no\\) ?: ?$'\nanswer = 'yes'";
        let profile = Profile::parse("p.toml", text).unwrap();
        let mut answers = Answers::new("ana", &ssh.device, &profile.login);
        let mut all = Vec::new();
        for (instructions, asked) in rounds {
            let asked =
                asked.iter().map(|(text, is_shown)| Asked { instructions, text, is_shown: *is_shown });
            all.extend(answers.round(asked).map_err(|error| error.to_string())?);
        }
        Ok(all)
    }

    #[test]
    fn patterns_are_patterns() {
        for pattern in [PASSWORD, USER, PASSCODE] {
            search(pattern).unwrap();
        }
    }

    #[test]
    fn each_question_gets_its_own_answer() {
        let shown = |rounds: &[(&str, &[(&str, bool)])]| told(json!({}), rounds).unwrap();
        assert_eq!(shown(&[("", &[("Password: ", false)])]), ["p"]);
        assert_eq!(shown(&[("", &[("", false)])]), ["p"]);
        assert_eq!(shown(&[("", &[("Пароль: ", false)]), ("", &[("Username:", true)])]), ["p", "ana"]);
        let notice: (&str, &[(&str, bool)]) =
            ("Authorised use only", &[("Do you accept the statement above ? (yes/no) : ", true)]);
        assert_eq!(shown(&[notice, ("", &[("Password: ", false)])]), ["yes", "p"]);
        assert_eq!(shown(&[("Do you accept?", &[("(yes/no): ", true)])]), ["yes"]);
        let new = json!({"new_password": "n"});
        let rounds: &[(&str, &[(&str, bool)])] = &[
            ("", &[("Current password: ", false)]),
            ("", &[("New password: ", false), ("Retype new password: ", false)]),
        ];
        assert_eq!(told(new, rounds).unwrap(), ["p", "n", "n"]);
    }

    #[test]
    fn a_code_is_made_where_one_is_asked_for() {
        let more = json!({"totp_secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"});
        for question in ["Verification code: ", "One-time password (OTP): ", "Enter token: ", "PASSCODE:"] {
            let answers = told(more.clone(), &[("", &[("Password: ", false), (question, false)])]).unwrap();
            assert_eq!(answers[0], "p");
            assert_eq!((answers[1].len(), answers[1].parse::<u32>().is_ok()), (6, true), "{question}");
        }
        assert_eq!(told(json!({}), &[("", &[("PASSCODE: ", false)])]).unwrap(), ["p"]);
    }

    #[test]
    fn an_unknown_question_is_told_and_no_secret_is_sent_to_it() {
        let error = |asked: &[(&str, bool)]| told(json!({}), &[("Site 7", asked)]).unwrap_err();
        insta::assert_snapshot!(error(&[("Verification code: ", false)]), @"the device asks `ana`: `Site 7 Verification code:`: add `totp_secret` to the resource, or its answer to [[login.questions]] of the profile");
        insta::assert_snapshot!(error(&[("Favourite colour? ", false)]), @"the device asks `ana`: `Site 7 Favourite colour?`: add its answer to [[login.questions]] of its profile, or to `profile_settings` of the resource");
        insta::assert_snapshot!(error(&[("Continue? [y/n] ", true)]), @"the device asks `ana`: `Site 7 Continue? [y/n]`: add its answer to [[login.questions]] of its profile, or to `profile_settings` of the resource");
        insta::assert_snapshot!(error(&[("New password: ", false)]), @"the device asks `ana`: `Site 7 New password:`: change the password on the device, or give the resource `new_password`");
        insta::assert_snapshot!(error(&[("Password: ", false), ("Password: ", false)]), @"the device did not accept the answer to `Password:` for user `ana`, and asks it again: the secret is wrong, or a code was used before");
    }
}
