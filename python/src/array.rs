//! Engine memory as NumPy arrays and scalars, without a copy.

#![allow(unsafe_code, reason = "calls NumPy's C API")]

use std::ffi::{c_int, c_void};
use std::ops::Range;

use numpy::datetime::{Datetime, Timedelta, units::Nanoseconds};
use numpy::npyffi::{NPY_ARRAY_WRITEABLE, PY_ARRAY_API, npy_intp};
use numpy::{PyArrayDescr, PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods, npyffi};
use pyo3::prelude::*;
use wirearray::column::{Dtype, Memory, NumberColumn, Offsets};

use crate::errors;

/// What an array refers to, so that its memory lives as long as it does.
#[pyclass(frozen, module = "wirearray._core", name = "_Memory")]
struct Base(#[expect(dead_code, reason = "held, not read")] Memory);

/// The dtype of a column of numbers.
pub(crate) fn descriptor(py: Python<'_>, dtype: Dtype) -> Bound<'_, PyArrayDescr> {
    match dtype {
        Dtype::Bool => PyArrayDescr::of::<bool>(py),
        Dtype::Int32 => PyArrayDescr::of::<i32>(py),
        Dtype::Int64 => PyArrayDescr::of::<i64>(py),
        Dtype::Uint32 => PyArrayDescr::of::<u32>(py),
        Dtype::Uint64 => PyArrayDescr::of::<u64>(py),
        Dtype::Float32 => PyArrayDescr::of::<f32>(py),
        Dtype::Float64 => PyArrayDescr::of::<f64>(py),
    }
}

/// True for a flat, contiguous array of that dtype, and of no subclass, as masked arrays are.
pub(crate) fn is_flat(array: &Bound<'_, PyAny>, dtype: Dtype) -> bool {
    array.cast_exact::<PyUntypedArray>().is_ok_and(|array| {
        array.ndim() == 1 && array.is_c_contiguous() && array.dtype().is_equiv_to(&descriptor(array.py(), dtype))
    })
}

/// The dtype of points in time, or of spans of it.
pub(crate) fn moment_descriptor(py: Python<'_>, is_span: bool) -> Bound<'_, PyArrayDescr> {
    if is_span { PyArrayDescr::of::<Timedelta<Nanoseconds>>(py) } else { PyArrayDescr::of::<Datetime<Nanoseconds>>(py) }
}

/// Some of a column's numbers: writable, unless they are a view of the input.
pub(crate) fn numbers<'py>(
    py: Python<'py>,
    column: &NumberColumn,
    entries: Range<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    let is_writable = !column.values.is_view();
    of_memory(py, &column.values, descriptor(py, column.dtype), entries, is_writable)
}

/// Numbers that the engine relies on: read-only.
pub(crate) fn read_only_numbers<'py>(
    py: Python<'py>,
    column: &NumberColumn,
    entries: Range<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    of_memory(py, &column.values, descriptor(py, column.dtype), entries, false)
}

/// Nanoseconds as points in time, or spans of it: read-only, because others hold what they were made of.
pub(crate) fn moments<'py>(
    py: Python<'py>,
    column: &NumberColumn,
    entries: Range<usize>,
    is_span: bool,
) -> PyResult<Bound<'py, PyAny>> {
    of_memory(py, &column.values, moment_descriptor(py, is_span), entries, false)
}

/// Some bytes of a column of strings: read-only, because its offsets rely on them.
pub(crate) fn bytes<'py>(py: Python<'py>, memory: &Memory, range: Range<usize>) -> PyResult<Bound<'py, PyAny>> {
    of_memory(py, memory, PyArrayDescr::of::<u8>(py), range, false)
}

/// Offsets: read-only, because the engine relies on them.
pub(crate) fn offsets<'py>(py: Python<'py>, offsets: &Offsets) -> PyResult<Bound<'py, PyAny>> {
    let count = offsets.len() + 1;
    of_memory(py, offsets.memory(), PyArrayDescr::of::<i64>(py), 0..count, false)
}

/// Numbers that another library has made, of the dtype of that name: read-only.
pub(crate) fn of_name<'py>(py: Python<'py>, memory: &Memory, dtype: &str) -> PyResult<Bound<'py, PyAny>> {
    let descriptor = PyArrayDescr::new(py, dtype)?;
    let count = memory.len() / descriptor.itemsize();
    of_memory(py, memory, descriptor, 0..count, false)
}

