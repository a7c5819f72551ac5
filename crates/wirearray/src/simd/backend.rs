//! Which instructions are used: found out once, at run time, or named by the environment.

use std::sync::OnceLock;

#[cfg(kernels = "x86_64")]
use super::avx2::Avx2;
#[cfg(kernels = "x86_64")]
use super::avx512::Avx512;
#[cfg(kernels = "aarch64")]
use super::neon::Neon;

/// The environment variable that names a backend.
const VARIABLE: &str = "WIREARRAY_BACKEND";

/// A way of handling many values at a time. Those that need instructions of some processors hold a proof that this one has
/// them, so a value of this type can be used wherever it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// AVX-512 with VBMI2: Intel from Ice Lake on, AMD from Zen 4 on.
    #[cfg(kernels = "x86_64")]
    Avx512(Avx512),
    /// AVX2: Intel from Haswell on, AMD from Excavator on.
    #[cfg(kernels = "x86_64")]
    Avx2(Avx2),
    /// NEON: every 64-bit ARM processor.
    #[cfg(kernels = "aarch64")]
    Neon(Neon),
    /// Eight bytes at a time in ordinary registers: everywhere.
    Portable,
    /// One byte at a time: what the others are measured against and compared with.
    Plain,
}

/// The environment names a backend that is none, or not one of this processor's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{VARIABLE}: {name:?} is no backend of this processor; those that are: {available}")]
pub struct BackendError {
    name: String,
    available: String,
}

impl Backend {
    /// The backend that is used: the one that the environment names, or else the fastest.
    ///
    /// # Panics
    ///
    /// Panics at its first call where the environment names a backend that this processor lacks.
    #[inline]
    pub fn active() -> Self {
        static ACTIVE: OnceLock<Backend> = OnceLock::new();
        *ACTIVE.get_or_init(|| match Self::of_environment() {
            Ok(named) => named.unwrap_or_else(|| Self::available()[0]),
            Err(error) => panic!("{error}"),
        })
    }

    /// The backend that the environment names, if it does.
    pub fn of_environment() -> Result<Option<Self>, BackendError> {
        let Some(name) = std::env::var_os(VARIABLE).filter(|name| !name.is_empty()) else { return Ok(None) };
        let name = name.to_string_lossy();
        let available = Self::available();
        available.iter().copied().find(|backend| backend.name() == name).map(Some).ok_or_else(|| BackendError {
            name: name.into_owned(),
            available: available.iter().map(|backend| backend.name()).collect::<Vec<_>>().join(", "),
        })
    }

    /// Those that this processor has, the fastest first.
    pub fn available() -> Vec<Self> {
        let mut available = Vec::new();
        #[cfg(kernels = "x86_64")]
        {
            available.extend(Avx512::detect().map(Self::Avx512));
            available.extend(Avx2::detect().map(Self::Avx2));
        }
        #[cfg(kernels = "aarch64")]
        {
            available.extend(Neon::detect().map(Self::Neon));
        }
        available.extend([Self::Portable, Self::Plain]);
        available
    }

    /// Its name, as the environment says it.
    pub fn name(self) -> &'static str {
        match self {
            #[cfg(kernels = "x86_64")]
            Self::Avx512(_) => "avx512",
            #[cfg(kernels = "x86_64")]
            Self::Avx2(_) => "avx2",
            #[cfg(kernels = "aarch64")]
            Self::Neon(_) => "neon",
            Self::Portable => "portable",
            Self::Plain => "plain",
        }
    }
}
