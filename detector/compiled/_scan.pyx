# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""What is counted of a page's markup before it is parsed: see `limits` and `chars`.

A string is read in the width that Python keeps it in, so that a pass over 60,000 characters takes some microseconds.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free

cdef extern from "Python.h":
    int PyUnicode_KIND(object text)
    void* PyUnicode_DATA(object text)
    bint Py_UNICODE_ISSPACE(Py_UCS4 character) nogil

ctypedef fused Unit:
    uint8_t
    uint16_t
    uint32_t

cdef enum:
    FORMATTING = 1  # as in limits.py
    FLAT = 2
    CELL = 4
    OPTION = 8
    SEEN = 16  # a name that has no other traits
    NAMES = 1024  # different names of tags that are told apart


def count_between(str text not None, int first, int last):
    """As in chars.py."""
    cdef int kind = PyUnicode_KIND(text)
    cdef void* data = PyUnicode_DATA(text)
    if kind == 1:
        return 0 if first > 255 else between(<uint8_t*>data, len(text), first, min(last, 255))
    return between(<uint16_t*>data, len(text), first, last) if kind == 2 else between(<uint32_t*>data, len(text), first, last)


cdef uint32_t between(const Unit* text, Py_ssize_t n, Unit first, Unit last) noexcept nogil:
    cdef Py_ssize_t i
    cdef Unit span = last - first
    cdef uint32_t count = 0
    for i in range(n):
        count += <Unit>(text[i] - first) <= span
    return count


def count_tags(str html not None):
    """Return how often ``<`` and ``</`` stand in a string."""
    cdef int kind = PyUnicode_KIND(html)
    cdef void* data = PyUnicode_DATA(html)
    if kind == 1:
        return n_tags(<uint8_t*>data, len(html))
    return n_tags(<uint16_t*>data, len(html)) if kind == 2 else n_tags(<uint32_t*>data, len(html))


cdef (uint32_t, uint32_t) n_tags(const Unit* html, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    cdef uint32_t tags = 0, ends = 0
    for i in range(n - 1):
        tags += html[i] == c'<'
        ends += (html[i] == c'<') & (html[i + 1] == c'/')
    return tags + (n > 0 and html[n - 1] == c'<'), ends


cdef struct Name:
    uint64_t hashed
    int64_t opened
    int traits


cdef struct Nesting:
    int64_t options, reopened, unclosed, depth
    bint overflow


def nesting(str html not None, dict traits not None):
    """As in limits.py: options, formatting elements opened again and left open, depth. None of a page of too many names."""
    cdef int kind = PyUnicode_KIND(html)
    cdef void* data = PyUnicode_DATA(html)
    cdef Name* names = <Name*>calloc(NAMES, sizeof(Name))
    cdef Nesting found
    cdef bytes known
    if names == NULL:
        raise MemoryError
    for name, trait in traits.items():
        known = name.encode()
        place(names, hash_of(<const uint8_t*>known, 0, len(known))).traits = trait
    if kind == 1:
        found = nest(<uint8_t*>data, len(html), names, len(traits))
    elif kind == 2:
        found = nest(<uint16_t*>data, len(html), names, len(traits))
    else:
        found = nest(<uint32_t*>data, len(html), names, len(traits))
    free(names)
    return None if found.overflow else (found.options, found.reopened, found.unclosed, found.depth)


cdef uint64_t hash_of(const Unit* text, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    cdef uint64_t hashed = 0xCBF29CE484222325
    cdef uint64_t c
    for i in range(start, stop):
        c = text[i]
        hashed = (hashed ^ (c + 32 * (65 <= c <= 90))) * <uint64_t>0x100000001B3
    return hashed | 1  # 0 is for a free place


cdef Name* place(Name* names, uint64_t hashed) noexcept nogil:
    """The place of a name in the table: its own, or a free one that becomes its own."""
    cdef size_t at = (hashed >> 20) % NAMES
    while names[at].hashed != 0 and names[at].hashed != hashed:
        at = (at + 1) % NAMES
    names[at].hashed = hashed
    return &names[at]


cdef Nesting nest(const Unit* html, Py_ssize_t n, Name* names, int n_names) noexcept nogil:
    cdef Nesting found = Nesting(0, 0, 0, 0, False)
    cdef int64_t depth = 0, formatting = 0
    cdef Py_ssize_t i = 0, start
    cdef bint slash
    cdef Name* name
    while i < n:
        if html[i] != c'<':
            i += 1
            continue
        i += 1
        slash = i < n and html[i] == c'/'
        start = i = i + slash
        if i >= n or not (65 <= html[i] <= 90 or 97 <= html[i] <= 122):
            i -= slash
            continue
        while i < n and html[i] != c'>' and html[i] != c'/' and not Py_UNICODE_ISSPACE(html[i]):
            i += 1
        name = place(names, hash_of(html, start, i))
        if name.opened == 0 and name.traits == 0:
            name.traits = SEEN
            n_names += 1
            if n_names > NAMES // 2:
                found.overflow = True
                return found
        if name.traits & CELL:
            formatting = 0
        if not slash:
            found.options += (name.traits & OPTION) != 0
            if not name.traits & FORMATTING:
                found.reopened += formatting
        if name.traits & FLAT or (slash and name.opened == 0):
            continue
        name.opened += -1 if slash else 1
        if name.traits & FORMATTING:
            formatting = max(formatting + (-1 if slash else 1), 0)
            found.unclosed = max(found.unclosed, formatting)
        else:
            depth += -1 if slash else 1
            found.depth = max(found.depth, depth)
    return found
