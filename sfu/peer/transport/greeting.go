package transport

import (
	"bytes"
	"encoding/binary"

	"github.com/pion/dtls/v3/pkg/protocol/handshake"
)

const (
	// messageHeader is the header of a handshake message: type, length, number, and
	// place and length of the fragment (RFC 6347 section 4.2.2).
	messageHeader = 12
	// maxVerifyRequests is how often a server may ask us to say hello again. Each costs
	// it 28 bytes or more, and us some 200: no host is to be flooded by us. One is all
	// that a server needs (RFC 6347 section 4.2.1), and it may come twice.
	maxVerifyRequests = 3
)

// greeting is the beginning of a handshake in which we are the client: it lets one
// ServerHello through, and takes from it what the keys are derived from, which is
// what they are derived from by the handshake, too: it gets to see no other one.
type greeting struct {
	known    *Secrets
	hello    []byte // the message that was let through; nil: none
	requests int    // of a further hello
}

// filter returns what of the records of a handshake is let through. It may change
// them.
func (g *greeting) filter(handshake []byte) []byte {
	kept := handshake[:0]
	for r := range records(handshake) {
		if r.epoch() > 0 || r.contentType() != handshakeRecord || g.admits(r[recordHeader:]) {
			kept = append(kept, r...)
		}
	}
	return kept
}

// admits reports whether a plain record is let through, of which each message must be:
// there may be several in it.
func (g *greeting) admits(messages []byte) bool {
	for len(messages) >= messageHeader {
		switch messages[0] {
		case helloVerifyRequestMessage:
			g.requests++
			if g.hello != nil || g.requests > maxVerifyRequests {
				return false
			}
		case serverHelloMessage:
			if !g.admitsHello(messages) {
				return false
			}
		}
		fragment := int(messages[9])<<16 | int(messages[10])<<8 | int(messages[11])
		if messageHeader+fragment > len(messages) {
			return false
		}
		if messages = messages[messageHeader+fragment:]; len(messages) == 0 {
			return true
		}
	}
	return false // cut off
}

// admitsHello is admits for a ServerHello: the first one that can be read, and its
// repetitions.
func (g *greeting) admitsHello(messages []byte) bool {
	var h handshake.Header
	if len(messages) < messageHeader || h.Unmarshal(messages) != nil {
		return false
	}
	end := messageHeader + int(h.Length)
	// It is the first message of its flight, and fits into any datagram.
	if h.FragmentOffset != 0 || h.FragmentLength != h.Length || end > len(messages) {
		return false
	}
	message := messages[:end]
	if g.hello != nil {
		return bytes.Equal(message[messageHeader:], g.hello[messageHeader:]) &&
			binary.BigEndian.Uint16(message[4:]) == binary.BigEndian.Uint16(g.hello[4:])
	}
	var hello handshake.MessageServerHello
	if hello.Unmarshal(message[messageHeader:]) != nil {
		return false
	}
	g.hello = bytes.Clone(message)
	g.known.ServerHello(hello)
	return true
}