/// Lengths, as `int64`, or flags, as `bool`, that were made for the caller.
pub(crate) fn fresh<'py>(py: Python<'py>, memory: &Memory, dtype: Dtype) -> PyResult<Bound<'py, PyAny>> {
    let count = memory.len() / dtype.size();
    of_memory(py, memory, descriptor(py, dtype), 0..count, true)
}

/// One number as a NumPy scalar.
pub(crate) fn scalar<'py>(py: Python<'py>, bytes: &[u8], dtype: Dtype) -> PyResult<Bound<'py, PyAny>> {
    scalar_of(py, bytes, descriptor(py, dtype))
}

/// One point in time, or span of it, as a NumPy scalar.
pub(crate) fn moment<'py>(py: Python<'py>, bytes: &[u8], is_span: bool) -> PyResult<Bound<'py, PyAny>> {
    scalar_of(py, bytes, moment_descriptor(py, is_span))
}

fn scalar_of<'py>(py: Python<'py>, bytes: &[u8], descriptor: Bound<'py, PyArrayDescr>) -> PyResult<Bound<'py, PyAny>> {
    assert_eq!(bytes.len(), descriptor.itemsize(), "a scalar has the bytes of one element");
    let data = bytes.as_ptr().cast_mut().cast::<c_void>();
    let none = std::ptr::null_mut();
    // SAFETY: `data` points to as many readable bytes as the dtype has, by the assertion; NumPy copies them. The dtype
    // is borrowed for the call only.
    let scalar = unsafe { PY_ARRAY_API.PyArray_Scalar(py, data, descriptor.as_dtype_ptr(), none) };
    // SAFETY: the call returns a new reference or null with an exception set, which is what this takes.
    unsafe { Bound::from_owned_ptr_or_err(py, scalar) }
}

/// Has the engine make memory that it has put off, while other threads go on.
pub(crate) fn make(py: Python<'_>, memory: &Memory) -> PyResult<()> {
    if memory.is_late() {
        errors::with_memory(|| {
            py.detach(|| memory.make());
            Ok(())
        })?;
    }
    Ok(())
}

fn of_memory<'py>(
    py: Python<'py>,
    memory: &Memory,
    descriptor: Bound<'py, PyArrayDescr>,
    elements: Range<usize>,
    is_writable: bool,
) -> PyResult<Bound<'py, PyAny>> {
    make(py, memory)?;
    let width = descriptor.itemsize();
    let bytes = memory.as_bytes();
    assert!(elements.start <= elements.end && elements.end <= bytes.len() / width, "the elements are in the memory");
    let data = bytes.as_ptr().wrapping_add(elements.start * width).cast_mut().cast::<c_void>();
    let mut dims = [elements.len() as npy_intp];
    // Given strides make NumPy find out for itself whether the data are aligned.
    let mut strides = [width as npy_intp];
    let flags = if is_writable { NPY_ARRAY_WRITEABLE } else { 0 };
    let base = Bound::new(py, Base(memory.clone()))?;
    // SAFETY: the type object lives as long as the interpreter.
    let array_type = unsafe { npyffi::get_type_object(py, npyffi::NpyTypes::PyArray_Type) };
    // SAFETY: `data` points to `dims[0]` elements by the assertion above, which `base` keeps alive. Only memory of the
    // engine's own, which it does not write to again, is given out writable. The call takes the dtype's reference.
    let array = unsafe {
        PY_ARRAY_API.PyArray_NewFromDescr(
            py,
            array_type,
            descriptor.into_dtype_ptr(),
            1,
            dims.as_mut_ptr(),
            strides.as_mut_ptr(),
            data,
            flags as c_int,
            std::ptr::null_mut(),
        )
    };
    // SAFETY: the call returns a new reference or null with an exception set, which is what this takes.
    let array = unsafe { Bound::from_owned_ptr_or_err(py, array) }?;
    // SAFETY: `array` is an array without a base so far; the call takes the reference to `base`.
    let status = unsafe { PY_ARRAY_API.PyArray_SetBaseObject(py, array.as_ptr().cast(), base.into_ptr()) };
    if status < 0 { Err(PyErr::fetch(py)) } else { Ok(array) }
}
