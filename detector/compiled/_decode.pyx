# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""What `decode` goes through byte by byte."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint16_t
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memcpy

cdef extern from "Python.h":
    object PyUnicode_FromKindAndData(int kind, const void* buffer, Py_ssize_t size)

cdef enum:
    TRAILS = 191  # 0x40 to 0xFE, with 0x7F, which is none


def decode_pairs(bytes body not None, const uint16_t[::1] table):
    """Decode bytes that are ASCII or pairs of GBK, by a table of all pairs; return the text, and where something else stands.

    That place is the number of bytes where there is nothing else.
    """
    cdef const uint8_t* data = <const uint8_t*>PyBytes_AS_STRING(body)
    cdef Py_ssize_t i = 0, size = PyBytes_GET_SIZE(body), n = 0
    cdef uint8_t lead, trail
    cdef uint16_t* out = <uint16_t*>malloc((size + 1) * sizeof(uint16_t))
    if out == NULL:
        raise MemoryError
    if table.shape[0] != 126 * TRAILS:
        free(out)
        raise ValueError("the table is of another size")
    try:
        while i < size:
            lead = data[i]
            if lead < 0x80:
                out[n] = lead
                i += 1
            else:
                trail = data[i + 1] if i + 1 < size else 0
                if lead == 0x80 or lead == 0xFF or trail < 0x40 or trail == 0x7F or trail == 0xFF:
                    break
                out[n] = table[(lead - 0x81) * TRAILS + trail - 0x40]
                i += 2
            n += 1
        return PyUnicode_FromKindAndData(2, out, n), i
    finally:
        free(out)


def other_lines(bytes body not None, Py_ssize_t end, Py_ssize_t most):
    """Join the lines of the first `end` bytes that are not all ASCII, up to `most` bytes."""
    cdef const char* data = PyBytes_AS_STRING(body)
    cdef Py_ssize_t start = 0, stop, i, n = 0, size
    cdef uint8_t seen
    cdef const char* found
    cdef char* out = <char*>malloc(most + 1)
    if out == NULL:
        raise MemoryError
    end = min(end, PyBytes_GET_SIZE(body))
    while start <= end and n < most:
        found = <const char*>memchr(data + start, c'\n', end - start)
        stop = found - data if found != NULL else end
        seen = 0
        for i in range(start, stop):
            seen |= <uint8_t>data[i]
        if seen & 0x80:
            if n:
                out[n] = c'\n'
                n += 1
            size = min(stop - start, most - n)
            memcpy(out + n, data + start, size)
            n += size
        start = stop + 1
    try:
        return PyBytes_FromStringAndSize(out, n)
    finally:
        free(out)
