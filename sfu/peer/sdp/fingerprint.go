package sdp

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"strings"
)

// Fingerprint is the hash of a certificate as SDP tells it (RFC 8122 section 5).
type Fingerprint struct {
	hash string
	sum  string // bytes
}

// hashes are the hash functions that a fingerprint may be of. MD5 and MD2, which
// RFC 8122 forbids, are not among them.
var hashes = map[string]func(der []byte) []byte{
	"sha-1":   func(der []byte) []byte { s := sha1.Sum(der); return s[:] },
	"sha-224": func(der []byte) []byte { s := sha256.Sum224(der); return s[:] },
	"sha-256": func(der []byte) []byte { s := sha256.Sum256(der); return s[:] },
	"sha-384": func(der []byte) []byte { s := sha512.Sum384(der); return s[:] },
	"sha-512": func(der []byte) []byte { s := sha512.Sum512(der); return s[:] },
}

// parseFingerprint reads the value of a=fingerprint: "sha-256 19:E2:...".
func parseFingerprint(value string) (Fingerprint, bool) {
	name, digits, _ := strings.Cut(strings.TrimSpace(value), " ")
	name = strings.ToLower(name)
	hash, known := hashes[name]
	if !known {
		return Fingerprint{}, false
	}
	sum, err := hex.DecodeString(strings.ReplaceAll(digits, ":", ""))
	if err != nil || len(sum) != len(hash(nil)) {
		return Fingerprint{}, false
	}
	return Fingerprint{name, string(sum)}, true
}

// String returns the fingerprint as SDP has it.
func (f Fingerprint) String() string {
	var b strings.Builder
	b.WriteString(f.hash)
	for i := range len(f.sum) {
		separator := ':'
		if i == 0 {
			separator = ' '
		}
		fmt.Fprintf(&b, "%c%02X", separator, f.sum[i])
	}
	return b.String()
}

// FingerprintOf returns the SHA-256 fingerprint of a certificate.
func FingerprintOf(der []byte) Fingerprint {
	sum := sha256.Sum256(der)
	return Fingerprint{"sha-256", string(sum[:])}
}

// of reports whether f is of the certificate der.
func (f Fingerprint) of(der []byte) bool {
	hash, ok := hashes[f.hash]
	return ok && subtle.ConstantTimeCompare(hash(der), []byte(f.sum)) == 1
}

// knownFingerprints returns those of an offer's fingerprints that are of the strongest
// hash function known here: no others may be used (RFC 8122 section 5.1), and pion
// takes no two that differ.
func knownFingerprints(offered []string) ([]Fingerprint, error) {
	var all []Fingerprint
	for _, value := range offered {
		f, ok := parseFingerprint(value)
		if !ok || len(all) > 0 && len(f.sum) < len(all[0].sum) {
			continue
		}
		if len(all) > 0 && len(f.sum) > len(all[0].sum) {
			all = nil
		}
		all = append(all, f)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%w: it has no a=fingerprint of a known hash function; sha-256 is one", ErrOffer)
	}
	return all, nil
}

// CheckCertificate checks that the first certificate of a chain is one that an offer
// has the fingerprint of: that is what ties the media to the client that made the
// offer (RFC 8122 section 6.2). The error is ErrFingerprint.
func CheckCertificate(offered []Fingerprint, chain [][]byte) error {
	if len(chain) == 0 {
		return ErrFingerprint
	}
	for _, f := range offered {
		if f.of(chain[0]) {
			return nil
		}
	}
	return ErrFingerprint
}
