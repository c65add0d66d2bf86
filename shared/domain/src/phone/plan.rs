//! Numbering plans of countries.

use crate::text::Country;

/// How a country's numbers are built. Source: ITU-T E.164 and its list of assigned country codes.
#[derive(Debug, Clone, Copy)]
pub(super) struct NumberingPlan {
    pub(super) calling_code: &'static str,
    /// What is dialled in front of a national number within the country.
    trunk_prefixes: &'static [&'static str],
    /// How many digits a national number has, at least and at most.
    lengths: (usize, usize),
}

impl NumberingPlan {
    // By hand: the crate that knows each country's plan needs 100 ms to load them, at every cold start.
    pub(super) fn of(country: &Country) -> Option<Self> {
        let is_of = |countries: &str| countries.split(' ').any(|code| code == country.as_str());
        let (calling_code, _) = CALLING_CODES.iter().find(|(_, countries)| is_of(countries))?;
        Some(Self::with(calling_code, country.as_str()))
    }

    /// The plan of an international number, and the national one in it.
    pub(super) fn of_number(digits: &str) -> Option<(Self, &str)> {
        let mut known = CALLING_CODES.iter();
        let (code, countries) = known.find(|(code, _)| digits.starts_with(code))?;
        let main = countries.split(' ').next().unwrap_or_default();
        Some((Self::with(code, main), digits.strip_prefix(code)?))
    }

    fn with(calling_code: &'static str, country: &str) -> Self {
        let (trunk_prefixes, lengths): (&[&str], _) = match country {
            "MEX" => (&["01", "044", "045"], (10, 11)),
            "ITA" | "SMR" | "VAT" => (&[], (6, 11)),
            _ if calling_code == "1" => (&["1"], (10, 10)),
            "NOR" | "DNK" | "SGP" | "URY" | "BOL" | "CRI" | "GTM" | "SLV" | "HND" | "NIC" => (&["0"], (8, 8)),
            "ESP" | "FRA" | "PRT" | "POL" | "CHL" | "PRY" => (&["0"], (9, 9)),
            "COL" | "VEN" | "IND" | "TUR" | "RUS" => (&["0", "8"], (10, 10)),
            "ARG" | "BRA" => (&["0"], (10, 11)),
            "PER" | "ECU" => (&["0"], (8, 9)),
            "GBR" => (&["0"], (9, 10)),
            "PAN" => (&["0"], (7, 8)),
            _ => (&["0"], (6, 15_usize.saturating_sub(calling_code.len()))),
        };
        Self { calling_code, trunk_prefixes, lengths }
    }

    /// Whether these digits can be a national number of the plan.
    pub(super) fn holds(&self, national: &str) -> bool {
        let (least, most) = self.lengths;
        // An area code of North America begins with 2 to 9.
        let begins =
            if self.calling_code == "1" { !national.starts_with(['0', '1']) } else { !national.starts_with('0') };
        (least..=most).contains(&national.len()) && begins
    }

    /// The national number that `digits` write.
    pub(super) fn national<'a>(&self, digits: &'a str) -> Option<&'a str> {
        let without_trunk = self.trunk_prefixes.iter().filter_map(|prefix| digits.strip_prefix(prefix));
        let without_code = digits.strip_prefix(self.calling_code);
        std::iter::once(digits).chain(without_trunk).chain(without_code).find(|national| self.holds(national))
    }
}

/// The national number that is meant by one that is dialled within Argentina to a mobile: an area code, `15` and the rest,
/// 12 digits in all; from elsewhere it has a `9` in front and no `15`.
pub(super) fn argentine_mobile(digits: &str) -> Option<String> {
    let digits = digits.strip_prefix('0').unwrap_or(digits);
    if digits.len() != 12 {
        return None;
    }
    // Area codes have two digits in Buenos Aires, three or four elsewhere.
    let areas = if digits.starts_with("11") { 2..=2 } else { 3..=4 };
    areas
        .filter_map(|length| digits.split_at_checked(length))
        .find_map(|(area, rest)| Some(format!("9{area}{}", rest.strip_prefix("15")?)))
}

/// Each calling code with its countries, ISO 3166-1 alpha-3.
pub(super) const CALLING_CODES: &[(&str, &str)] = &[
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
