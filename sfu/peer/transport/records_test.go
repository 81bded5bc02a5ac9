package transport

import (
	"bytes"
	"testing"

	"weir/sfu/peer/sdp"
)

func TestSift(t *testing.T) {
	const data = 23
	hello, change, finished := aRecord(handshakeRecord, 0, 1), aRecord(changeCipherSpec, 0, 1), aRecord(handshakeRecord, 1, 2, 3)
	plainAlert, alert, application := aRecord(alertRecord, 0, 2, 40), aRecord(alertRecord, 1, 9, 9), aRecord(data, 1, 5)
	serverHello, done := aRecord(handshakeRecord, 0, serverHelloMessage), aRecord(handshakeRecord, 0, serverHelloDoneMessage)
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for _, tt := range []struct {
		name        string
		datagram    []byte
		role        sdp.Role
		established bool
		handshake   []byte
		alerts      int
	}{
		{"hello", hello, sdp.Server, false, hello, 0},
		{"a client's last flight", join(hello, change, finished), sdp.Server, false, join(hello, change, finished), 0},
		{"the last flight again", join(hello, change, finished), sdp.Server, true, finished, 0},
		{"forged alert", plainAlert, sdp.Server, false, nil, 0},
		{"forged alert in an established session", plainAlert, sdp.Server, true, nil, 0},
		{"forged alert among others", join(hello, plainAlert, finished), sdp.Server, false, join(hello, finished), 0},
		{"forged hello in an established session", hello, sdp.Server, true, nil, 0},
		{"alert", alert, sdp.Server, true, nil, 1},
		{"data", join(application, alert), sdp.Server, true, nil, 1},
		{"cut off", join(hello, finished[:14]), sdp.Server, false, hello, 0},
		{"garbage", []byte{22, 1, 2}, sdp.Server, false, nil, 0},
		{"a server's first flight", join(serverHello, done), sdp.Client, false, join(serverHello, done), 0},
		{"a server's last flight", join(change, finished), sdp.Client, false, join(change, finished), 0},
		{"the last flight again", join(change, finished), sdp.Client, true, finished, 0},
		{"a hello to the client", join(hello, serverHello), sdp.Client, false, serverHello, 0},
		{"a hello to the server", join(serverHello, hello), sdp.Server, false, hello, 0},
		{"a request to begin anew", join(aRecord(handshakeRecord, 0, 0), done), sdp.Client, false, done, 0},
		{"an empty message", join(aRecord(handshakeRecord, 0), done), sdp.Client, false, done, 0},
		{"forged alert to the client", plainAlert, sdp.Client, false, nil, 0},
		{"alert to the client", alert, sdp.Client, true, nil, 1},
		{"forged hello of a server", serverHello, sdp.Client, true, nil, 0},
	} {
		s := sift(tt.datagram, tt.role, tt.established)
		if !bytes.Equal(s.handshake, tt.handshake) || len(s.alerts) != tt.alerts {
			t.Errorf("%s: %x and %d alerts", tt.name, s.handshake, len(s.alerts))
		}
	}
}

func FuzzSift(f *testing.F) {
	f.Add(aRecord(handshakeRecord, 0, 1, 2, 3), byte(sdp.Server), false)
	f.Add(aRecord(handshakeRecord, 0, 2, 2, 3), byte(sdp.Client), false)
	f.Add(append(aRecord(handshakeRecord, 1, 1), aRecord(alertRecord, 1, 2)...), byte(sdp.Server), true)
	f.Fuzz(func(t *testing.T, datagram []byte, role byte, established bool) {
		before := bytes.Clone(datagram)
		s := sift(datagram, sdp.Role(role&1), established)
		for r := range records(s.handshake) {
			if r.contentType() == alertRecord || established && r.epoch() == 0 ||
				r.epoch() == 0 && r.contentType() == handshakeRecord && !expected(sdp.Role(role&1), r) {
				t.Errorf("record %x is let through", r)
			}
		}
		for _, r := range s.alerts {
			if r.epoch() == 0 || r.contentType() != alertRecord {
				t.Errorf("record %x is taken for an alert", r)
			}
			alertKeysForTest.ends(r)
		}
		if len(s.handshake) > len(datagram) || len(s.alerts) == 0 && !bytes.Equal(datagram, before) {
			t.Error("more comes out than went in")
		}
	})
}
