//! Says for which processor `simd` has kernels of its own, as `cfg(kernels = "…")`: in builds without `unsafe` for none.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(kernels, values(none(), \"x86_64\", \"aarch64\"))");
    let of_target = |name: &str| env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let processor = of_target("ARCH");
    let has_kernels = processor == "x86_64" || (processor == "aarch64" && of_target("ENDIAN") == "little");
    if has_kernels && env::var_os("CARGO_FEATURE_SAFE").is_none() {
        println!("cargo::rustc-cfg=kernels");
        println!("cargo::rustc-cfg=kernels=\"{processor}\"");
    }
}
