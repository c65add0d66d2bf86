//! Phone numbers: kept in E.164, read from any spelling that says which number it is.

use crate::error::FieldError;
use crate::field::Pointer;
use crate::normalize::{MaxLength, normalize_text};
use crate::text::{Broken, Country};
use crate::{max_length, text};

text!(
    /// A phone number, E.164: a plus and 7 to 15 digits. Separators are removed; a number without a plus begins with the
    /// calling code of its country.
    Phone, digits 1..=40, example "+5215512345678", normalize normalize_phone, |_| Ok(())
);

text!(
    /// A phone number in the spelling that was sent.
    PhoneSpelling, digits 1..=40, example "(11)99999-9999", |_| Ok(())
);

const NOT_E164: Broken = ("invalid_phone", "must be a number in E.164 form such as +5215512345678");

/// The digits that a spelling and its number have in common, whatever prefixes are written or left out.
const COMMON_DIGITS: usize = 7;

fn normalize_phone(text: &str, max: MaxLength) -> Result<String, Broken> {
    let digits = international_digits(&normalize_text(text, max)?).ok_or(NOT_E164)?;
    let fits = (7..=15).contains(&digits.len()) && !digits.starts_with('0');
    if fits { Ok(format!("+{digits}")) } else { Err(NOT_E164) }
}

impl Phone {
    /// Returns the number that `text` spells in `country`: with a plus or `00`, any number of the world; without, one of the
    /// country, with or without its trunk prefix and its calling code. `None` if that is no number of E.164.
    #[must_use]
    pub fn parse_in(text: &str, country: &Country) -> Option<Self> {
        let text = normalize_text(text, max_length!(40)).ok()?;
        if text.starts_with('+') || text.starts_with("00") {
            return Self::parse(&text).ok();
        }
        let digits = international_digits(&text)?;
        let plan = NumberingPlan::of(country)?;
        let national = plan.national(&digits)?;
        Self::parse(&format!("+{}{national}", plan.calling_code)).ok()
    }
}

impl PhoneSpelling {
    /// Returns whether this can be a spelling of `phone`: their last digits agree.
    #[must_use]
    pub fn spells(&self, phone: &Phone) -> bool {
        let digits: String = self.as_str().chars().filter(char::is_ascii_digit).collect();
        let end = phone.as_str().len().saturating_sub(COMMON_DIGITS);
        phone.as_str().get(end..).is_some_and(|end| digits.ends_with(end))
    }
}

/// Returns the digits by which a phone is found in the spelling that was sent, where they are not those of its number.
#[must_use]
pub fn spelled_form(phone: Option<&Phone>, display: Option<&PhoneSpelling>) -> Option<String> {
    let form = search_form(display?.as_str());
    let is_number = phone.is_some_and(|phone| phone.as_str().trim_start_matches('+') == form);
    (!is_number).then_some(form)
}

/// Checks that a spelling is one of the number beside it; without a number it may be any text.
pub(crate) fn check_spelling(phone: Option<&Phone>, display: Option<&PhoneSpelling>, errors: &mut Vec<FieldError>) {
    let is_other = phone.zip(display).is_some_and(|(phone, display)| !display.spells(phone));
    if is_other {
        let message = "must spell the number in phone; leave it out, or send both";
        errors.push(Pointer::root().child("phone_display").error("mismatch", message));
    }
}

/// Returns the form by which a phone is found in the spelling `text`: its digits, or the text where it has none.
#[must_use]
pub fn search_form(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() { text.to_owned() } else { digits }
}

/// The digits of a spelling, without a plus or `00` in front; `None` if it has other characters than separators.
fn international_digits(text: &str) -> Option<String> {
    let text = text.strip_prefix('+').or_else(|| text.strip_prefix("00")).unwrap_or(text);
    let is_separator = |letter: char| {
        letter.is_whitespace() || matches!(letter, '-' | '.' | '(' | ')' | '/' | '\u{2010}'..='\u{2015}')
    };
    let digits: String = text.chars().filter(|letter| !is_separator(*letter)).collect();
    digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(digits)
}

