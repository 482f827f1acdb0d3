# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""What stands in the characters of blocks: cues, counts of kinds of characters, hashes, a page's title, words.

Characters are code points, uint32; block ``i`` has those from ``offsets[i]`` to ``offsets[i + 1]``.
"""

from libc.math cimport log
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc

import numpy as np

cdef enum:  # as in lexicon.py: what a character is to the words around it
    HAN = 1
    WEDGE = 2  # passed over between Han characters
    INVISIBLE = 4  # passed over everywhere
    HIGH = 65536
    ROOT = 0
    NONE = 0xFFFFFFFF

cdef enum:  # as in shape.py
    DIGIT = 2
    N_CLASSES = 9


cdef int check(const int64_t[::1] offsets, Py_ssize_t n) except -1:
    cdef Py_ssize_t i
    if offsets.shape[0] == 0 or offsets[0] < 0 or offsets[offsets.shape[0] - 1] > n:
        raise ValueError("the offsets do not fit the characters")
    for i in range(offsets.shape[0] - 1):
        if offsets[i + 1] < offsets[i]:
            raise ValueError("the offsets go backwards")
    return 0


# ---------------------------------------------------------------- cues

cdef struct Edge:  # from a node of the tree of terms to another, in a hash table
    uint64_t key  # node and character, and 1 that the place is taken
    uint32_t node


cdef class Terms:
    """A tree of terms, by their characters, in which the longest is looked for that begins at a place."""

    cdef Edge* edges
    cdef uint64_t mask
    cdef uint32_t* term  # that ends at a node
    cdef uint8_t* first  # whether a term begins with a character of the BMP

    def __cinit__(self, list terms not None):
        cdef Py_ssize_t size = 64, total = sum(map(len, terms)) + 1, number
        cdef uint32_t node, n_nodes = 1
        cdef Edge* edge
        cdef str term
        while size < 4 * total:
            size *= 2
        self.mask = size - 1
        self.edges = <Edge*>calloc(size, sizeof(Edge))
        self.term = <uint32_t*>malloc(total * sizeof(uint32_t))
        self.first = <uint8_t*>calloc(HIGH, 1)
        if self.edges == NULL or self.term == NULL or self.first == NULL:
            raise MemoryError
        self.term[ROOT] = NONE
        for number, term in enumerate(terms):
            node = ROOT
            for character in term:
                edge = self.edge(node, ord(character))
                if edge.key == 0:
                    edge[0] = Edge(<uint64_t>node << 32 | <uint64_t>ord(character) << 1 | 1, n_nodes)
                    self.term[n_nodes] = NONE
                    n_nodes += 1
                node = edge.node
            if term:
                self.term[node] = number
                self.first[ord(term[0]) if ord(term[0]) < HIGH else HIGH - 1] = 1

    def __dealloc__(self):
        free(self.edges)
        free(self.term)
        free(self.first)

    cdef inline Edge* edge(self, uint32_t node, uint32_t character) noexcept nogil:
        """The place of an edge in the table: its own, or a free one."""
        cdef uint64_t key = <uint64_t>node << 32 | <uint64_t>character << 1 | 1
        cdef uint64_t at = ((key ^ (key >> 29)) * <uint64_t>0x9E3779B97F4A7C15 >> 32) & self.mask
        while self.edges[at].key != 0 and self.edges[at].key != key:
            at = (at + 1) & self.mask
        return &self.edges[at]

    def find(
        self, const uint32_t[::1] codes, const int64_t[::1] offsets, const uint32_t[::1] folding, const uint32_t[::1] letters,
        uint32_t first_letter, const uint8_t[::1] traits,
    ):
        """Find all terms in blocks, as `Lexicon.hits`; rows of (term, block, start, stop), int64 (n_hits, 4)."""
        cdef Py_ssize_t block, i, k, n, longest = 0, found = 0, room = 256
        cdef uint32_t node, term, stop = 0
        cdef Edge* edge
        check(offsets, codes.shape[0])
        for block in range(offsets.shape[0] - 1):
            longest = max(longest, offsets[block + 1] - offsets[block])
        cdef uint32_t* plain = <uint32_t*>malloc((longest + 1) * sizeof(uint32_t))
        cdef uint32_t* place = <uint32_t*>malloc((longest + 1) * sizeof(uint32_t))
        cdef int64_t* hits = <int64_t*>malloc(room * 4 * sizeof(int64_t))
        cdef int64_t* more
        cdef int64_t[:, ::1] view
        try:
            if plain == NULL or place == NULL or hits == NULL:
                raise MemoryError
            for block in range(offsets.shape[0] - 1):
                n = plain_text(codes, offsets[block], offsets[block + 1], folding, letters, first_letter, traits, plain, place)
                i = 0
                while i < n:
                    if not self.first[plain[i] if plain[i] < HIGH else HIGH - 1]:
                        i += 1
                        continue
                    node, term = ROOT, NONE
                    for k in range(i, n):
                        edge = self.edge(node, plain[k])
                        if edge.key == 0:
                            break
                        node = edge.node
                        if self.term[node] != NONE:
                            term, stop = self.term[node], k + 1
                    if term == NONE:
                        i += 1
                        continue
                    if found == room:
                        room *= 2
                        more = <int64_t*>realloc(hits, room * 4 * sizeof(int64_t))
                        if more == NULL:
                            raise MemoryError
                        hits = more
                    hits[4 * found], hits[4 * found + 1] = term, block
                    hits[4 * found + 2], hits[4 * found + 3] = place[i], place[stop - 1] + 1
                    found, i = found + 1, stop
            out = np.empty((found, 4), np.int64)
            view = out
            for i in range(found):
                for k in range(4):
                    view[i, k] = hits[4 * i + k]
            return out
        finally:
            free(plain)
            free(place)
            free(hits)


cdef inline uint8_t trait_of(const uint8_t[::1] traits, uint32_t code) noexcept nogil:
    """As `chars.char_kinds` has it of characters beyond the BMP."""
    if code < HIGH:
        return traits[code]
    return HAN if 0x20000 <= code < 0x32000 else 0 if code == 0x10FFFE else WEDGE


cdef Py_ssize_t plain_text(
    const uint32_t[::1] codes, Py_ssize_t start, Py_ssize_t stop, const uint32_t[::1] folding, const uint32_t[::1] letters,
    uint32_t first_letter, const uint8_t[::1] traits, uint32_t* plain, uint32_t* place,
) noexcept nogil:
    """Fold a block's characters but those that `chars.without_wedges` passes over; return how many there are, and their places."""
    cdef Py_ssize_t i, n = 0
    cdef uint32_t code
    cdef uint8_t trait, before = 0
    for i in range(start, stop):
        code = codes[i]
        trait = trait_of(traits, code)
        if trait & INVISIBLE or (trait & WEDGE and before & HAN and i + 1 < stop and trait_of(traits, codes[i + 1]) & HAN):
            before = trait
            continue
        before = trait
        if code < HIGH:
            code = folding[code]
        elif first_letter <= code < first_letter + letters.shape[0]:
            code = letters[code - first_letter]
        plain[n], place[n] = code, i - start
        n += 1
    return n


