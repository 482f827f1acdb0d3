# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The walk of `segment`, over the same canonical markup, to the same blocks.

The markup is read once, as code points. Text is folded straight into one buffer, and what is known of a block goes into
one row of numbers: the walk makes Python objects only of class and id strings, each once.
"""

from cpython.mem cimport PyMem_Free
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy, memmove

cdef extern from "Python.h":
    Py_UCS4* PyUnicode_AsUCS4Copy(object text) except NULL
    object PyUnicode_FromKindAndData(int kind, const void* buffer, Py_ssize_t size)
    bint Py_UNICODE_ISSPACE(Py_UCS4 character) nogil

cdef extern from *:
    """
    #include <wchar.h>
    static const Py_UCS4* next_of(const Py_UCS4* at, Py_UCS4 wanted, size_t n) {
        if (sizeof(wchar_t) == sizeof(Py_UCS4)) return (const Py_UCS4*)wmemchr((const wchar_t*)at, (wchar_t)wanted, n);
        for (; n; n--, at++) if (*at == wanted) return at;
        return NULL;
    }
    """
    const Py_UCS4* next_of(const Py_UCS4* at, Py_UCS4 wanted, size_t n) nogil

cdef enum:  # as in blocks.py
    HOLDER_LEVELS = 4
    NAMED_LEVELS = 6
    COLUMNS = 9
    WIDTH = 19  # COLUMNS + HOLDER_LEVELS + NAMED_LEVELS
    # What `segment.TRAITS` says of a tag: bits, its number in TAGS in bits 8 to 12, its landmarks from bit 16.
    VOID = 1
    BREAKING = 2
    IMAGE = 4
    INLINE = 8
    LINK = 16
    BOLD = 32
    NOISE = 64
    RAW = 128
    LITERAL = 8192
    FOREIGN = 16384

cdef struct Element:
    int32_t[HOLDER_LEVELS] holders
    int32_t[NAMED_LEVELS] named
    int32_t landmarks, depth, links, tag
    bint hidden, bold

cdef struct Tag:  # a name of up to eight letters, and what is known of it
    uint64_t name
    int traits

cdef struct Piece:  # a run of text while it is read: decoded characters, and the first and last that are no space
    Py_ssize_t size, first, last


cdef inline bint is_space(Py_UCS4 c) noexcept nogil:
    return c == 32 or (9 <= c <= 13) or (c >= 28 and (c < 32 or c == 0x85 or c == 0xA0 or (c > 0xFF and Py_UNICODE_ISSPACE(c))))


cdef inline bint same(const Py_UCS4* at, Py_ssize_t room, const char* word, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t i
    if room < size:
        return False
    for i in range(size):
        if at[i] != <Py_UCS4>word[i]:
            return False
    return True


cdef inline Py_ssize_t find(const Py_UCS4* html, Py_ssize_t start, Py_ssize_t n, Py_UCS4 wanted) noexcept nogil:
    cdef const Py_UCS4* found = next_of(html + start, wanted, n - start) if start < n else NULL
    return n if found == NULL else found - html


cdef inline Py_UCS4 lower(Py_UCS4 c) noexcept nogil:
    cdef uint32_t code = c
    return code + 32 if 65 <= code <= 90 else code


cdef inline bint same_letters(const Py_UCS4* at, Py_ssize_t room, const char* word, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t i
    if room < size:
        return False
    for i in range(size):
        if lower(at[i]) != <Py_UCS4>word[i]:
            return False
    return True


cdef inline str text_between(const Py_UCS4* html, Py_ssize_t start, Py_ssize_t stop):
    return PyUnicode_FromKindAndData(4, html + start, stop - start)


cdef class Walker:
    """One page on its way from markup to blocks."""

    cdef const Py_UCS4* html
    cdef Py_ssize_t n
    cdef Py_UCS4* text
    cdef Py_ssize_t end, begin  # of the text written so far, and of the block that grows
    cdef bint space  # waits to be written before the next character
    cdef bint is_open  # the block shows something
    cdef Element first  # what the block inherits
    cdef Piece piece
    cdef Element* stack
    cdef Py_ssize_t depth, room
    cdef int32_t* rows
    cdef int64_t* ends
    cdef Py_ssize_t n_blocks, rows_room
    cdef int32_t link_chars, bold_chars, n_links, n_offsite, images, elements
    cdef Tag[256] tags  # those that were asked for, each at a place that its name tells
    cdef dict traits, names, seen_names
    cdef str host
    cdef object hides, leads_away

    def __cinit__(self, str markup, dict traits, str host, object hides, object leads_away):
        self.n = len(markup)
        self.html = PyUnicode_AsUCS4Copy(markup)
        self.text = <Py_UCS4*>malloc((self.n + 1) * sizeof(Py_UCS4))
        self.room, self.rows_room = 64, 128
        self.stack = <Element*>calloc(self.room, sizeof(Element))
        self.rows = <int32_t*>malloc(self.rows_room * WIDTH * sizeof(int32_t))
        self.ends = <int64_t*>malloc(self.rows_room * sizeof(int64_t))
        if not (self.html and self.text and self.stack and self.rows and self.ends):
            raise MemoryError
        for level in range(NAMED_LEVELS):
            self.stack[0].named[level] = -1
        self.piece.first = self.piece.last = -1
        self.traits, self.names, self.seen_names = traits, {}, {}
        self.host, self.hides, self.leads_away = host, hides, leads_away

    def __dealloc__(self):
        PyMem_Free(<void*>self.html)
        free(self.text)
        free(self.stack)
        free(self.rows)
        free(self.ends)

    def blocks(self):
        """Walk; return the text, where each block ends in it (int64), the rows (int32, of `WIDTH`) and the names.

        None, if what looks like an element to be passed over may be mere text.
        """
        if not self.walk():
            return None
        return (
            PyUnicode_FromKindAndData(4, self.text, self.end),
            (<char*>self.ends)[: self.n_blocks * sizeof(int64_t)],
            (<char*>self.rows)[: self.n_blocks * WIDTH * sizeof(int32_t)],
            list(self.names),
        )

    cdef bint walk(self) except -1:
        cdef Py_ssize_t i = find(self.html, 0, self.n, c'<'), stop, name, name_stop, next_one
        cdef bint closing
        cdef int traits
        while i < self.n:
            stop, closing, name = -1, False, i + 1
            if same(self.html + i, self.n - i, b"<!--", 4):
                stop = self.after_comment(i + 4)
            if stop < 0:
                stop = find(self.html, i, self.n, c'>')
                if stop == self.n:  # no tag any more, whatever stands here
                    break
                if self.html[i + 1] == c'!' or self.html[i + 1] == c'?':
                    name_stop = name
                else:
                    closing = self.html[name] == c'/'
                    name += closing
                    name_stop = name
                    while name_stop < stop and not is_space(self.html[name_stop]):
                        name_stop += 1
                    if name_stop == name and closing:  # "</>" is read as a start tag of that name
                        closing, name = False, name - 1
                    elif name_stop == name:  # "< " is no tag
                        i = find(self.html, i + 1, self.n, c'<')
                        continue
                stop += 1
            else:
                name_stop = name
            if name_stop > name:
                traits = self.traits_of(name, name_stop)
                if traits & LITERAL:
                    return False
                if traits & NOISE and not closing:
                    stop = self.after_noise(name, name_stop, traits, stop)
                    if stop < 0:
                        return False
                else:
                    self.end_piece()
                    if closing:
                        self.close(traits)
                    else:
                        self.open(traits, name_stop, stop - 1)
            else:
                self.end_piece()
            next_one = find(self.html, stop, self.n, c'<')
            self.add(stop, next_one)
            i = next_one
        self.end_piece()
        self.flush(0)
        return True

    cdef Py_ssize_t after_comment(self, Py_ssize_t i) noexcept:
        while i + 2 < self.n:
            if self.html[i] == c'-' and self.html[i + 1] == c'-' and self.html[i + 2] == c'>':
                return i + 3
            i += 1
        return -1

    cdef int traits_of(self, Py_ssize_t start, Py_ssize_t stop) except -1:
        cdef uint64_t name = 0
        cdef Py_ssize_t i
        cdef Tag* tag
        if stop - start <= 8:
            for i in range(start, stop):
                name = name << 8 | (self.html[i] if self.html[i] < 128 else 255)
            tag = &self.tags[(name * <uint64_t>0x9E3779B97F4A7C15) >> 56]
            if tag.name != name or not name:
                tag.traits = self.traits.get(text_between(self.html, start, stop), 0)
                tag.name = name
            return tag.traits
        return self.traits.get(text_between(self.html, start, stop), 0)

    cdef Py_ssize_t after_noise(self, Py_ssize_t name, Py_ssize_t name_stop, int traits, Py_ssize_t i) except -2:
        """Pass over an element that no visitor reads, from the end of its start tag `i` to that of its end tag.

        -1 where one of the other elements in it may be read in another way than markup is.
        """
        cdef Py_ssize_t nested = 1, at, at_stop
        cdef bint closing
        cdef int inner
        if traits & RAW:
            return self.after_raw(name, name_stop, i)
        while nested:
            i = find(self.html, i, self.n, c'<')
            if i == self.n:
                return i
            if same(self.html + i, self.n - i, b"<!--", 4):
                at = self.after_comment(i + 4)
                i = at if at > 0 else self.n
                continue
            closing = i + 1 < self.n and self.html[i + 1] == c'/'
            at = at_stop = i + 1 + closing
            while at_stop < self.n and self.html[at_stop] != c'>' and not is_space(self.html[at_stop]):
                at_stop += 1
            i = min(self.n, find(self.html, at_stop, self.n, c'>') + 1)
            if at_stop - at == name_stop - name and not self.differ(at, name, at_stop - at):
                nested += -1 if closing else 1
            inner = self.traits_of(at, at_stop)
            if nested and (inner & (FOREIGN | LITERAL) or traits & FOREIGN and inner & NOISE):
                return -1
            if inner & RAW and not closing:
                i = self.after_raw(at, at_stop, i)
        return i

    cdef Py_ssize_t after_raw(self, Py_ssize_t name, Py_ssize_t name_stop, Py_ssize_t i) noexcept:
        """Find the end of an element whose text is no markup."""
        cdef Py_ssize_t size = name_stop - name, stop
        while True:
            i = find(self.html, i, self.n, c'<')
            stop = i + 2 + size
            if stop >= self.n:
                return self.n
            if self.html[i + 1] == c'/' and not self.differ(i + 2, name, size) and (self.html[stop] == c'>' or is_space(self.html[stop])):
                return min(self.n, find(self.html, stop, self.n, c'>') + 1)
            i += 1

    cdef bint differ(self, Py_ssize_t a, Py_ssize_t b, Py_ssize_t size) noexcept:
        cdef Py_ssize_t k
        for k in range(size):
            if self.html[a + k] != self.html[b + k]:
                return True
        return False

    cdef int open(self, int traits, Py_ssize_t start, Py_ssize_t stop) except -1:
        cdef Element* parent
        cdef Element* child
        if traits & VOID:
            if traits & BREAKING:
                self.flush(0)
            self.images += (traits & IMAGE) != 0
            return 0
        if not traits & INLINE:
            self.flush(self.stack[self.depth].links)
        if self.depth + 1 == self.room:
            self.room *= 2
            self.stack = <Element*>realloc(self.stack, self.room * sizeof(Element))
            if self.stack == NULL:
                raise MemoryError
        parent = &self.stack[self.depth]
        self.depth += 1
        child = &self.stack[self.depth]
        child[0] = parent[0]
        if not traits & INLINE:
            self.elements += 1
            memmove(&child.holders[1], &child.holders[0], (HOLDER_LEVELS - 1) * sizeof(int32_t))
            child.holders[0] = self.elements
            child.tag = (traits >> 8) & 31
        child.landmarks |= traits >> 16
        child.depth += 1
        child.links += (traits & LINK) != 0
        child.bold = child.bold or traits & BOLD
        self.read_attributes(child, (traits & LINK) != 0, start, stop)
        return 0

    cdef int close(self, int traits) except -1:
        if not traits & INLINE:
            self.flush(self.stack[self.depth].links)
        if self.depth:
            self.depth -= 1
        return 0

    cdef int read_attributes(self, Element* child, bint is_link, Py_ssize_t i, Py_ssize_t stop) except -1:
        cdef const Py_UCS4* html = self.html
        cdef Py_ssize_t name, name_stop, value, value_stop, href = stop, href_stop = stop, size
        cdef str names = None, found
        while i < stop:
            if not is_space(html[i]):
                i += 1
                continue
            name = name_stop = i + 1
            while name_stop < stop and html[name_stop] != c'=' and not is_space(html[name_stop]):
                name_stop += 1
            if name_stop == name:
                i += 1
                continue
            value, value_stop, i = name_stop, name_stop, name_stop
            if name_stop + 1 < stop and html[name_stop] == c'=' and html[name_stop + 1] == c'"':
                value_stop = find(html, name_stop + 2, stop, c'"')
                if value_stop < stop:
                    value, i = name_stop + 2, value_stop + 1
                else:
                    value_stop = value
            size = name_stop - name
            if same(html + name, size, b"class", 5) and size == 5 or same(html + name, size, b"id", 2) and size == 2:
                found = text_between(html, value, value_stop)
                names = found if names is None else names + " " + found
            elif size == 4 and same(html + name, size, b"href", 4):
                href, href_stop = value, value_stop
            elif size == 5 and same(html + name, size, b"style", 5):
                child.hidden = child.hidden or self.hides(text_between(html, value, value_stop))
            elif size == 6 and same(html + name, size, b"height", 6):
                child.hidden = child.hidden or (value_stop == value + 1 and (html[value] == c'0' or html[value] == c'1'))
            elif size == 6 and same(html + name, size, b"hidden", 6):
                child.hidden = True
            elif size == 11 and same(html + name, size, b"aria-hidden", 11):
                child.hidden = child.hidden or (value_stop == value + 4 and same(html + value, 4, b"true", 4))
        if names is not None:
            self.name(child, names)
        if is_link:
            self.n_links += 1
            if self.host and self.leaves(href, href_stop):
                self.n_offsite += 1
        return 0

    cdef bint leaves(self, Py_ssize_t i, Py_ssize_t stop) except -1:
        """`segment._leaves`, for a link of ASCII alone; others are asked of it."""
        cdef Py_ssize_t start = i, begin, k, size = len(self.host)
        if same_letters(self.html + i, stop - i, b"http", 4):
            i += 5 if i + 4 < stop and lower(self.html[i + 4]) == c's' else 4
            if i >= stop or self.html[i] != c':':
                return False
            i += 1
        if not same(self.html + i, stop - i, b"//", 2):
            return False
        begin = i = i + 2
        while i < stop and self.html[i] not in (c'/', c'?', c'#', c':'):
            if self.html[i] >= 128:
                return self.leads_away(text_between(self.html, start, stop), self.host)
            i += 1
        if i == begin:
            return False
        for k in range(1, size + 1):  # from the end
            if i - k < begin or lower(self.html[i - k]) != self.host[size - k]:
                return True
        return i - size > begin and self.html[i - size - 1] != c'.'

    cdef int name(self, Element* child, str names) except -1:
        number = self.seen_names.get(names)
        if number is None:
            folded = " ".join(names.lower().split())
            number = self.names.setdefault(folded, len(self.names)) if folded else -1
            self.seen_names[names] = number
        if number >= 0:
            memmove(&child.named[1], &child.named[0], (NAMED_LEVELS - 1) * sizeof(int32_t))
            child.named[0] = number
        return 0

    cdef void add(self, Py_ssize_t i, Py_ssize_t stop) noexcept:
        """Fold a run of text into the block; it may go on behind an element that is passed over."""
        cdef Py_UCS4 c
        cdef Py_ssize_t rest
        while i < stop:
            c = self.html[i]
            i += 1
            if c == c'&':
                rest = stop - i
                if same(self.html + i, rest, b"nbsp;", 5):
                    c, i = 32, i + 5
                elif same(self.html + i, rest, b"lt;", 3):
                    c, i = c'<', i + 3
                elif same(self.html + i, rest, b"gt;", 3):
                    c, i = c'>', i + 3
                elif same(self.html + i, rest, b"quot;", 5):
                    c, i = c'"', i + 5
                elif same(self.html + i, rest, b"amp;", 4):
                    c, i = c'&', i + 4
            if is_space(c):
                self.space = self.end > self.begin
            else:
                if self.space:
                    self.text[self.end] = 32
                    self.end += 1
                    self.space = False
                self.text[self.end] = c
                self.end += 1
                if self.piece.first < 0:
                    self.piece.first = self.piece.size
                self.piece.last = self.piece.size
            self.piece.size += 1

    cdef void end_piece(self) noexcept:
        """Count a run of text. The first one that shows anything decides what the block inherits."""
        cdef Element* element = &self.stack[self.depth]
        cdef int32_t shown = <int32_t>(self.piece.last - self.piece.first + 1)
        if self.piece.first >= 0:
            if not self.is_open or (self.first.links and not element.links):
                self.first = element[0]  # text beside a link tells more of the block than the link
            self.is_open = True
            if element.links:
                self.link_chars += shown
            if element.bold:
                self.bold_chars += shown
        self.piece.size, self.piece.first, self.piece.last = 0, -1, -1

    cdef int flush(self, int32_t open_links) except -1:
        """End the block."""
        cdef int32_t size = <int32_t>(self.end - self.begin)
        cdef int32_t* row
        cdef Py_ssize_t room = self.rows_room
        self.space = False
        if not self.is_open:
            if self.n_links and not open_links:
                self.n_links = self.n_offsite = 0  # links around images only
            return 0
        if self.n_blocks == room:
            self.rows_room = 2 * room
            self.rows = <int32_t*>realloc(self.rows, 2 * room * WIDTH * sizeof(int32_t))
            self.ends = <int64_t*>realloc(self.ends, 2 * room * sizeof(int64_t))
            if not (self.rows and self.ends):
                raise MemoryError
        row = self.rows + self.n_blocks * WIDTH
        row[0], row[1] = min(self.link_chars, size), min(self.bold_chars, size)
        row[2], row[3], row[4] = self.n_links, self.n_offsite, self.images
        row[5], row[6], row[7], row[8] = self.first.depth, self.first.tag, self.first.landmarks, self.first.hidden
        memcpy(row + COLUMNS, self.first.holders, sizeof(self.first.holders))
        memcpy(row + COLUMNS + HOLDER_LEVELS, self.first.named, sizeof(self.first.named))
        self.ends[self.n_blocks] = self.end
        self.n_blocks += 1
        self.begin, self.is_open = self.end, False
        self.link_chars = self.bold_chars = self.n_links = self.n_offsite = self.images = 0
        return 0
