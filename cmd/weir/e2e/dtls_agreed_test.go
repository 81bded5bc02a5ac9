package e2e

import (
	"encoding/binary"
	"fmt"
)

// srtpNames are the names of RFC 5764 section 4.1.2 and RFC 7714 section 14.2.
var srtpNames = map[uint16]string{
	1: "SRTP_AES128_CM_HMAC_SHA1_80", 2: "SRTP_AES128_CM_HMAC_SHA1_32",
	7: "SRTP_AEAD_AES_128_GCM", 8: "SRTP_AEAD_AES_256_GCM",
}

// dtlsAgreed reads which SRTP profile and which cipher suite a server has chosen
// out of its hello, which DTLS 1.2 does not encrypt. Of other datagrams it returns
// "".
func dtlsAgreed(b []byte) string {
	const record, message, random = 13, 12, 2 + 32 // the version is in front of the random
	const handshake, serverHello, useSRTP = 22, 2, 14
	if len(b) <= record+message+random || b[0] != handshake || b[record] != serverHello {
		return ""
	}
	b = b[record+message+random:]
	b = b[min(len(b), 1+int(b[0])):] // the session's id
	if len(b) < 5 {
		return ""
	}
	suite := binary.BigEndian.Uint16(b)
	for b = b[5:]; len(b) >= 4; {
		kind, size := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		if b = b[4:]; size > len(b) {
			return ""
		}
		if kind == useSRTP && size >= 4 {
			return fmt.Sprintf("%s, suite %#04x", srtpNames[binary.BigEndian.Uint16(b[2:])], suite)
		}
		b = b[size:]
	}
	return ""
}