def fold(
    const uint32_t[::1] codes, const uint32_t[::1] folding, const uint32_t[::1] letters, uint32_t first_letter,
    const uint8_t[::1] table, uint8_t edge, uint8_t han, uint8_t symbol, uint64_t[::1] folded, uint8_t[::1] kinds,
):
    """`chars.fold_codes`, and `chars.char_kinds` of what it makes, in `folded` and `kinds`."""
    cdef Py_ssize_t i
    cdef uint32_t code
    if not (codes.shape[0] == folded.shape[0] == kinds.shape[0] and folding.shape[0] == table.shape[0] == HIGH):
        raise ValueError("what is to be filled is of another length")
    for i in range(codes.shape[0]):
        code = codes[i]
        if code < HIGH:
            code = folding[code]
        elif first_letter <= code < first_letter + letters.shape[0]:
            code = letters[code - first_letter]
        folded[i] = code
        if code < HIGH:
            kinds[i] = table[code]
        else:
            kinds[i] = edge if code == 0x10FFFE else han if 0x20000 <= code < 0x32000 else symbol


# ---------------------------------------------------------------- counts and hashes

def count_classes(const uint32_t[::1] codes, const int64_t[::1] offsets, const uint8_t[::1] table, int han, float[:, ::1] out):
    """Count the characters of each class of `table` in each block, its spaces, dates and clocks, float32 (N_CLASSES + 3, n).

    Dates and clocks are as in `shape`; 1 says that there are any.
    """
    cdef Py_ssize_t block, i, k, start, stop
    cdef int[N_CLASSES] counts
    cdef int spaces, digits  # in a row, up to a place
    cdef uint32_t code
    cdef uint8_t kind
    cdef bint date, clock
    check(offsets, codes.shape[0])
    if table.shape[0] != HIGH or out.shape[0] != N_CLASSES + 3 or out.shape[1] != offsets.shape[0] - 1:
        raise ValueError("what is to be filled is of another shape")
    for block in range(out.shape[1]):
        start, stop = offsets[block], offsets[block + 1]
        for k in range(N_CLASSES):
            counts[k] = 0
        spaces = digits = date = clock = 0
        for i in range(start, stop):
            code = codes[i]
            kind = table[code] if code < HIGH else han
            counts[kind] += 1
            spaces += code == 32
            if digits >= 4:
                date |= code == 0x2D or code == 0x5E74 or code == 0x2F or code == 0x2E
            if digits >= 2 and (code == 0x3A or code == 0xFF1A) and i + 2 < stop:
                clock |= is_digit(table, codes[i + 1]) and is_digit(table, codes[i + 2])
            digits = digits + 1 if kind == DIGIT else 0
        for k in range(N_CLASSES):
            out[k, block] = counts[k]
        out[N_CLASSES, block], out[N_CLASSES + 1, block], out[N_CLASSES + 2, block] = spaces, date, clock