/// How a country's numbers are built. Source: ITU-T E.164 and its list of assigned country codes.
#[derive(Debug, Clone, Copy)]
struct NumberingPlan {
    calling_code: &'static str,
    /// What is dialled in front of a national number within the country.
    trunk_prefixes: &'static [&'static str],
    /// The digits of a national number.
    lengths: (usize, usize),
}

impl NumberingPlan {
    // By hand: the crate that knows each country's plan needs 100 ms to load them, at every cold start.
    fn of(country: &Country) -> Option<Self> {
        let (_, calling_code) = CALLING_CODES
            .iter()
            .find(|(_, countries)| {
                countries.as_bytes().chunks(4).any(|code| code.get(..3) == Some(country.as_str().as_bytes()))
            })
            .map(|(code, countries)| (countries, *code))?;
        let (trunk_prefixes, lengths): (&[&str], _) = match country.as_str() {
            "ARG" => (&["0"], (10, 11)),
            "BRA" => (&["0"], (10, 11)),
            "MEX" => (&["01", "044", "045"], (10, 11)),
            "COL" => (&["0"], (10, 10)),
            "PER" => (&["0"], (8, 9)),
            "CHL" => (&["0"], (9, 9)),
            "ITA" | "SMR" | "VAT" => (&[], (6, 11)),
            _ if calling_code == "1" => (&["1"], (10, 10)),
            _ => (&["0"], (6, 15_usize.saturating_sub(calling_code.len()))),
        };
        Some(Self { calling_code, trunk_prefixes, lengths })
    }

    /// The national number that `digits` write.
    fn national<'a>(&self, digits: &'a str) -> Option<&'a str> {
        let fits =
            |number: &&str| (self.lengths.0..=self.lengths.1).contains(&number.len()) && !number.starts_with('0');
        let without_trunk = self.trunk_prefixes.iter().filter_map(|prefix| digits.strip_prefix(prefix));
        let without_code = digits.strip_prefix(self.calling_code);
        std::iter::once(digits).chain(without_trunk).chain(without_code).find(fits)
    }
}

