//! What notices say, in Spanish, Portuguese and English.

use domain::Time;
use domain::text::Language;

/// The languages that notices are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tongue {
    /// Spanish.
    Spanish,
    /// Portuguese.
    Portuguese,
    /// English, and for whoever writes in any other language.
    English,
}

impl Tongue {
    /// The one for a user of this language.
    #[must_use]
    pub fn of(language: Option<&Language>) -> Self {
        let tag = language.map(Language::as_str).unwrap_or_default();
        match tag.split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "es" | "spa" => Self::Spanish,
            "pt" | "por" => Self::Portuguese,
            _ => Self::English,
        }
    }
}

/// A message as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Its subject.
    pub subject: String,
    /// Its plain text.
    pub body: String,
}

/// Something that people are told of.
pub trait Notice {
    /// Writes it.
    fn text(&self, tongue: Tongue) -> Text;
}

/// The e-mail of a user is another one from now on; this goes to the former one.
#[derive(Debug, Clone)]
pub struct EmailChanged {
    /// When it changed.
    pub at: Time,
    /// The address of the page that undoes it.
    pub undo: String,
}

impl Notice for EmailChanged {
    fn text(&self, tongue: Tongue) -> Text {
        let Self { at, undo } = self;
        let (subject, body) = match tongue {
            Tongue::Spanish => (
                "Se cambió el correo de tu cuenta",
                format!(
                    "El correo de tu cuenta se cambió el {at} (UTC). Este correo ya no la abre.\n\nSi fuiste tú, no hagas \
                     nada.\n\nSi no fuiste tú, deshaz el cambio dentro de 7 días y después cambia tu contraseña:\n{undo}\n"
                ),
            ),
            Tongue::Portuguese => (
                "O e-mail da sua conta foi alterado",
                format!(
                    "O e-mail da sua conta foi alterado em {at} (UTC). Este e-mail já não a abre.\n\nSe foi você, não faça \
                     nada.\n\nSe não foi você, desfaça a alteração em até 7 dias e depois troque a sua senha:\n{undo}\n"
                ),
            ),
            Tongue::English => (
                "The e-mail address of your account has changed",
                format!(
                    "The e-mail address of your account changed on {at} (UTC). This address no longer opens it.\n\nIf it was \
                     you, do nothing.\n\nIf it was not you, undo the change within 7 days, then change your password:\n{undo}\n"
                ),
            ),
        };
        Text { subject: subject.to_owned(), body }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_are_in_the_language_of_the_user() -> Result<(), serde_json::Error> {
        let notice = EmailChanged { at: Time::from_millis(0), undo: "https://example.com/u?token=eu_x".to_owned() };
        for (tag, subject) in [
            (Some("es-MX"), "Se cambió el correo de tu cuenta"),
            (Some("pt-BR"), "O e-mail da sua conta foi alterado"),
            (Some("fr"), "The e-mail address of your account has changed"),
            (None, "The e-mail address of your account has changed"),
        ] {
            let language: Option<Language> = tag.map(|tag| serde_json::from_value(tag.into())).transpose()?;
            let text = notice.text(Tongue::of(language.as_ref()));
            assert_eq!(text.subject, subject);
            assert!(text.body.contains("1970-01-01T00:00:00.000Z") && text.body.ends_with("token=eu_x\n"));
        }
        Ok(())
    }
}