cdef inline bint is_digit(const uint8_t[::1] table, uint32_t code) noexcept nogil:
    return code < HIGH and table[code] == DIGIT


def hash_segments(const uint32_t[::1] codes, const int64_t[::1] offsets, const uint64_t[::1] multipliers, uint64_t[::1] out):
    """The sums of `repeats.segment_hashes`, in `out`, uint64 (n,)."""
    cdef Py_ssize_t block, i, start, mask = multipliers.shape[0] - 1
    cdef uint64_t total
    check(offsets, codes.shape[0])
    for block in range(min(out.shape[0], offsets.shape[0] - 1)):
        start, total = offsets[block], 0
        for i in range(start, offsets[block + 1]):
            total += (<uint64_t>codes[i] + 1) * multipliers[(i - start) & mask]
        out[block] = total


# ---------------------------------------------------------------- titles

def match_title(
    const uint32_t[::1] codes, const int64_t[::1] offsets, const uint32_t[::1] bare, Py_ssize_t title_size, double[::1] match,
    double[::1] cover,
):
    """`mass._title_match` of blocks of one page, in `match` and `cover`, zeros; `bare` is the title without spaces."""
    cdef Py_ssize_t block, i, n, size, common, longest = 2 * title_size + 8
    check(offsets, codes.shape[0])
    if not (match.shape[0] == cover.shape[0] == offsets.shape[0] - 1 and bare.shape[0]):
        raise ValueError("there are not as many blocks")
    cdef uint32_t* text = <uint32_t*>malloc(longest * sizeof(uint32_t))
    if text == NULL:
        raise MemoryError
    for block in range(match.shape[0]):
        size = offsets[block + 1] - offsets[block]
        if not 4 <= size <= longest or not stands_in(&codes[offsets[block]], 1, bare):
            continue
        n = 0
        for i in range(offsets[block], offsets[block + 1]):
            if codes[i] != 32:
                text[n] = codes[i]
                n += 1
        if stands_in(text, n, bare):
            common = n
        else:
            common = 0
            while common < min(n, bare.shape[0]) and text[common] == bare[common]:
                common += 1
        match[block], cover[block] = <double>common / max(n, 1), <double>common / bare.shape[0]
    free(text)


cdef bint stands_in(const uint32_t* text, Py_ssize_t n, const uint32_t[::1] bare) noexcept nogil:
    cdef Py_ssize_t at, i
    for at in range(bare.shape[0] - n + 1):
        i = 0
        while i < n and bare[at + i] == text[i]:
            i += 1
        if i == n:
            return True
    return False


# ---------------------------------------------------------------- words

def cut_words(str text not None, dict frequencies not None, double log_total):
    """What ``jieba.Tokenizer.cut`` makes of a text by its dictionary alone: the words of the likeliest way to cut it."""
    cdef list words = []
    cdef Py_ssize_t start = 0, stop, n = len(text)
    while start < n:
        stop = start
        while stop < n and is_of_words(text[stop]):
            stop += 1
        if stop > start:
            cut_run(words, text[start:stop], frequencies, log_total)
        else:
            stop = start + (2 if text[start] == u"\r" and start + 1 < n and text[start + 1] == u"\n" else 1)
            words.append(text[start:stop])
        start = stop
    return words


cdef inline bint is_plain(Py_UCS4 c) noexcept:
    return c"a" <= c <= c"z" or c"A" <= c <= c"Z" or c"0" <= c <= c"9"


cdef inline bint is_of_words(Py_UCS4 c) noexcept:
    return 0x4E00 <= c <= 0x9FD5 or is_plain(c) or c in (c"+", c"#", c"&", c".", c"_", c"%", c"-")


cdef int cut_run(list words, str run, dict frequencies, double log_total) except -1:
    """From the end on, find the best cut of what is behind each place; then go along. Letters and digits stay together."""
    cdef Py_ssize_t n = len(run), place, stop, plain = 0
    cdef double* best = <double*>malloc((n + 1) * sizeof(double))
    cdef Py_ssize_t* behind = <Py_ssize_t*>malloc(n * sizeof(Py_ssize_t))
    cdef double score
    try:
        if best == NULL or behind == NULL:
            raise MemoryError
        best[n] = 0
        for place in range(n - 1, -1, -1):
            behind[place], stop = 0, place + 1
            while stop <= n:
                frequency = frequencies.get(run[place:stop])
                if frequency is None:
                    break
                score = log(<double>frequency) - log_total + best[stop] if frequency else 0
                if frequency and (behind[place] == 0 or score >= best[place]):
                    best[place], behind[place] = score, stop
                stop += 1
            if behind[place] == 0:
                best[place], behind[place] = 0 - log_total + best[place + 1], place + 1
        place = 0
        while place < n:
            stop = behind[place]
            if stop > place + 1 or not is_plain(run[place]):
                if plain < place:
                    words.append(run[plain:place])
                words.append(run[place:stop])
                plain = stop
            place = stop
        if plain < n:
            words.append(run[plain:n])
    finally:
        free(best)
        free(behind)
    return 0