/// Each calling code with its countries, ISO 3166-1 alpha-3.
const CALLING_CODES: &[(&str, &str)] = &[
    ("1", "USA CAN DOM PRI JAM TTO BHS BRB ATG AIA BMU CYM DMA GRD GUM KNA LCA MNP MSR SXM TCA VCT VGB VIR ASM"),
    ("7", "RUS KAZ"),
    ("20", "EGY"),
    ("27", "ZAF"),
    ("30", "GRC"),
    ("31", "NLD"),
    ("32", "BEL"),
    ("33", "FRA"),
    ("34", "ESP"),
    ("36", "HUN"),
    ("39", "ITA VAT"),
    ("40", "ROU"),
    ("41", "CHE"),
    ("43", "AUT"),
    ("44", "GBR GGY IMN JEY"),
    ("45", "DNK"),
    ("46", "SWE"),
    ("47", "NOR SJM"),
    ("48", "POL"),
    ("49", "DEU"),
    ("51", "PER"),
    ("52", "MEX"),
    ("53", "CUB"),
    ("54", "ARG"),
    ("55", "BRA"),
    ("56", "CHL"),
    ("57", "COL"),
    ("58", "VEN"),
    ("60", "MYS"),
    ("61", "AUS CXR CCK"),
    ("62", "IDN"),
    ("63", "PHL"),
    ("64", "NZL"),
    ("65", "SGP"),
    ("66", "THA"),
    ("81", "JPN"),
    ("82", "KOR"),
    ("84", "VNM"),
    ("86", "CHN"),
    ("90", "TUR"),
    ("91", "IND"),
    ("92", "PAK"),
    ("93", "AFG"),
    ("94", "LKA"),
    ("95", "MMR"),
    ("98", "IRN"),
    ("211", "SSD"),
    ("212", "MAR ESH"),
    ("213", "DZA"),
    ("216", "TUN"),
    ("218", "LBY"),
    ("220", "GMB"),
    ("221", "SEN"),
    ("222", "MRT"),
    ("223", "MLI"),
    ("224", "GIN"),
    ("225", "CIV"),
    ("226", "BFA"),
    ("227", "NER"),
    ("228", "TGO"),
    ("229", "BEN"),
    ("230", "MUS"),
    ("231", "LBR"),
    ("232", "SLE"),
    ("233", "GHA"),
    ("234", "NGA"),
    ("235", "TCD"),
    ("236", "CAF"),
    ("237", "CMR"),
    ("238", "CPV"),
    ("239", "STP"),
    ("240", "GNQ"),
    ("241", "GAB"),
    ("242", "COG"),
    ("243", "COD"),
    ("244", "AGO"),
    ("245", "GNB"),
    ("246", "IOT"),
    ("248", "SYC"),
    ("249", "SDN"),
    ("250", "RWA"),
    ("251", "ETH"),
    ("252", "SOM"),
    ("253", "DJI"),
    ("254", "KEN"),
    ("255", "TZA"),
    ("256", "UGA"),
    ("257", "BDI"),
    ("258", "MOZ"),
    ("260", "ZMB"),
    ("261", "MDG"),
    ("262", "REU MYT ATF"),
    ("263", "ZWE"),
    ("264", "NAM"),
    ("265", "MWI"),
    ("266", "LSO"),
    ("267", "BWA"),
    ("268", "SWZ"),
    ("269", "COM"),
    ("290", "SHN"),
    ("291", "ERI"),
    ("297", "ABW"),
    ("298", "FRO"),
    ("299", "GRL"),
    ("350", "GIB"),
    ("351", "PRT"),
    ("352", "LUX"),
    ("353", "IRL"),
    ("354", "ISL"),
    ("355", "ALB"),
    ("356", "MLT"),
    ("357", "CYP"),
    ("358", "FIN ALA"),
    ("359", "BGR"),
    ("370", "LTU"),
    ("371", "LVA"),
    ("372", "EST"),
    ("373", "MDA"),
    ("374", "ARM"),
    ("375", "BLR"),
    ("376", "AND"),
    ("377", "MCO"),
    ("378", "SMR"),
    ("380", "UKR"),
    ("381", "SRB"),
    ("382", "MNE"),
    ("385", "HRV"),
    ("386", "SVN"),
    ("387", "BIH"),
    ("389", "MKD"),
    ("420", "CZE"),
    ("421", "SVK"),
    ("423", "LIE"),
    ("500", "FLK SGS"),
    ("501", "BLZ"),
    ("502", "GTM"),
    ("503", "SLV"),
    ("504", "HND"),
    ("505", "NIC"),
    ("506", "CRI"),
    ("507", "PAN"),
    ("508", "SPM"),
    ("509", "HTI"),
    ("590", "GLP BLM MAF"),
    ("591", "BOL"),
    ("592", "GUY"),
    ("593", "ECU"),
    ("594", "GUF"),
    ("595", "PRY"),
    ("596", "MTQ"),
    ("597", "SUR"),
    ("598", "URY"),
    ("599", "CUW BES"),
    ("670", "TLS"),
    ("672", "NFK ATA"),
    ("673", "BRN"),
    ("674", "NRU"),
    ("675", "PNG"),
    ("676", "TON"),
    ("677", "SLB"),
    ("678", "VUT"),
    ("679", "FJI"),
    ("680", "PLW"),
    ("681", "WLF"),
    ("682", "COK"),
    ("683", "NIU"),
    ("685", "WSM"),
    ("686", "KIR"),
    ("687", "NCL"),
    ("688", "TUV"),
    ("689", "PYF"),
    ("690", "TKL"),
    ("691", "FSM"),
    ("692", "MHL"),
    ("850", "PRK"),
    ("852", "HKG"),
    ("853", "MAC"),
    ("855", "KHM"),
    ("856", "LAO"),
    ("880", "BGD"),
    ("886", "TWN"),
    ("960", "MDV"),
    ("961", "LBN"),
    ("962", "JOR"),
    ("963", "SYR"),
    ("964", "IRQ"),
    ("965", "KWT"),
    ("966", "SAU"),
    ("967", "YEM"),
    ("968", "OMN"),
    ("970", "PSE"),
    ("971", "ARE"),
    ("972", "ISR"),
    ("973", "BHR"),
    ("974", "QAT"),
    ("975", "BTN"),
    ("976", "MNG"),
    ("977", "NPL"),
    ("992", "TJK"),
    ("993", "TKM"),
    ("994", "AZE"),
    ("995", "GEO"),
    ("996", "KGZ"),
    ("998", "UZB"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_in(text: &str, country: &str) -> Option<String> {
        let country = Country::parse(country).ok()?;
        Phone::parse_in(text, &country).map(|phone| phone.as_str().to_owned())
    }

    #[test]
    fn separators_and_a_missing_plus_do_not_change_a_number() {
        for text in [
            "+5215512345678",
            "5215512345678",
            "+52 (1) 55 1234-5678",
            "005215512345678",
            " +52.1.55.1234.5678 ",
            "+52\u{a0}1\u{2013}55/12345678",
        ] {
            assert_eq!(Phone::parse(text).as_ref().map(Phone::as_str), Ok("+5215512345678"), "{text}");
        }
        for text in
            ["", "call me", "55 1234", "+05512345678", "+12345678901234567", "0000000000", "٥٥١٢٣٤٥٦٧٨", "+52 x1"]
        {
            assert!(Phone::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_national_number_is_read_in_its_country() {
        for (text, country, expected) in [
            ("(11)99999-9999", "BRA", Some("+5511999999999")),
            ("011 99999-9999", "BRA", Some("+5511999999999")),
            ("5511999999999", "BRA", Some("+5511999999999")),
            ("55 9912-3456", "BRA", Some("+555599123456")),
            ("0055 11 99999 9999", "MEX", Some("+5511999999999")),
            ("55 1234 5678", "MEX", Some("+525512345678")),
            ("044 55 1234 5678", "MEX", Some("+525512345678")),
            ("0000000000", "MEX", None),
            ("0000000000", "BRA", None),
            ("912345678", "CHL", Some("+56912345678")),
            ("11 2345-6789", "ARG", Some("+541123456789")),
            ("(212) 555-0100", "USA", Some("+12125550100")),
            ("+34 612 345 678", "BRA", Some("+34612345678")),
            ("call me", "MEX", None),
        ] {
            assert_eq!(parse_in(text, country).as_deref(), expected, "{text} in {country}");
        }
    }

    #[test]
    fn a_spelling_belongs_to_its_number_only() {
        for (spelling, phone, expected) in [
            ("(11)99999-9999", "+5511999999999", true),
            ("044 55 1234 5678", "+525512345678", true),
            ("(11)99999-9998", "+5511999999999", false),
            ("n/a", "+5511999999999", false),
        ] {
            let (spelling, phone) = (PhoneSpelling::parse(spelling), Phone::parse(phone));
            assert_eq!(spelling.ok().zip(phone.ok()).map(|(spelling, phone)| spelling.spells(&phone)), Some(expected));
        }
    }

    #[test]
    fn each_country_has_one_calling_code() {
        let mut countries: Vec<_> = CALLING_CODES.iter().flat_map(|(_, countries)| countries.split(' ')).collect();
        let all = countries.len();
        assert!(countries.iter().all(|country| Country::parse(country).is_ok()));
        countries.sort_unstable();
        countries.dedup();
        assert_eq!(countries.len(), all);
    }
}
