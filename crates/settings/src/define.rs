//! What a row of the table is, and the macro that turns the table into rows and a typed struct.

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Its key in the file; the other spellings follow from it.
    pub name: &'static str,
    /// Where it stands in the documentation.
    pub section: &'static str,
    /// What it does: lines of prose.
    pub help: &'static [&'static str],
    /// Which values it takes, in words.
    pub form: fn() -> String,
    /// How the file may write it besides text.
    pub shape: Shape,
    /// What holds when nobody sets it.
    pub default: Option<&'static str>,
    /// Whether all or part of it must not be seen: then there is no flag, because arguments are public.
    pub secret: bool,
}

impl Setting {
    /// The environment variable.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("KOINE_{}", self.name.to_ascii_uppercase())
    }

    /// The flag of `koine serve`, without its dashes.
    #[must_use]
    pub fn flag(&self) -> Option<String> {
        (!self.secret).then(|| self.name.replace('_', "-"))
    }

    /// The help as one line.
    #[must_use]
    pub fn summary(&self) -> String {
        self.help.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
    }
}

/// How the file may write a value. Every value may also be the text that the variable would hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A text, number or boolean.
    One,
    /// An array of such; as text, with commas between.
    List,
    /// A table of texts; as text, a JSON object.
    Map,
}

/// Makes `TABLE` and `Settings` of rows `/// help` `name: Type = "default";`. Without a default the field is an
/// `Option`.
macro_rules! settings {
    ($($section:literal { $($(#[doc = $help:literal])+ $name:ident: $type:ty $(= $default:literal)?;)+ })+) => {
        /// Every setting, in the order of the documentation.
        pub const TABLE: &[$crate::Setting] = &[$($($crate::Setting {
            name: stringify!($name),
            section: $section,
            help: &[$($help),+],
            form: <$type as $crate::Value>::form,
            shape: <$type as $crate::Value>::SHAPE,
            default: settings!(@default $($default)?),
            secret: <$type as $crate::Value>::SECRET,
        }),+),+];

        /// The values in force.
        #[derive(Clone, Debug)]
        pub struct Settings {
            $($($(#[doc = $help])+ pub $name: settings!(@type $type $(, $default)?),)+)+
        }

        impl Settings {
            /// `None` when a value has a problem, which the reader has noted.
            pub(crate) fn take(reader: &mut $crate::read::Reader<'_>) -> Option<Self> {
                $($(let $name = settings!(@take reader, $name $(, $default)?);)+)+
                Some(Self { $($($name: $name?,)+)+ })
            }
        }
    };
    (@default) => { None };
    (@default $default:literal) => { Some($default) };
    (@type $type:ty) => { Option<$type> };
    (@type $type:ty, $default:literal) => { $type };
    (@take $reader:ident, $name:ident) => { $reader.optional(stringify!($name)) };
    (@take $reader:ident, $name:ident, $default:literal) => { $reader.required(stringify!($name), $default) };
}
