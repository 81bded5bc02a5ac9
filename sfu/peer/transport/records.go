package transport

import (
	"bytes"
	"encoding/binary"
	"iter"

	"weir/sfu/peer/sdp"
)

// The content types of DTLS records (RFC 6347 section 4.1).
const (
	changeCipherSpec = 20
	alertRecord      = 21
	handshakeRecord  = 22
)

// The types of those handshake messages that are not encrypted (RFC 6347 section
// 4.3.2).
const (
	clientHelloMessage        = 1
	serverHelloMessage        = 2
	helloVerifyRequestMessage = 3
	certificateMessage        = 11
	serverKeyExchangeMessage  = 12
	certificateRequestMessage = 13
	serverHelloDoneMessage    = 14
	certificateVerifyMessage  = 15
	clientKeyExchangeMessage  = 16
)

// expectedMessages are those that each side is sent by the other.
var expectedMessages = map[sdp.Role][]byte{
	sdp.Server: {clientHelloMessage, certificateMessage, clientKeyExchangeMessage, certificateVerifyMessage},
	sdp.Client: {helloVerifyRequestMessage, serverHelloMessage, certificateMessage, serverKeyExchangeMessage,
		certificateRequestMessage, serverHelloDoneMessage},
}

// expected reports whether a plain record can be of a handshake in which ours is our
// role.
func expected(ours sdp.Role, plain record) bool {
	return len(plain) > recordHeader && bytes.IndexByte(expectedMessages[ours], plain[recordHeader]) >= 0
}

// recordHeader is the header of a DTLS record: type, version, epoch, sequence
// number, length.
const recordHeader = 13

// record is one DTLS record, with its header.
type record []byte

func (r record) contentType() byte { return r[0] }
func (r record) epoch() uint16     { return binary.BigEndian.Uint16(r[3:]) }

// records yields the records of a datagram, which may hold several. It ends at
// what is none.
func records(datagram []byte) iter.Seq[record] {
	return func(yield func(record) bool) {
		for len(datagram) >= recordHeader {
			n := recordHeader + int(binary.BigEndian.Uint16(datagram[recordHeader-2:]))
			if n > len(datagram) || !yield(record(datagram[:n:n])) {
				return
			}
			datagram = datagram[n:]
		}
	}
}

// sifted is what of a datagram of DTLS is let through.
type sifted struct {
	handshake []byte   // for the handshake
	alerts    []record // encrypted ones
}

// sift keeps of a datagram what can be the client's, when ours is our role. Any host
// that knows its address can forge plain records. An alert among them would end the
// session, so none is taken: a client that gives up in the middle of a handshake is
// seen as one that has fallen silent. Once the keys are established, nothing that is
// plain has a meaning: the repetition of a client's last flight is answered for the
// sake of its encrypted part. Data is never taken: there are no data channels.
func sift(datagram []byte, ours sdp.Role, established bool) sifted {
	var s sifted
	for r := range records(datagram) {
		plain := r.epoch() == 0
		switch kind := r.contentType(); {
		case plain && established:
		case kind == alertRecord && !plain:
			s.alerts = append(s.alerts, r)
		case kind == handshakeRecord && plain && !expected(ours, r):
		case kind == handshakeRecord, kind == changeCipherSpec:
			s.handshake = append(s.handshake, r...)
		}
	}
	return s
}
