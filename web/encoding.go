package web

import (
	"net/http"
	"strconv"
	"strings"
)

// The content codings (RFC 9110 section 8.4.1) that encodingFor chooses among.
const (
	identityEncoding = "identity"
	gzipEncoding     = "gzip"
	noEncoding       = "" // the client takes none of what there is
)

// TakesGzip reports whether a client wants answers compressed.
func TakesGzip(h http.Header) bool { return encodingFor(h, true) == gzipEncoding }

// Gzip returns body compressed, as is worth it for one answer.
func Gzip(body []byte) []byte { return pack(body, quickPacking) }

// encodingFor returns the content coding of an answer to a request with this header
// (RFC 9110 section 12.5.3): the one that the client prefers, gzip where it has no
// preference. A client that says nothing gets the answer as it is: all browsers say
// something, and simple programs may not be able to read anything else.
func encodingFor(h http.Header, gzipped bool) string {
	told := h.Values("Accept-Encoding")
	if len(told) == 0 {
		return identityEncoding
	}
	const unsaid = -1
	zip, plain, others := float64(unsaid), float64(unsaid), float64(unsaid)
	for _, line := range told {
		for part := range strings.SplitSeq(line, ",") {
			coding, parameters, _ := strings.Cut(part, ";")
			switch strings.ToLower(strings.TrimSpace(coding)) {
			case gzipEncoding, "x-gzip": // the same (section 8.4.1.3)
				zip = max(zip, quality(parameters))
			case identityEncoding:
				plain = max(plain, quality(parameters))
			case "*":
				others = max(others, quality(parameters))
			}
		}
	}
	if zip == unsaid {
		zip = others
	}
	if plain == unsaid && others == 0 {
		plain = 0
	}
	switch {
	case gzipped && zip > 0 && zip >= plain:
		return gzipEncoding
	case plain != 0: // which need not be said
		return identityEncoding
	case gzipped && zip > 0:
		return gzipEncoding
	}
	return noEncoding
}

// quality returns the weight among the parameters of a coding (RFC 9110 section 12.4.2).
// One that cannot be read counts as the refusal that its client may have meant.
func quality(parameters string) float64 {
	name, value, _ := strings.Cut(parameters, "=")
	if !strings.EqualFold(strings.TrimSpace(name), "q") {
		return 1
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return 0
	}
	return q
}
