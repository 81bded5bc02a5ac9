package transport

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"

	"github.com/pion/stun/v4"
)

// The parts of a STUN message (RFC 8489 sections 5 and 14) that are looked at
// before it is known to be for us.
const (
	stunHeader       = 20
	stunAttribute    = 4 // type and length
	stunCookie       = 0x2112a442
	stunBinding      = 0x0001 // request
	stunUsername     = 0x0006
	maxStunUsernames = 513 // bytes (RFC 8489 section 14.3)
)

// usernameOf returns the two parts of the USERNAME of a binding request: the user name
// fragments of its receiver and of its sender (RFC 8445 section 7.2.2). It allocates
// nothing: a host that floods the port with them gets no further.
func usernameOf(datagram []byte) (local, remote []byte, ok bool) {
	if len(datagram) < stunHeader || binary.BigEndian.Uint16(datagram) != stunBinding ||
		binary.BigEndian.Uint32(datagram[4:]) != stunCookie ||
		int(binary.BigEndian.Uint16(datagram[2:])) != len(datagram)-stunHeader {
		return nil, nil, false
	}
	for rest := datagram[stunHeader:]; len(rest) >= stunAttribute; {
		kind, n := binary.BigEndian.Uint16(rest), int(binary.BigEndian.Uint16(rest[2:]))
		rest = rest[stunAttribute:]
		padded := (n + 3) &^ 3
		if padded > len(rest) {
			return nil, nil, false
		}
		if kind == stunUsername {
			if n > maxStunUsernames {
				return nil, nil, false
			}
			return bytes.Cut(rest[:n], []byte{':'})
		}
		rest = rest[padded:]
	}
	return nil, nil, false
}

// errIntegrity means that a check was not made with our password, or is damaged.
var errIntegrity = errors.New("transport: connectivity check without integrity")

// binding is a connectivity check (RFC 8445 section 7.3) whose integrity was
// checked.
type binding struct {
	id           [stun.TransactionIDSize]byte
	size         int  // bytes
	useCandidate bool // the client has chosen this path
	controlled   bool // the client wants us to choose, which an ICE-lite agent cannot
}

// readBinding reads a check that was made with the password pwd. m is scratch
// space.
func readBinding(m *stun.Message, datagram []byte, pwd string) (binding, error) {
	m.Raw = append(m.Raw[:0], datagram...) // checking writes into it
	if err := m.Decode(); err != nil {
		return binding{}, err
	}
	// In constant time (hmac.Equal). Without the attribute it is an error, too.
	if err := stun.NewShortTermIntegrity(pwd).Check(m); err != nil {
		return binding{}, errIntegrity
	}
	// All agents send it (RFC 8445 section 7.1.2); those that do not, pass integrity.
	if m.Contains(stun.AttrFingerprint) && stun.Fingerprint.Check(m) != nil {
		return binding{}, errIntegrity
	}
	return binding{
		id: m.TransactionID, size: len(datagram),
		useCandidate: m.Contains(stun.AttrUseCandidate), controlled: m.Contains(stun.AttrICEControlled),
	}, nil
}

// answer returns the response to a check that came from there: the address that it was
// seen to come from, or, to a client that wants to be the controlled one, error 487
// (Role Conflict): the full agent has the controlling role when the other one is
// ICE-lite (RFC 8445 section 6.1.1), so we never yield. It returns nil rather than more
// bytes than came: no host is to be flooded by us.
func (b binding) answer(from netip.AddrPort, pwd string) []byte {
	setters := []stun.Setter{stun.NewTransactionIDSetter(b.id), stun.BindingSuccess,
		&stun.XORMappedAddress{IP: from.Addr().Unmap().AsSlice(), Port: int(from.Port())}}
	if b.controlled {
		setters = []stun.Setter{stun.NewTransactionIDSetter(b.id), stun.BindingError,
			stun.ErrorCodeAttribute{Code: stun.CodeRoleConflict, Reason: []byte("Role Conflict")}}
	}
	m, err := stun.Build(append(setters, stun.NewShortTermIntegrity(pwd), stun.Fingerprint)...)
	if err != nil || len(m.Raw) > b.size {
		return nil
	}
	return m.Raw
}
